import type { Database } from 'better-sqlite3';

import { damaged } from './stored-cell.js';

/** No row or index entry of ours takes fewer bytes of a page. Source: sqlite.org/fileformat.html, "B-tree Pages". */
const ROW_BYTES = 8;

/**
 * More rows than any table of this file can have. In a crafted file pages refer to one page many times over, and a scan of
 * it never ends: every scan of a table that was not checked stops here.
 */
export function rowBound(handle: Database): number {
  const pages = handle.pragma('page_count', { simple: true }) as number;
  return Math.floor((pages * (handle.pragma('page_size', { simple: true }) as number)) / ROW_BYTES);
}

/**
 * Rows of a table, or of what stands behind FROM. Ends however the pages of the file are linked.
 *
 * @throws StorageError `DATABASE.CORRUPT`
 */
export function countRows(handle: Database, from: string): number {
  const bound = rowBound(handle);
  const rows = handle
    .prepare(`SELECT count(*) FROM (SELECT 1 FROM ${from} LIMIT ?)`)
    .pluck()
    .get(bound + 1) as number;
  if (rows <= bound) return rows;
  throw damaged(from, 'has more rows than the file has room for');
}
