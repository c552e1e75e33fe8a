import type { Database } from 'better-sqlite3';
import { createHash } from 'node:crypto';

// Not here: evidence, where the digest is kept; projection, outbox and journal_*, which are the database's own account of
// the files and of what it has parsed. They change by themselves after a migration is published, without any change of the
// record, and hold nothing that cannot be had again by looking at the files and the journal.

/** The tables with the order of their rows. Contents by type and length: the hash of their entry covers their bytes. */
const tables: readonly (readonly [table: string, order: string, contents?: string])[] = [
  ['schema_version', 'version'],
  ['schema_info', 'key'],
  ['storage_state', 'id'],
  ['tree_entry', 'path'],
  ['content', 'id', 'bytes'],
  ['content_chunk', 'content_id, seq', 'bytes'],
  ['sbi', 'id'],
  ['execution', 'id', 'content'],
  ['config', 'key'],
  ['audit_log', 'id'],
  ['search_item', 'id'],
  ['search_text_config', 'k'],
  ['search_text_data', 'id'],
  ['search_text_docsize', 'id'],
  ['search_text_idx', 'segid, term'],
];

/** Characters that are hashed at a time. */
const BLOCK = 65_536;

/**
 * SHA-256 (hex) of every row of every table of the record, the index and the versions: type and bytes of each value, in the order of
 * the table's columns. Two databases of one schema version with one digest hold the same rows. To be asked of a database whose
 * structure was checked: it scans all of it.
 *
 * Source: docs/database.md, "Evidence".
 */
export function recordDigest(handle: Database): string {
  const sum = createHash('sha256');
  // FTS5 keeps words of a transaction in memory; a savepoint makes it write them. Source: sqlite.org/vtab.html, "xSavepoint".
  if (handle.inTransaction) handle.exec('SAVEPOINT words; RELEASE words');
  for (const [table, order, contents] of tables) {
    const columns = columnsOf(handle, table);
    if (columns.length === 0) continue; // an earlier version of the schema
    // One text a row: a value for each column would take five times as long.
    const cells = columns
      .filter((column) => column !== contents)
      .map((column) => `typeof(${column}) || hex(${column})`);
    if (contents !== undefined) cells.push(`typeof(${contents}) || coalesce(octet_length(${contents}), 0)`);
    const rows = handle
      .prepare(`SELECT ${cells.join(` || ',' || `)} FROM ${table} ORDER BY ${order}`)
      .pluck()
      .iterate() as IterableIterator<string>;
    let block = `${table}\n`;
    for (const row of rows) {
      block += `${row}\n`;
      if (block.length < BLOCK) continue;
      sum.update(block);
      block = '';
    }
    sum.update(block);
  }
  return sum.digest('hex');
}

/** The columns that the table has in this version of the schema. */
function columnsOf(handle: Database, table: string): string[] {
  return handle.prepare('SELECT name FROM pragma_table_info(?)').pluck().all(table) as string[];
}
