import { StorageError } from '@deespec/domain';
import { openHandle, toStorageError } from '@deespec/sqlite-adapter';
import { chmodSync, linkSync, lstatSync, renameSync, unlinkSync } from 'node:fs';
import { dirname } from 'node:path';

import type { HomePaths } from './home.js';
import { syncPath } from './sync-path.js';

/**
 * Makes a finished, closed database file the database of the tree: durable first, then visible under its name in one step.
 * Runs under the exclusive barrier.
 *
 * @param how - `first`: by link, so that a file which appeared meanwhile is never replaced; `replace`: by rename over our
 *   own database, which no program may be reading or writing at that moment; `keep`: likewise, and that one gets this name
 * @throws StorageError `DATABASE.FOREIGN` when something stands there; `SQLITE.BUSY` when a program has it open
 *
 * Source: docs/adr/0009.
 */
export function publish(
  paths: HomePaths,
  file: string,
  how: 'first' | 'replace' | { readonly keep: string },
): void {
  chmodSync(file, 0o600);
  syncPath(file);
  if (how === 'first') linkFirst(paths, file);
  else replaceOwn(paths, file, how === 'replace' ? undefined : how.keep);
  syncPath(dirname(file));
}

function linkFirst(paths: HomePaths, file: string): void {
  refuseSidecars(paths);
  try {
    linkSync(file, paths.database);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') {
      throw new StorageError('FILE.WRITE_FAILED', `cannot publish ${paths.database}`, { cause: error });
    }
    throw new StorageError('DATABASE.FOREIGN', `${paths.database} appeared during the run`, {
      hint: 'another program made it: look at it, move it away, then run "deespec migrate"',
      cause: error,
    });
  }
  syncPath(paths.home);
  unlinkSync(file);
}

function replaceOwn(paths: HomePaths, file: string, keep: string | undefined): void {
  const handle = openHandle(paths.database, 'write');
  try {
    // Leaving WAL mode needs the database alone, and empties and removes the sidecars; the lock keeps it alone.
    handle.pragma('journal_mode = DELETE');
    handle.exec('BEGIN EXCLUSIVE');
    refuseSidecars(paths);
    if (keep !== undefined) keepName(paths, keep);
    renameSync(file, paths.database);
    syncPath(paths.home);
  } catch (error) {
    throw toStorageError(error, paths.database);
  } finally {
    handle.close();
  }
}

/** A second name for the database before it loses its first one. A crash in between may have given it already. */
function keepName({ database }: HomePaths, keep: string): void {
  const [own, kept] = [database, keep].map(
    (path) => lstatSync(path, { bigint: true, throwIfNoEntry: false })?.ino,
  );
  if (kept !== own) linkSync(database, keep);
  syncPath(dirname(keep));
}

function refuseSidecars(paths: HomePaths): void {
  const sidecar = ['-wal', '-shm', '-journal']
    .map((end) => paths.database + end)
    .find((path) => (lstatSync(path, { throwIfNoEntry: false })?.size ?? 0) > 0);
  if (sidecar === undefined) return;
  throw new StorageError(
    'SQLITE.BUSY',
    `${sidecar} exists: a program has the database open, or crashed with it`,
    {
      hint: 'end the programs that use deespec.db, or move a leftover away, then run the command again',
      details: { sidecar },
    },
  );
}
