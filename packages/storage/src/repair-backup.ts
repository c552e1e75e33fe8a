import { StorageError } from '@deespec/domain';
import { openHandle, recordDigest, requireSchema } from '@deespec/sqlite-adapter';
import { digestDatabase } from '@deespec/verifier';
import { chmodSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { copyDatabase } from './database-copy.js';
import type { HomePaths } from './home.js';
import { makeOwnDirectory } from './own-directory.js';
import { beginRun } from './runs.js';
import { syncPath } from './sync-path.js';

/** What a copy must hold: the same rows, and the same bytes. */
export interface Contents {
  /** See `recordDigest`. */
  readonly record: string;
  /** Digest of the tree. */
  readonly tree: string;
}

/** What the database of a connection holds, all of it read. */
export function contentsOf(handle: Parameters<typeof recordDigest>[0]): Contents {
  return { record: recordDigest(handle), tree: digestDatabase(handle) };
}

/**
 * Copies the database before anything in it is changed. The copy counts, and has its name, when it was opened, checked by SQLite
 * and found to hold the same. Runs under the exclusive barrier; what a killed run left is removed by the next one.
 *
 * @returns where it stands
 * @throws StorageError `TRANSFER.MISMATCH` when the copy is another one; `DATABASE.CORRUPT`, `FILE.*`
 */
export function backUp(paths: HomePaths, name: string, expected: Contents): string {
  const run = beginRun(paths, name);
  try {
    copyDatabase(paths.database, run.database);
    chmodSync(run.database, 0o600);
    requireSameContents(run.database, expected);
    syncPath(run.database);
    makeOwnDirectory(paths.repairBackups);
    const copy = join(paths.repairBackups, `${name}.db`);
    renameSync(run.database, copy);
    syncPath(paths.repairBackups);
    return copy;
  } finally {
    run.remove();
  }
}

/** Removes a copy that nothing was done after. */
export function dropBackup(paths: HomePaths, copy: string): void {
  rmSync(copy, { force: true });
  syncPath(paths.repairBackups);
}

function requireSameContents(copy: string, expected: Contents): void {
  const handle = openHandle(copy, 'read');
  try {
    requireSchema(handle);
    const isWhole = handle.pragma('integrity_check(1)', { simple: true }) === 'ok';
    const { record, tree } = contentsOf(handle);
    if (isWhole && record === expected.record && tree === expected.tree) return;
  } finally {
    handle.close();
  }
  throw new StorageError('TRANSFER.MISMATCH', `the copy ${copy} does not hold what the database holds`, {
    hint: 'nothing was changed: check disk and memory, then run the command again',
    details: { copy },
  });
}
