// What `status` and `health` both ask: where a tree stands, without TypeORM and without writing.

import { isStorageError, type ProjectedFiles, type StorageError, type StorageMode } from '@deespec/domain';
import {
  latestEvidence,
  openHandle,
  readOutbox,
  toStorageError,
  type Evidence,
  type OutboxState,
} from '@deespec/sqlite-adapter';

import { isDamaged, lookInto } from './database.js';
import { readEpoch } from './epoch-file.js';
import type { HomePaths } from './home.js';
import type { StatusReport } from './reports.js';
import { requestedMode } from './setting.js';

/**
 * The mode in force, what `setting.json` asks for beside it, and what is wrong with that file.
 *
 * @throws StorageError `MODE.UNKNOWN`, `FILE.READ_FAILED` when the record of the mode is damaged
 */
export async function modeOf(
  paths: HomePaths,
): Promise<Pick<StatusReport, 'mode' | 'setting' | 'requested'>> {
  const mode = readEpoch(paths)?.mode ?? 'file';
  try {
    const requested = await requestedMode(paths);
    return requested === mode ? { mode } : { mode, requested };
  } catch (error) {
    if (!isStorageError(error, 'LAYOUT.MALFORMED')) throw error;
    const { code, message } = error;
    return { mode, setting: { code, message } };
  }
}

type Handle = ReturnType<typeof openHandle>;

/** What stands at the database's path. */
export type DatabaseStanding<T> =
  | { readonly state: 'absent' }
  | { readonly state: 'refused'; readonly error: StorageError }
  | ({ readonly state: 'ours' } & OwnStanding<T>);

/** What a database of ours says of itself. */
export interface OwnStanding<T> {
  readonly schemaVersion: number;
  readonly storeId: string;
  readonly epoch: number;
  readonly bytes: number;
  /** The last verification; one that found no difference does not take back what one of every byte found. */
  readonly evidence: Evidence;
  /** The last one that read every byte of both sides. */
  readonly verified: Evidence;
  readonly outbox: OutboxState;
  /** What the caller read beside. */
  readonly more: T;
}

/** Looks at the database of a tree, and at `more` in it. What is wrong with it is a result. */
export function readDatabase<T>(paths: HomePaths, more: (handle: Handle) => T): DatabaseStanding<T> {
  try {
    const own = lookInto(paths, (handle, found) => ({
      state: 'ours' as const,
      schemaVersion: pragma(handle, 'user_version'),
      storeId: found.state.storeId,
      epoch: found.state.epoch,
      bytes: pragma(handle, 'page_count') * pragma(handle, 'page_size'),
      evidence: isDamaged(found) ? found.verified : (latestEvidence(handle) ?? found.evidence),
      verified: found.verified,
      outbox: readOutbox(handle),
      more: more(handle),
    }));
    return own ?? { state: 'absent' };
  } catch (error) {
    const known = toStorageError(error, paths.database);
    if (!isStorageError(known)) throw known;
    return { state: 'refused', error: known };
  }
}

function pragma(handle: Handle, name: string): number {
  return handle.pragma(name, { simple: true }) as number;
}

/** What either store is behind on; `undefined` where there is only one. */
export function debtOf(
  mode: StorageMode,
  files: ProjectedFiles,
  outbox: OutboxState | undefined,
): StatusReport['debt'] {
  if (mode === 'file' || mode === 'sqlite_only') return undefined;
  const owed = files.fileDebts();
  const since = [outbox?.since, owed[0] === undefined ? undefined : files.fileDebt(owed[0])?.since]
    .flatMap((time) => time ?? [])
    .sort()[0];
  return {
    count: owed.length + (outbox?.count ?? 0),
    ...(since === undefined ? {} : { since }),
    ...(outbox?.lastError === undefined ? {} : { lastError: outbox.lastError }),
  };
}
