import { isStorageError, type StorageError, type StorageMode } from '@deespec/domain';
import { openFileStorage } from '@deespec/file-adapter';

import { readEpoch, type EpochRecord } from '../epoch-file.js';
import type { HomePaths } from '../home.js';
import { check, type Found, type HealthCheck, type Made } from './check.js';
import { lastDeep, lastFound } from './deep-record.js';
import type { HealthLimits } from './limits.js';
import { checkStores } from './store-checks.js';
import { barrierOf, checkWork } from './work-checks.js';

/** What {@link checkTree} works on. */
export interface TreeOptions {
  readonly paths: HomePaths;
  readonly limits: HealthLimits;
  readonly now: Date;
  /** Why a deep check that was asked for could not be made. */
  readonly problem: Found | undefined;
}

/** What was found of a tree. */
export interface TreeChecks {
  readonly made: readonly Made[];
  /** The results of the last deep check. */
  readonly past: readonly HealthCheck[];
  readonly mode: StorageMode | undefined;
}

/** Every check of a tree that is made at once, and the results of the last deep check. Reads little, and writes nothing. */
export async function checkTree({ paths, limits, now, problem }: TreeOptions): Promise<TreeChecks> {
  const { isHeld, found } = barrierOf(paths);
  const record = recordOf(paths);
  const mode = isStorageError(record) ? undefined : (record?.mode ?? 'file');
  const deep = lastDeep(paths);
  const files = openFileStorage({ home: paths.home }).store;
  const ground = { paths, limits, now, isHeld, files, record, mode, deep };
  const made = [
    await check('live tree', () => ({ status: 'ok', value: paths.home })),
    await check('ready lock', () => found),
    ...(await checkStores(ground)),
    ...(await checkWork(ground)),
    await check('deep last', () => problem ?? lastFound(deep, limits, now)),
  ];
  return { made, past: deep?.checks ?? [], mode };
}

function recordOf(paths: HomePaths): EpochRecord | StorageError | undefined {
  try {
    return readEpoch(paths);
  } catch (error) {
    if (isStorageError(error)) return error;
    throw error;
  }
}
