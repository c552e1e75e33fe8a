// A program of its own, so that the suite can end it: `dump-program.js <database> rows|quick_check|integrity_check`.
import Database from 'better-sqlite3';
import { createHash } from 'node:crypto';

/** The tables of docs/database.md. Statistics and SQLite's own counters are not live content. */
const tables = [
  'tree_entry',
  'content',
  'content_chunk',
  'sbi',
  'execution',
  'config',
  'audit_log',
  'evidence',
].concat(
  ['storage_state', 'schema_version', 'schema_info', 'search_item', 'search_text_config', 'search_text_data'],
  ['search_text_docsize', 'search_text_idx'],
);

const [file, what] = process.argv.slice(2) as [string, string];
const database = new Database(file, { readonly: true });
process.stdout.write(what === 'rows' ? digestOfRows(database) : checked(database, what));
database.close();

/** Type and bytes of every value, each table in the order in which it is stored. */
function digestOfRows(source: Database.Database): string {
  const sum = createHash('sha256');
  for (const table of tables) {
    const columns = source.prepare('SELECT name FROM pragma_table_info(?)').pluck().all(table) as string[];
    const cells = columns.map((name) => `typeof("${name}"), CAST("${name}" AS BLOB)`);
    sum.update(`${table} ${columns.join(' ')}\n`);
    const rows = source
      .prepare(`SELECT ${cells.join(', ')} FROM ${table} NOT INDEXED`)
      .raw()
      .iterate();
    for (const row of rows as IterableIterator<(string | Buffer | null)[]>) {
      for (const value of row) sum.update(`${value?.length ?? -1}:`).update(value ?? '');
    }
  }
  return sum.digest('hex');
}

function checked(source: Database.Database, pragma: string): string {
  const rows = source.pragma(`${pragma}(1)`) as Record<string, string>[];
  return rows.map((row) => Object.values(row).join()).join('\n');
}
