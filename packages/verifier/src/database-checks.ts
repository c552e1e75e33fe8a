import { displayPath } from '@deespec/domain';
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

/** SQLite's own objects; their names are reserved. Source: https://www.sqlite.org/fileformat2.html ("sqlite_"). */
const internalName = /^sqlite_/iu;

/** Compares the live schema, object by object and character by character, with what the schema scripts produce. */
export function checkSchema(
  stored: StoredTree,
  expected: readonly SchemaObject[],
  differences: Differences,
): void {
  const live = new Map<string, SchemaObject>();
  const sql = 'SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name';
  for (const object of stored.connection.prepare<[], SchemaObject>(sql).all()) {
    if (!internalName.test(object.name)) live.set(nameOf(object), object);
  }
  for (const object of expected) {
    if (internalName.test(object.name)) continue;
    const where = nameOf(object);
    const actual = live.get(where);
    live.delete(where);
    if (actual === undefined) {
      differences.add({ what: 'schema', where, expected: definition(object), actual: 'missing' });
    } else if (actual.sql !== object.sql || actual.tbl_name !== object.tbl_name) {
      differences.add({ what: 'schema', where, expected: definition(object), actual: definition(actual) });
    }
  }
  for (const [where, object] of live) {
    differences.add({ what: 'schema', where, expected: 'no such object', actual: definition(object) });
  }
}

function nameOf(object: SchemaObject): string {
  return `${object.type} ${object.name}`;
}

function definition(object: SchemaObject): string {
  const on = object.type === 'table' || object.type === 'view' ? '' : `on ${object.tbl_name}: `;
  return `${on}${object.sql ?? 'no SQL'}`;
}

/** At most 100 messages, the pragma's default. Source: https://www.sqlite.org/pragma.html#pragma_integrity_check. */
const integritySql =
  "SELECT CAST(integrity_check AS BLOB) FROM pragma_integrity_check WHERE integrity_check <> 'ok'";

/** SQLite's own check of the file. Its messages can quote damaged bytes, so they are read as bytes. */
export function checkIntegrity(stored: StoredTree, differences: Differences): void {
  for (const message of stored.connection.prepare<[], Buffer>(integritySql).pluck().iterate()) {
    const actual = displayPath(message.toString('latin1'));
    differences.add({ what: 'integrity', where: 'database', expected: 'ok', actual });
  }
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
