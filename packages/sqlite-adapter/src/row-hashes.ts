import type { Database } from 'better-sqlite3';
import { createHash } from 'node:crypto';

/** What one table holds: to be compared with what it holds elsewhere, or at another time. */
export interface TableRows {
  readonly table: string;
  readonly columns: readonly string[];
  readonly rows: number;
  /** Of every value of every row, whatever the order of the rows. */
  readonly hash: string;
}

/** Tables that a change of schema writes itself. */
const ofTheSchema = new Set(['schema_version', 'schema_info']);

/**
 * Hashes every row of every table but SQLite's own and those of the schema's own records.
 *
 * @param only - the tables and columns to read; absent: all. What is not there is left out
 */
export function readTables(
  handle: Database,
  only?: ReadonlyMap<string, readonly string[]>,
): ReadonlyMap<string, TableRows> {
  const names = handle
    .prepare(
      `SELECT name FROM sqlite_schema WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL%'
       AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name`,
    )
    .pluck()
    .all() as string[];
  const found = new Map<string, TableRows>();
  for (const table of names) {
    if (ofTheSchema.has(table) || only?.has(table) === false) continue;
    const all = handle.prepare('SELECT name FROM pragma_table_info(?)').pluck().all(table) as string[];
    const columns = all.filter((column) => only?.get(table)?.includes(column) !== false);
    found.set(table, { table, columns, ...hashRows(handle, table, columns) });
  }
  return found;
}

/** The tables whose rows differ, or that only one of the two has. */
export function compareTables(
  one: ReadonlyMap<string, TableRows>,
  other: ReadonlyMap<string, TableRows>,
): string[] {
  const names = [...new Set([...one.keys(), ...other.keys()])];
  return names.filter((name) => one.get(name)?.hash !== other.get(name)?.hash);
}

/** A sum of the hashes of all rows, so that it needs no order and little memory. */
function hashRows(
  handle: Database,
  table: string,
  columns: readonly string[],
): { readonly rows: number; readonly hash: string } {
  const cells = columns.map((column) => `typeof("${column}"), CAST("${column}" AS BLOB)`);
  const sums = [0n, 0n, 0n, 0n];
  let rows = 0;
  const all = handle
    .prepare(`SELECT ${cells.join(', ')} FROM "${table}"`)
    .raw()
    .iterate();
  for (const row of all as IterableIterator<(string | Buffer | null)[]>) {
    const digest = hashRow(row);
    for (const at of sums.keys()) sums[at] = BigInt.asUintN(64, sums[at]! + digest.readBigUInt64BE(at * 8));
    rows += 1;
  }
  return { rows, hash: `${rows}:${sums.map((sum) => sum.toString(16).padStart(16, '0')).join('')}` };
}

function hashRow(row: readonly (string | Buffer | null)[]): Buffer {
  const hash = createHash('sha256');
  for (let at = 0; at < row.length; at += 2) {
    const value = row[at + 1] as Buffer | null;
    hash.update(`${String(row[at])} ${value?.length ?? 0} `);
    if (value !== null) hash.update(value);
  }
  return hash.digest();
}
