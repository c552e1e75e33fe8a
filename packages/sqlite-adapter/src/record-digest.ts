import type { Database } from 'better-sqlite3';
import { createHash } from 'node:crypto';

// Not here: evidence, where the digest is kept; projection, outbox and journal_*, which are the database's own account of
// the files and of what it has parsed. They change by themselves after a migration is published, without any change of the
// record, and hold nothing that cannot be had again by looking at the files and the journal.

/** Columns of each table with the order of its rows. Contents by type and length: the hash of their entry covers their bytes. */
const tables: readonly (readonly [table: string, order: string, columns: string, contents?: string])[] = [
  ['schema_version', 'version', 'version applied_at description checksum'],
  ['schema_info', 'key', 'key value'],
  ['storage_state', 'id', 'id mode epoch store_id rev'],
  ['tree_entry', 'path', 'path kind mode mtime_ns sha256 size content_id execution_id state reason rev'],
  ['content', 'id', 'id sha256 size', 'bytes'],
  ['content_chunk', 'content_id, seq', 'content_id seq', 'bytes'],
  ['sbi', 'id', 'id task_id label priority status created_at updated_at completed_at metadata path'],
  [
    'execution',
    'id',
    'id sbi_id run turn step status decision attempt started_at completed_at lease_expires_at path metadata',
    'content',
  ],
  ['config', 'key', 'key value updated_at path'],
  [
    'audit_log',
    'id',
    'id timestamp entity_type entity_id action old_value new_value user session_id path seq previous hash request_id old_hash new_hash',
  ],
  ['search_item', 'id', 'id sbi_id basis'],
  ['search_text_config', 'k', 'k v'],
  ['search_text_data', 'id', 'id block'],
  ['search_text_docsize', 'id', 'id sz origin'],
  ['search_text_idx', 'segid, term', 'segid term pgno'],
];

/** Characters that are hashed at a time. */
const BLOCK = 65_536;

/**
 * SHA-256 (hex) of every row of every table of the record, the index and the versions: type and bytes of each value. Two databases
 * with one digest hold the same rows. To be asked of a database whose structure was checked: it scans all of it.
 *
 * Source: docs/database.md, "Evidence".
 */
export function recordDigest(handle: Database): string {
  const sum = createHash('sha256');
  for (const [table, order, columns, contents] of tables) {
    // One text a row: a value for each column would take five times as long.
    const cells = columns.split(' ').map((column) => `typeof(${column}) || hex(${column})`);
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
