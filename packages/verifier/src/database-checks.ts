import { displayPath, StorageError } from '@deespec/domain';
import type { Differences } from './differences.js';
import type { Pace } from './pace.js';
import type { StoredTree } from './stored-tree.js';

/** A table, index, view or trigger as `sqlite_schema` lists it. */
export interface SchemaObject {
  readonly type: string;
  readonly name: string;
  readonly tbl_name: string;
  readonly sql: string | null;
}

/** Tables that ANALYZE makes, not a script. Source: https://www.sqlite.org/fileformat2.html ("The sqlite_stat1 table"). */
const statistics = /^sqlite_stat[14]$/u;

/** Tables that a comparison reads. */
const readTables = new Set(['tree_entry', 'content', 'content_chunk', 'execution']);

const schemaSql = `SELECT ${['type', 'name', 'tbl_name', 'sql']
  .map(
    (column) => `CASE WHEN octet_length(${column}) > 65536 THEN 'too long' ELSE ${column} END AS ${column}`,
  )
  .join(', ')} FROM (SELECT * FROM sqlite_schema LIMIT 1000) ORDER BY type, name`;

/**
 * Compares the live schema, object by object, with what the schema scripts produce; only comments and space in their SQL do not
 * count. SQLite's own objects count too: their names can be forged.
 *
 * @returns `unreadable` when a table that a comparison reads is another one, or stands behind a view of that name
 */
export function checkSchema(
  stored: StoredTree,
  expected: readonly SchemaObject[],
  differences: Differences,
): 'same' | 'drift' | 'unreadable' {
  const before = differences.count;
  const live = new Map<string, SchemaObject>();
  for (const object of stored.connection.prepare<[], SchemaObject>(schemaSql).all()) {
    const where = nameOf(object);
    if (live.has(where)) differences.add({ what: 'schema', where, expected: 'one object', actual: 'two' });
    live.set(where, object);
  }
  let isReadable = true;
  for (const object of expected) {
    const where = nameOf(object);
    const actual = live.get(where);
    live.delete(where);
    if (actual === undefined && statistics.test(object.name)) continue;
    if (actual !== undefined && isSame(actual, object)) continue;
    isReadable &&= object.type !== 'table' || !readTables.has(object.name);
    const found = actual === undefined ? 'missing' : definition(actual);
    differences.add({ what: 'schema', where, expected: definition(object), actual: found });
  }
  for (const [where, object] of live) {
    differences.add({ what: 'schema', where, expected: 'no such object', actual: definition(object) });
  }
  if (differences.count === before) return 'same';
  return isReadable ? 'drift' : 'unreadable';
}

function isSame(one: SchemaObject, other: SchemaObject): boolean {
  if (one.tbl_name !== other.tbl_name) return false;
  return one.sql === other.sql || said(one.sql) === said(other.sql);
}

const spoken = /--[^\r\n]*|\/\*[^]*?(?:\*\/|$)|\s+|('[^']*'|"[^"]*"|[\p{L}\p{N}_$.]+|[^])/gu;

/** The words of SQL: what is left without comments and space. Source: https://www.sqlite.org/lang_comment.html. */
function said(sql: string | null): string {
  return [...(sql ?? '').matchAll(spoken)].flatMap(([, word]) => word ?? []).join(' ');
}

function nameOf(object: SchemaObject): string {
  return `${printable(object.type)} ${printable(object.name)}`;
}

function definition(object: SchemaObject): string {
  const on = object.type === 'table' || object.type === 'view' ? '' : `on ${printable(object.tbl_name)}: `;
  return `${on}${printable(object.sql ?? 'no SQL')}`;
}

/** What somebody may have written into the schema, for people. */
function printable(value: unknown): string {
  return displayPath(Buffer.from(String(value)).toString('latin1'));
}

/** At most 100 messages, the pragma's default. Source: https://www.sqlite.org/pragma.html#pragma_integrity_check. */
const integritySql =
  "SELECT CAST(integrity_check AS BLOB) FROM pragma_integrity_check WHERE integrity_check <> 'ok'";

/**
 * SQLite's own check of the file. Its messages can quote damaged bytes, so they are read as bytes.
 *
 * @returns whether it found nothing
 * @throws StorageError `SQLITE.FAILED` when a page could not be read: that says nothing of what is on it
 */
export function checkIntegrity(stored: StoredTree, differences: Differences): boolean {
  const before = differences.count;
  for (const message of stored.connection.prepare<[], Buffer>(integritySql).pluck().iterate()) {
    const actual = displayPath(message.toString('latin1'));
    if (isReadFailure(actual)) throw readFailure(actual);
    differences.add({ what: 'integrity', where: 'database', expected: 'ok', actual });
  }
  return differences.count === before;
}

/** Low byte of every SQLITE_IOERR code. Source: https://www.sqlite.org/rescode.html#ioerr. */
const IOERR = 10;

/**
 * True for a message that comes of an input or output error of the system. A page of a chain that could not be had is one, too: that
 * there is such a page in the file was checked before.
 *
 * Source: SQLite's btree.c, `checkList`.
 */
function isReadFailure(message: string): boolean {
  if (/failed to get page \d+$/u.test(message)) return true;
  const code = /error code[ =](\d+)/u.exec(message)?.[1];
  return code !== undefined && (Number(code) & 0xff) === IOERR;
}

function readFailure(message: string): StorageError {
  return new StorageError('SQLITE.FAILED', `the database cannot be read (${message})`, {
    hint: 'check the disk, then run the command again',
  });
}

interface BrokenKey {
  readonly child: string;
  readonly rowid: number | null;
  readonly parent: string;
}

const foreignKeySql = 'SELECT "table" AS child, rowid, parent FROM pragma_foreign_key_check';

/** Rows that refer to rows which do not exist. */
export async function checkForeignKeys(
  stored: StoredTree,
  differences: Differences,
  pace: Pace,
): Promise<void> {
  for (const { child, rowid, parent } of stored.connection.prepare<[], BrokenKey>(foreignKeySql).iterate()) {
    const where = rowid === null ? child : `${child} row ${rowid}`;
    differences.add({ what: 'foreign-key', where, expected: `a row of ${parent}`, actual: 'none' });
    if (pace.due) await pace.turn();
  }
}

// Worded so that SQLite reads the table itself, not an index on content_id, which may be damaged.
const unusedContentSql = `SELECT 'content ' || id AS name FROM content
  WHERE id NOT IN (SELECT content_id FROM tree_entry WHERE path >= x'' AND +content_id IS NOT NULL)`;

const unusedChunkSql = `SELECT 'content_chunk ' || k.content_id || ' ' || k.seq AS name
  FROM content_chunk k LEFT JOIN content c ON c.id = k.content_id WHERE c.id IS NULL OR c.bytes IS NOT NULL`;

/** Contents that no entry refers to, and chunks of no chunked content: bytes that no export would bring back. */
export async function checkUnreferenced(
  stored: StoredTree,
  differences: Differences,
  pace: Pace,
): Promise<void> {
  for (const sql of [unusedContentSql, unusedChunkSql]) {
    for (const where of stored.connection.prepare<[], string>(sql).pluck().iterate()) {
      differences.add({
        what: 'unreferenced-content',
        where,
        expected: 'an entry that needs it',
        actual: 'none',
      });
      if (pace.due) await pace.turn();
    }
  }
}
