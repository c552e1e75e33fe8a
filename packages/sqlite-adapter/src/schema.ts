import { isStorageError, StorageError, type AppliedScript } from '@deespec/domain';
import { applyUp, planUp } from '@deespec/migration-engine';
import type { Database } from 'better-sqlite3';

import { expectedSchema, isSameObject, liveSchema, schemaDifferences } from './expected-schema.js';
import { SqliteSchemaStore } from './migration-store.js';
import { driftError, REBUILD } from './schema-drift.js';
import { schemaScripts } from './scripts.js';
import { toStorageError } from './sqlite-error.js';
import { atMost } from './stored-cell.js';

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
 *   one that {@link isDrift}, naming the objects that differ; `DATABASE.CORRUPT` when SQLite cannot make sense of its schema
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
      hint: 'run "deespec schema up", which keeps a verified backup of it',
      details: { database: version, program: newest },
    },
  );
}

const driftCodes = [
  'SCHEMA.DRIFT',
  'SCHEMA.MISSING_OBJECT',
  'SCHEMA.EXTRA_OBJECT',
  'SCHEMA.DISGUISED_OBJECT',
] as const;

/** True for an error that says that the live schema is not what the scripts produce. */
export function isDrift(error: unknown): error is StorageError {
  return driftCodes.some((code) => isStorageError(error, code));
}

function checkedVersion(handle: Database): number {
  const newest = schemaScripts().length;
  const marked = markedVersion(handle);
  const version = marked >= 1 && marked < newest ? marked : newest;
  const drift = schemaDifferences(handle, version);
  // A view or trigger of somebody else must not run: no table is read while any object differs.
  if (drift.length > 0 && marked > newest) throw newer(handle, marked);
  if (drift.length > 0) throw driftError(drift);
  const applied = new SqliteSchemaStore(handle, () => new Date()).listApplied();
  if ((applied.at(-1)?.version ?? 0) > newest) throw newer(handle, applied.at(-1)!.version);
  planUp(schemaScripts(), applied);
  if (applied.length < version) {
    throw new StorageError(
      'MIGRATION.MISSING',
      `schema version ${applied.length + 1} has no record in schema_version`,
      {
        hint: 'restore the database from a backup, or move it away and run "deespec migrate"',
      },
    );
  }
  if (marked === applied.length) return version;
  throw new StorageError(
    'SCHEMA.DRIFT',
    `the schema is not what the scripts produce: user_version is ${marked} instead of ${applied.length}`,
    { hint: REBUILD, details: { drift: [`user_version is ${marked} instead of ${applied.length}`] } },
  );
}

/** The version that the file is marked with; 0 when it is not. */
export function markedVersion(handle: Database): number {
  return handle.pragma('user_version', { simple: true }) as number;
}

/**
 * What a program must know to work on a database. This program asks for the very version all the same (docs/adr/0014); it passes on
 * what the database says.
 */
export interface SchemaNeeds {
  /** Lowest schema version to read it. */
  readonly reader: number;
  /** Lowest schema version to write it. */
  readonly writer: number;
}

/** What `schema_info` asks of programs; `undefined` when it does not say, or is not the table that the scripts make. */
export function readNeeds(handle: Database): SchemaNeeds | undefined {
  if (!isGenuine(handle, 'schema_info')) return undefined;
  const value = handle
    .prepare(`SELECT ${atMost('value', 20)} AS value FROM schema_info WHERE key = ?`)
    .pluck();
  const [reader, writer] = ['min_reader', 'min_writer'].map((key) => Number(value.get(key)));
  return Number.isSafeInteger(reader) && Number.isSafeInteger(writer)
    ? { reader: reader!, writer: writer! }
    : undefined;
}

/**
 * The records of the applied scripts, read although the rest of the schema may be anything: nothing but `schema_version` is asked,
 * and only when it is the table that the scripts make. For people who want to know where a database stands.
 */
export function readApplied(handle: Database): readonly AppliedScript[] | undefined {
  return isGenuine(handle, 'schema_version')
    ? new SqliteSchemaStore(handle, () => new Date()).listApplied()
    : undefined;
}

/** True when the one object of this name is as some version of this program makes it. */
function isGenuine(handle: Database, name: string): boolean {
  const found = liveSchema(handle).filter((object) => object.name === name);
  const versions = schemaScripts().map(({ version }) => expectedSchema(version));
  const ours = versions.flatMap((objects) => objects.filter((object) => object.name === name));
  return (
    found.length === 1 && ours.some((one) => one.type === found[0]!.type && isSameObject(one, found[0]!))
  );
}

function newer(handle: Database, database: number): StorageError {
  const program = schemaScripts().length;
  const needs = readNeeds(handle);
  return new StorageError(
    'DATABASE.NEWER',
    `the database has schema version ${database}; this program knows versions up to ${program}`,
    {
      hint: `use a newer version of deespec, one of which "deespec version" says schema ${database} or later`,
      details: {
        database,
        program,
        ...(needs === undefined ? {} : { minReader: needs.reader, minWriter: needs.writer }),
      },
    },
  );
}
