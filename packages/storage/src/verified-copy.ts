import { StorageError } from '@deespec/domain';
import {
  compareTables,
  openHandle,
  readTables,
  requireSchema,
  toStorageError,
} from '@deespec/sqlite-adapter';
import { chmodSync, linkSync, unlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { copyDatabase } from './copy-database.js';
import type { HomePaths } from './home.js';
import { makeOwnDirectory } from './own-directory.js';
import { syncPath } from './sync-path.js';

type Handle = ReturnType<typeof openHandle>;

/**
 * Copies the database of a tree as it is and proves that the copy holds the same: SQLite's own check, schema, and every value of every
 * row. Runs under the barrier.
 *
 * @throws StorageError `DATABASE.CORRUPT` when the database cannot be read; `TRANSFER.MISMATCH` when the copy is not what it should be
 */
export function copyVerified(paths: HomePaths, to: string): void {
  copyDatabase(paths.database, to);
  const [live, copy] = [openHandle(paths.database, 'read'), openHandle(to, 'read')];
  try {
    const version = requireSchema(live, { older: 'allowed' });
    const wrong = [
      ...(requireSchema(copy, { older: 'allowed' }) === version ? [] : ['another schema version']),
      ...compareTables(readTables(live), readTables(copy)).map((table) => `other rows in ${table}`),
      ...(brokenKeys(live) === brokenKeys(copy) ? [] : ['other rows that refer to nothing']),
      ...(isSound(copy) ? [] : ["a file that fails SQLite's check"]),
    ];
    if (wrong.length === 0) return;
    throw new StorageError('TRANSFER.MISMATCH', `the copy of ${paths.database} has ${wrong.join(', ')}`, {
      hint: 'nothing was changed: check disk and memory, end other programs that write to the database, then run the command again',
      details: { wrong },
    });
  } catch (error) {
    throw toStorageError(error, to);
  } finally {
    copy.close();
    live.close();
  }
}

/** A repair is to mend such rows: the copy has them too. */
function brokenKeys(handle: Handle): number {
  return (handle.pragma('foreign_key_check') as unknown[]).length;
}

function isSound(handle: Handle): boolean {
  return handle.pragma('integrity_check(1)', { simple: true }) === 'ok';
}

/**
 * Gives a verified copy its name among those that are kept, durably. It stays there until somebody removes it.
 *
 * @returns its path
 */
export function keepCopy(
  paths: HomePaths,
  copy: string,
  { name, now }: { readonly name: string; readonly now: Date },
): string {
  const time = now.toISOString().replaceAll(/[-:.]/gu, '');
  const path = join(paths.copies, `${time}-${name}.db`);
  chmodSync(copy, 0o600);
  syncPath(copy);
  makeOwnDirectory(paths.copies);
  linkSync(copy, path);
  syncPath(paths.copies);
  unlinkSync(copy);
  syncPath(dirname(copy));
  return path;
}

/** Bytes of a database, as its pages say. */
export function databaseBytes(path: string): number {
  const handle = openHandle(path, 'read');
  try {
    const pages = handle.pragma('page_count', { simple: true }) as number;
    return pages * (handle.pragma('page_size', { simple: true }) as number);
  } finally {
    handle.close();
  }
}
