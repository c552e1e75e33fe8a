import { StorageError } from '@deespec/domain';
import { closeSync, fsyncSync, openSync } from 'node:fs';

/**
 * Makes a closed file's bytes, or the names in a directory, durable. Never for a database that a connection of this process
 * has open: closing the descriptor would drop SQLite's locks on it.
 *
 * @throws StorageError `FILE.OUTCOME_UNKNOWN` when the sync failed
 */
export function syncPath(path: string): void {
  const descriptor = openSync(path, 'r');
  try {
    fsyncSync(descriptor);
  } catch (error) {
    throw new StorageError('FILE.OUTCOME_UNKNOWN', `cannot sync ${path}`, {
      hint: 'run "deespec status", then the command again',
      cause: error,
    });
  } finally {
    closeSync(descriptor);
  }
}
