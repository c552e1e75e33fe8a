import { searchedFiles, type SbiId, type SearchedParts } from '@deespec/domain';
import type { Database } from 'better-sqlite3';

import { boundedValue } from './bounded-rows.js';
import type { EntryRows } from './entry-rows.js';
import { toStorageError } from './sqlite-error.js';
import { storedObject, storedPath } from './stored-cell.js';

/** As `Index.listSearched` says, in one read transaction. @throws StorageError `DATABASE.CORRUPT` */
export function listSearched(
  handle: Database,
  entries: EntryRows,
  ids: readonly SbiId[],
): ReadonlyMap<SbiId, SearchedParts> {
  const columns = `s.path, ${boundedValue('s.metadata')} AS metadata`;
  const bySbi = handle.prepare(`SELECT ${columns} FROM sbi s WHERE s.id = ?`);
  // In `idx_execution_list`: no content is read on the way.
  const contents = handle
    .prepare('SELECT DISTINCT path FROM execution WHERE sbi_id = ? AND path IS NOT NULL')
    .pluck();
  const find = (id: SbiId): SearchedParts | undefined => {
    const row = bySbi.get(id) as { path: unknown; metadata: unknown } | undefined;
    if (row === undefined) return undefined;
    const path = storedPath(row.path, `sbi ${id}`);
    const executions = contents
      .all(id)
      .map((cell) => ({ contentPath: storedPath(cell, `execution of ${id}`) }));
    const files = searchedFiles({ path, entries: entries.listBelow(path), executions });
    return {
      sbi: { metadata: storedObject(row.metadata, `sbi ${id}`) },
      files: files.map((file) => file.path),
    };
  };
  try {
    const parts = handle.transaction(() => ids.map((id) => [id, find(id)] as const)).deferred();
    return new Map(parts.flatMap(([id, found]) => (found === undefined ? [] : [[id, found]])));
  } catch (error) {
    throw toStorageError(error, handle.name);
  }
}
