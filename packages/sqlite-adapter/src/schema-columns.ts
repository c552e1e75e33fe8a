import type { Database } from 'better-sqlite3';

import { expectedSchema, keyOf } from './expected-schema.js';
import { openHandle } from './handle.js';
import { schemaScripts } from './scripts.js';

/** A change from one version of the schema to another. */
export interface VersionChange {
  readonly from: number;
  readonly to: number;
}

/** Tables that a change of schema writes itself. */
const ownTables = new Set(['schema_version', 'schema_info']);

/** Columns that follow a change of schema: see `carryRecord`. */
const followingColumns = new Set(['evidence.record', 'evidence.checksum']);

/** What FTS5 keeps of the words, and in which versions it is made anew with other ids; derived, and checked against the bytes. */
const remadeTables = new Set(['search_text_data', 'search_text_idx', 'search_text_docsize']);
const remadeIn = [8, 10];

/** The columns whose values must be the same before and after a change, by table: those that both versions have. */
export function keptColumns({ from, to }: VersionChange): ReadonlyMap<string, readonly string[]> {
  const after = columnsOf(to);
  const kept = [...columnsOf(from)].flatMap(([table, columns]): [string, string[]][] => {
    const staying = after.get(table);
    if (staying === undefined || ownTables.has(table)) return [];
    const isRemade = remadeIn.some((version) => from < version && to >= version);
    if (isRemade && remadeTables.has(table)) return [];
    const isKept = (column: string): boolean =>
      staying.includes(column) &&
      !followingColumns.has(`${table}.${column}`) &&
      !(isRemade && table === 'search_item' && column === 'id');
    return [[table, columns.filter(isKept)]];
  });
  return new Map(kept);
}

/** What a change from one version to another takes away, in words: tables with their rows, columns of tables that stay, indexes. */
export function droppedObjects(handle: Database, change: VersionChange): string[] {
  const left = new Set(expectedSchema(change.to).map(keyOf));
  const gone = expectedSchema(change.from).filter((object) => !left.has(keyOf(object)));
  const tables = gone.filter(({ type }) => type === 'table').map(({ name }) => name);
  const others = gone.filter(({ type, tbl_name }) => type !== 'table' && !tables.includes(tbl_name));
  const rows = (table: string): unknown => handle.prepare(`SELECT count(*) FROM "${table}"`).pluck().get();
  return [
    ...tables.map((table) => `table ${table} (${String(rows(table))} rows)`),
    ...droppedColumns(change),
    ...others.map(({ type, name }) => `${type} ${name}`),
  ];
}

function droppedColumns({ from, to }: VersionChange): string[] {
  const left = columnsOf(to);
  return [...columnsOf(from)].flatMap(([table, columns]) => {
    const staying = left.get(table);
    if (staying === undefined) return [];
    return columns.filter((column) => !staying.includes(column)).map((column) => `column ${table}.${column}`);
  });
}

function columnsOf(version: number): ReadonlyMap<string, readonly string[]> {
  const handle = openHandle(':memory:', 'build');
  try {
    for (const { up } of schemaScripts().slice(0, version)) handle.exec(up);
    const names = handle.prepare('SELECT name FROM pragma_table_info(?)').pluck();
    const tables = expectedSchema(version).filter(
      ({ type, name }) => type === 'table' && !name.startsWith('sqlite_'),
    );
    return new Map(tables.map(({ name }) => [name, names.all(name) as string[]]));
  } finally {
    handle.close();
  }
}
