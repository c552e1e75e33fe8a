import { displayPath, isStorageError, StorageError } from '@deespec/domain';
import { applyUp, planUp } from '@deespec/migration-engine';
import type { Database } from 'better-sqlite3';

import { openHandle } from './handle.js';
import { SqliteSchemaStore } from './migration-store.js';
import { schemaScripts } from './scripts.js';
import { toStorageError } from './sqlite-error.js';

/** One object of a schema, as `sqlite_schema` has it. */
export interface SchemaObject {
  readonly type: string;
  readonly name: string;
  readonly tbl_name: string;
  readonly sql: string | null;
}

/** SQL of one object above which it is not read: ours has under 2,000 bytes. */
const SQL_BYTES = 65_536;
/** Objects that are read at most. */
const MOST_OBJECTS = 1_000;
/** Objects that an error names. */
const NAMED = 20;

const expected = new Map<number, readonly SchemaObject[]>();

/**
 * What the scripts of this program produce, SQLite's own objects included: replayed once in memory. The statistics tables
 * of `ANALYZE` come into being later and may be missing.
 *
 * @param version - counted from 1; absent: the newest
 */
export function expectedSchema(version = schemaScripts().length): readonly SchemaObject[] {
  let objects = expected.get(version);
  if (objects === undefined) {
    const handle = openHandle(':memory:', 'build');
    applyUp(new SqliteSchemaStore(handle, () => new Date(0)), schemaScripts().slice(0, version));
    handle.exec('ANALYZE');
    objects = liveSchema(handle);
    handle.close();
    expected.set(version, objects);
  }
  return objects;
}

/** Creates the schema in an empty database, or brings the one of {@link requireSchema} up to date. */
export function applySchema(handle: Database, now: () => Date): void {
  applyUp(new SqliteSchemaStore(handle, now), schemaScripts());
}

/** Which schema versions an opener takes. */
export interface SchemaOptions {
  /** `allowed`: an earlier version of this program's schema, which is to be brought up to date, is no error. */
  readonly older?: 'refused' | 'allowed';
}

/**
 * Proves at open that the database has exactly a schema of this program, before any other statement runs on it.
 *
 * @returns the schema version
 * @throws StorageError `SCHEMA.OLDER`, `DATABASE.NEWER`, `MIGRATION.MISSING`, `MIGRATION.CHECKSUM_MISMATCH`, or
 *   `SCHEMA.DRIFT` naming the objects that differ; `DATABASE.CORRUPT` when SQLite cannot make sense of its schema
 */
export function requireSchema(handle: Database, { older = 'refused' }: SchemaOptions = {}): number {
  let version: number;
  try {
    version = checkedVersion(handle);
  } catch (error) {
    const known = toStorageError(error, handle.name);
    if (!isStorageError(known, 'SQLITE.FAILED') || known.details['sqlite'] !== 'SQLITE_ERROR') throw known;
    throw new StorageError('SCHEMA.DRIFT', known.message, {
      hint: REBUILD,
      details: known.details,
      cause: error,
    });
  }
  const newest = schemaScripts().length;
  if (version === newest || older === 'allowed') return version;
  throw new StorageError(
    'SCHEMA.OLDER',
    `the database ${handle.name} has schema version ${version}; this program works on version ${newest}`,
    {
      hint: 'run "deespec migrate", which brings a copy up to date and puts it in its place',
      details: { database: version, program: newest },
    },
  );
}

const REBUILD =
  'somebody changed the database by hand: move it away and run "deespec migrate" to build it anew from the files';

function checkedVersion(handle: Database): number {
  const newest = schemaScripts().length;
  const marked = handle.pragma('user_version', { simple: true }) as number;
  const version = marked >= 1 && marked < newest ? marked : newest;
  const drift = schemaDrift(handle, version);
  // A view or trigger of somebody else must not run: no table is read while any object differs.
  if (drift.length > 0 && marked > newest) throw newer(marked, newest);
  if (drift.length > 0) throw driftError(drift);
  const pending = planUp(schemaScripts(), new SqliteSchemaStore(handle, () => new Date()).listApplied());
  const applied = newest - pending.length;
  if (applied < version) {
    throw new StorageError(
      'MIGRATION.MISSING',
      `schema version ${applied + 1} has no record in schema_version`,
      {
        hint: 'restore the database from a backup, or move it away and run "deespec migrate"',
      },
    );
  }
  if (marked !== applied) throw driftError([`user_version is ${marked} instead of ${applied}`]);
  return version;
}

function newer(database: number, program: number): StorageError {
  return new StorageError(
    'DATABASE.NEWER',
    `the database has schema version ${database}; this program knows versions up to ${program}`,
    { hint: 'use the newer version of deespec that wrote it', details: { database, program } },
  );
}

function driftError(drift: readonly string[]): StorageError {
  const more = drift.length > NAMED ? `; and ${drift.length - NAMED} more` : '';
  const named = drift.slice(0, NAMED);
  return new StorageError(
    'SCHEMA.DRIFT',
    `the schema is not what the scripts produce: ${named.join('; ')}${more}`,
    { hint: REBUILD, details: { drift: named } },
  );
}

/** SQLite's statistics are made by `ANALYZE`, not by a script. */
function mayBeMissing({ name }: SchemaObject): boolean {
  return /^sqlite_stat[14]$/u.test(name);
}

function schemaDrift(handle: Database, version: number): string[] {
  const key = ({ type, name }: SchemaObject) => `${printable(type)} ${printable(name)}`;
  const objects = liveSchema(handle);
  const live = new Map(objects.map((object) => [key(object), object]));
  const drift: string[] = [];
  if (live.size < objects.length) drift.push('an object is listed twice');
  for (const object of expectedSchema(version)) {
    const found = live.get(key(object));
    live.delete(key(object));
    if (found === undefined) {
      if (!mayBeMissing(object)) drift.push(`${key(object)} is missing`);
    } else if (found.sql !== object.sql || found.tbl_name !== object.tbl_name) {
      drift.push(`${key(object)} differs`);
    }
  }
  return [...drift, ...[...live.keys()].map((name) => `${name} is not ours`)];
}

/** A name for people, whatever somebody wrote into the schema. */
function printable(text: unknown): string {
  return displayPath(Buffer.from(String(text)).toString('latin1')).slice(0, 100);
}

/** Reads nothing but `sqlite_schema`, and little of it. */
function liveSchema(handle: Database): SchemaObject[] {
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
