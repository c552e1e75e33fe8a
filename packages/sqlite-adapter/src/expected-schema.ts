import { displayPath } from '@deespec/domain';
import { normalizedSql } from '@deespec/migration-engine';
import type { Database } from 'better-sqlite3';

import { openHandle } from './handle.js';
import { schemaScripts } from './scripts.js';

/** One object of a schema, as `sqlite_schema` has it. */
export interface SchemaObject {
  readonly type: string;
  readonly name: string;
  readonly tbl_name: string;
  readonly sql: string | null;
}

/** One object that is not as the scripts make it. Names are for display. */
export interface SchemaDifference {
  /** `disguised`: an object of another type has the name of ours. */
  readonly kind: 'missing' | 'extra' | 'changed' | 'disguised' | 'twice';
  readonly type: string;
  readonly name: string;
  /** What the scripts make; absent when they make no such object. */
  readonly expected?: SchemaObject;
  /** What is there; absent when nothing is. */
  readonly found?: SchemaObject;
}

/** SQL of one object above which it is not read: ours has under 2,000 bytes. */
const SQL_BYTES = 65_536;
/** Objects that are read at most. */
const MOST_OBJECTS = 1_000;

const replayed = new Map<number, readonly SchemaObject[]>();

/**
 * What the scripts of this program produce, SQLite's own objects included: replayed once in memory. The statistics tables
 * of `ANALYZE` come into being later and may be missing.
 *
 * @param version - counted from 1; absent: the newest
 */
export function expectedSchema(version = schemaScripts().length): readonly SchemaObject[] {
  const known = replayed.get(version);
  if (known !== undefined) return known;
  const handle = openHandle(':memory:', 'build');
  try {
    for (const { up } of schemaScripts().slice(0, version)) handle.exec(up);
    handle.exec('ANALYZE');
    const objects = liveSchema(handle);
    replayed.set(version, objects);
    return objects;
  } finally {
    handle.close();
  }
}

/** What a database has. Reads nothing but `sqlite_schema`, and little of it. */
export function liveSchema(handle: Database): SchemaObject[] {
  const short = ['type', 'name', 'tbl_name', 'sql'].map(
    (column) =>
      `CASE WHEN octet_length(${column}) > ${SQL_BYTES} THEN 'too long' ELSE ${column} END AS ${column}`,
  );
  return handle
    .prepare(
      `SELECT ${short.join(', ')} FROM (SELECT * FROM sqlite_schema LIMIT ${MOST_OBJECTS}) ORDER BY 1, 2`,
    )
    .all() as SchemaObject[];
}

/** Compares what a database has with what the scripts make, object by object; comments and spaces in their SQL do not count. */
export function schemaDifferences(handle: Database, version: number): SchemaDifference[] {
  const live = new Map<string, SchemaObject>();
  const differences: SchemaDifference[] = [];
  for (const found of liveSchema(handle)) {
    if (live.has(keyOf(found))) differences.push({ kind: 'twice', ...named(found), found });
    live.set(keyOf(found), found);
  }
  const missing: SchemaObject[] = [];
  for (const expected of expectedSchema(version)) {
    const found = live.get(keyOf(expected));
    live.delete(keyOf(expected));
    if (found === undefined) missing.push(expected);
    else if (!isSameObject(found, expected)) {
      differences.push({ kind: 'changed', ...named(expected), expected, found });
    }
  }
  const extra = [...live.values()];
  for (const expected of missing) {
    const at = extra.findIndex(({ name }) => name === expected.name);
    const [found] = at < 0 ? [] : extra.splice(at, 1);
    if (found !== undefined) differences.push({ kind: 'disguised', ...named(expected), expected, found });
    else if (!mayBeMissing(expected)) differences.push({ kind: 'missing', ...named(expected), expected });
  }
  return [...differences, ...extra.map((found) => ({ kind: 'extra' as const, ...named(found), found }))];
}

/** True when two definitions mean the same. */
export function isSameObject(one: SchemaObject, other: SchemaObject): boolean {
  if (one.tbl_name !== other.tbl_name) return false;
  return one.sql === other.sql || normalizedSql(String(one.sql)) === normalizedSql(String(other.sql));
}

/** SQLite's statistics are made by `ANALYZE`, not by a script. */
function mayBeMissing({ name }: SchemaObject): boolean {
  return /^sqlite_stat[14]$/u.test(name);
}

/** Names an object within a schema. */
export function keyOf({ type, name }: SchemaObject): string {
  return `${type} ${name}`;
}

function named({ type, name }: SchemaObject): Pick<SchemaDifference, 'type' | 'name'> {
  return { type: printable(type), name: printable(name) };
}

/** A name for people, whatever somebody wrote into the schema. */
function printable(text: unknown): string {
  return displayPath(Buffer.from(String(text)).toString('latin1')).slice(0, 100);
}
