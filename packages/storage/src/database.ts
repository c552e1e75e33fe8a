import { StorageError } from '@deespec/domain';
import {
  inspectDatabase,
  latestEvidence,
  latestFullEvidence,
  openHandle,
  readState,
  requireSchema,
  schemaScripts,
  toStorageError,
  type Evidence,
  type SchemaOptions,
  type StorageState,
} from '@deespec/sqlite-adapter';
import { lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

import { readEpoch } from './epoch-file.js';
import type { HomePaths } from './home.js';

/** A published database that belongs to this tree. */
export interface OwnDatabase {
  readonly state: StorageState;
  readonly evidence: Evidence;
  /** The last verification that read every byte of both sides. */
  readonly verified: Evidence;
  /** True when an earlier version of this program wrote its schema. */
  readonly isOlder: boolean;
}

/** True when the last verification of every byte found differences: the database is not to be built upon. */
export function isDamaged(database: OwnDatabase): boolean {
  return database.verified.differences > 0;
}

/**
 * Proves that the database of a tree is ours, of this tree, of this program's schema, and published with evidence.
 *
 * @returns `undefined` when there is none
 * @throws StorageError `DATABASE.*`, `MIGRATION.*`, `SCHEMA.DRIFT`, `SCHEMA.OLDER` unless `schema` allows it
 */
export function findDatabase(paths: HomePaths, schema: SchemaOptions = {}): OwnDatabase | undefined {
  return lookInto(paths, (_handle, own) => own, schema);
}

type Handle = ReturnType<typeof openHandle>;

/** As {@link findDatabase}, for what `look` reads of the database once it is proven. Leaves no sidecars behind. */
export function lookInto<T>(
  paths: HomePaths,
  look: (handle: Handle, own: OwnDatabase) => T,
  schema: SchemaOptions = {},
): T | undefined {
  if (inspectDatabase(paths.database, ownLinks(paths)) === 'absent') return undefined;
  const handle = openHandle(paths.database, 'look');
  try {
    return look(handle, prove(paths, handle, schema));
  } catch (error) {
    throw toStorageError(error, paths.database);
  } finally {
    handle.close();
  }
}

function prove(paths: HomePaths, handle: Handle, schema: SchemaOptions): OwnDatabase {
  const isOlder = requireSchema(handle, schema) < schemaScripts().length;
  const state = requireOwnState(paths, readState(handle));
  const evidence = latestEvidence(handle, 'migrate');
  const verified = latestFullEvidence(handle);
  if (evidence !== undefined && verified !== undefined) return { state, evidence, verified, isOlder };
  throw new StorageError('DATABASE.NO_EVIDENCE', `${paths.database} has no record of a verified migration`, {
    hint: 'it was not published by "deespec migrate": move it away and run "deespec migrate"',
  });
}

/** Like {@link findDatabase}. @throws StorageError also `DATABASE.NOT_FOUND` */
export function getDatabase(paths: HomePaths, schema: SchemaOptions = {}): OwnDatabase {
  const found = findDatabase(paths, schema);
  if (found !== undefined) return found;
  throw notFound(paths);
}

/** The error of a tree without a database. */
export function notFound(paths: HomePaths): StorageError {
  return new StorageError('DATABASE.NOT_FOUND', `${paths.home} has no database yet`, {
    hint: 'run "deespec migrate" first',
    details: { database: paths.database },
  });
}

/**
 * @throws StorageError `DATABASE.OTHER_STORE` when the database was made for another tree; `DATABASE.STALE` when it is of another
 *   epoch of this one
 */
export function requireOwnState(paths: HomePaths, state: StorageState | undefined): StorageState {
  const own = readEpoch(paths);
  if (state === undefined || own === undefined || state.storeId !== own.storeId) {
    throw new StorageError('DATABASE.OTHER_STORE', `${paths.database} was made for another tree`, {
      hint: 'it was not touched: move it away, then run "deespec migrate"',
      details: { database: state, tree: own },
    });
  }
  if (state.epoch === own.epoch && state.mode === own.mode) return state;
  const [is, wanted] = [`${state.mode}, epoch ${state.epoch}`, `${own.mode}, epoch ${own.epoch}`];
  throw new StorageError('DATABASE.STALE', `${paths.database} is of mode ${is}; the tree of mode ${wanted}`, {
    hint:
      own.mode === 'file'
        ? 'it was not touched: move it away, then run "deespec migrate"'
        : 'it was not touched: an older file was put in its place; put the right one back',
    details: { database: state, tree: own },
  });
}

/**
 * Requires that every byte of the database was verified when its epoch began, or since: what reads it trusts nothing less.
 *
 * @throws StorageError `EVIDENCE.STALE`
 */
export function requireEvidence({
  state,
  verified,
}: Pick<OwnDatabase, 'verified'> & { readonly state: Pick<StorageState, 'epoch'> }): void {
  // A change of mode verifies, then begins the next epoch.
  if (verified.epoch >= state.epoch - 1) return;
  throw new StorageError(
    'EVIDENCE.STALE',
    `the database was last verified in epoch ${verified.epoch}; it is in epoch ${state.epoch}`,
    {
      hint: 'run "deespec verify --check-all"',
      details: { verified, epoch: state.epoch },
    },
  );
}

/**
 * How many names of the database's file are leftovers of a publication that was cut off between its link and the removal of
 * the temporary name: they are ours, and the next `migrate` removes them.
 */
export function ownLinks(paths: HomePaths): number {
  const published = lstatSync(paths.database, { bigint: true, throwIfNoEntry: false });
  if (published === undefined || published.nlink < 2n) return 0;
  return unfinishedRuns(paths).filter((run) => {
    const stat = lstatSync(join(paths.runs, run, 'deespec.db'), { bigint: true, throwIfNoEntry: false });
    return stat?.ino === published.ino && stat.dev === published.dev;
  }).length;
}

/** Names of runs that left files, oldest first. */
export function unfinishedRuns(paths: HomePaths): string[] {
  try {
    return readdirSync(paths.runs).sort();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
