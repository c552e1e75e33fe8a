import { openHandle, toStorageError } from '@deespec/sqlite-adapter';

const held = `SELECT sha256 FROM tree_entry WHERE kind <> 'd'`;

const queries = { held: [held], known: [held, `SELECT sha256 FROM projection WHERE kind <> 'd'`] } as const;

/**
 * Takes out of `hashes` what a database holds, whatever the path. Reads every row of the tree once; memory is that of `hashes`.
 *
 * @param hashes - SHA-256, hexadecimal
 * @param which - `held`: what it holds now; `known`: also what the files held when both were last in step, which it may have replaced
 * @throws StorageError `DATABASE.CORRUPT`
 */
export function removeHeld(hashes: Set<string>, database: string, which: 'held' | 'known' = 'held'): void {
  if (hashes.size === 0) return;
  const handle = openHandle(database, 'look');
  try {
    for (const sql of queries[which]) {
      const rows = handle.prepare(sql).pluck().iterate();
      for (const sha256 of rows as IterableIterator<string>) hashes.delete(sha256);
    }
  } catch (error) {
    throw toStorageError(error, database);
  } finally {
    handle.close();
  }
}
