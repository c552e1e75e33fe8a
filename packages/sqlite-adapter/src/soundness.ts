import { CHUNK_BYTES, displayPath, StorageError } from '@deespec/domain';
import type { Database } from 'better-sqlite3';

import { rowBound } from './row-bound.js';
import { expectedSchema } from './expected-schema.js';
import { toStorageError } from './sqlite-error.js';
import { CELL_BYTES, damaged } from './stored-cell.js';

/** Columns that hold bytes of the tree: a piece of 1 MiB at most. */
const pieces = new Set(['bytes', 'content', 'path', 'sha256']);

/**
 * Proves that the database can be read from end to end: no value is larger than this program stores, then SQLite's own
 * check, which ends whatever the pages refer to. To be run before the whole of a database is scanned or copied, after
 * `requireSchema`. Costs about 1 s for a GiB.
 *
 * @throws StorageError `DATABASE.CORRUPT`; `SQLITE.FAILED` when the disk cannot be read
 */
export function requireSound(handle: Database): void {
  // FTS5 keeps what it read of its segments, and its check takes that for what is there now: all of it must be of one moment, while others write.
  if (handle.inTransaction) proveSound(handle);
  else handle.transaction(proveSound).deferred(handle);
}

function proveSound(handle: Database): void {
  requireSmallCells(handle);
  try {
    const [found] = handle.pragma('quick_check(1)') as { quick_check: string }[];
    // A page that could not be read says nothing of what is on it. Source: sqlite.org/rescode.html#ioerr.
    const failure = /error code[ =](\d+)/u.exec(found?.quick_check ?? '')?.[1];
    // One of a chain, of which there is such a page in the file. Source: SQLite's btree.c, `checkList`.
    const isLost = /failed to get page \d+$/u.test(found?.quick_check ?? '');
    if (isLost || (Number(failure) & 0xff) === IOERR)
      throw unreadable(handle.name, firstLine(found?.quick_check));
    if (found?.quick_check !== 'ok') throw damaged(handle.name, firstLine(found?.quick_check));
  } catch (error) {
    throw toStorageError(error, handle.name);
  }
}

/**
 * Proves that no value is larger than this program stores. Reads lengths, not values, and ends whatever the pages refer to.
 *
 * @throws StorageError `DATABASE.CORRUPT`
 */
export function requireSmallCells(handle: Database): void {
  const bound = rowBound(handle);
  try {
    for (const { name } of expectedSchema().filter(({ type }) => type === 'table')) {
      const columns = handle.prepare('SELECT name FROM pragma_table_info(?)').pluck().all(name) as string[];
      if (columns.length === 0) continue;
      const tooWide = columns.map((column) => `octet_length("${column}") > ${widest(name, column)}`);
      const { wide, rows } = handle
        .prepare(
          `SELECT coalesce(max(wide), 0) AS wide, count(*) AS rows
           FROM (SELECT ${tooWide.join(' OR ')} AS wide FROM "${name}" LIMIT ?)`,
        )
        .get(bound + 1) as { wide: number; rows: number };
      if (wide === 1) throw damaged(name, 'has a value that is larger than any this program stores');
      if (rows > bound) throw damaged(name, 'has more rows than the file has room for');
    }
  } catch (error) {
    throw toStorageError(error, handle.name);
  }
}

/** Low byte of every SQLITE_IOERR code. */
const IOERR = 10;

function unreadable(path: string, why: string): StorageError {
  return new StorageError('SQLITE.FAILED', `${path} cannot be read: it ${why}`, {
    hint: 'check the disk, then run the command again',
    details: { database: path },
  });
}

function widest(table: string, column: string): number {
  const isRecord =
    table === 'content' || table === 'content_chunk' || table === 'tree_entry' || column === 'content';
  return isRecord && pieces.has(column) ? CHUNK_BYTES : CELL_BYTES;
}

/** SQLite's messages can quote damaged bytes. */
function firstLine(message: string | undefined): string {
  return `fails SQLite's check (${displayPath(Buffer.from(message ?? 'no answer').toString('latin1')).slice(0, 200)})`;
}
