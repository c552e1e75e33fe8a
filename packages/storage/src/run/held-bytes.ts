import { openHandle, toStorageError } from '@deespec/sqlite-adapter';

/**
 * Takes out of `hashes` what a database holds, whatever the path. Reads every row of the tree once; memory is that of `hashes`.
 *
 * @param hashes - SHA-256, hexadecimal
 * @throws StorageError `DATABASE.CORRUPT`
 */
export function removeHeld(hashes: Set<string>, database: string): void {
  if (hashes.size === 0) return;
  const handle = openHandle(database, 'look');
  try {
    const rows = handle.prepare(`SELECT sha256 FROM tree_entry WHERE kind <> 'd'`).pluck().iterate();
    for (const sha256 of rows as IterableIterator<string>) hashes.delete(sha256);
  } catch (error) {
    throw toStorageError(error, database);
  } finally {
    handle.close();
  }
}
