import { CHUNK_BYTES, type AccountRow, type TreePath } from '@deespec/domain';

import { defineTreeOrder, ENTRY_COLUMNS, entryFromRaw, type RawEntry } from './entry-rows.js';
import { openHandle } from './handle.js';
import { PROJECTION_COLUMNS, projectionFromRaw, type RawProjection } from './projection-rows.js';
import { toStorageError } from './sqlite-error.js';
import { atMost } from './stored-cell.js';

const cell = (table: string, column: string): string =>
  `${atMost(`${table}.${column}`, CHUNK_BYTES)} AS ${table}_${column}`;

const SELECT = `SELECT ${[
  ...ENTRY_COLUMNS.map((column) => cell('t', column)),
  ...PROJECTION_COLUMNS.map((column) => cell('p', column)),
].join(', ')}`;

/** All of both tables, each path once; SQLite sorts in a temporary file. */
const everything = `${SELECT} FROM tree_entry t FULL JOIN projection p ON p.path = t.path
  ORDER BY tree_order(coalesce(t.path, p.path))`;
const below = `${SELECT} FROM (SELECT * FROM tree_entry WHERE path = :path OR path > :first AND path < :end) t
  FULL JOIN (SELECT * FROM projection WHERE path = :path OR path > :first AND path < :end) p ON p.path = t.path
  ORDER BY tree_order(coalesce(t.path, p.path))`;

/**
 * Paths that have an entry or a projection, with both, in scan order, as they are at this moment. Streams on a connection
 * of its own, so that the database can be written while the rows are looked at.
 *
 * @param root - this path and all below it
 * @throws StorageError `DATABASE.CORRUPT` for a row that no write of ours can have left
 */
export function* readAccount(database: string, root: TreePath | undefined): Generator<AccountRow> {
  const handle = openHandle(database, 'read');
  try {
    handle.exec('BEGIN DEFERRED');
    defineTreeOrder(handle);
    const [path, first, end] = [root ?? '', `${root}/`, `${root}0`].map((text) =>
      Buffer.from(text, 'latin1'),
    );
    const statement = handle.prepare(root === undefined ? everything : below).safeIntegers();
    const rows = root === undefined ? statement.iterate() : statement.iterate({ path, first, end });
    for (const raw of rows as Iterable<Readonly<Record<string, unknown>>>) yield accountRow(raw);
  } catch (error) {
    throw toStorageError(error, database);
  } finally {
    handle.close();
  }
}

function accountRow(raw: Readonly<Record<string, unknown>>): AccountRow {
  const part = (table: string, columns: readonly string[]) =>
    Object.fromEntries(columns.map((column) => [column, raw[`${table}_${column}`]]));
  const entry = raw['t_path'] === null ? undefined : entryFromRaw(part('t', ENTRY_COLUMNS) as RawEntry);
  const projection =
    raw['p_path'] === null ? undefined : projectionFromRaw(part('p', PROJECTION_COLUMNS) as RawProjection);
  return {
    path: (entry ?? projection)!.path,
    ...(entry === undefined ? {} : { entry }),
    ...(projection === undefined ? {} : { projection }),
  };
}
