import { StorageError } from '@deespec/domain';
import { applyUp, planUp } from '@deespec/migration-engine';
import type { Database } from 'better-sqlite3';

import { openHandle } from './handle.js';
import { SqliteSchemaStore } from './migration-store.js';
import { schemaScripts } from './scripts.js';

/** One object of a schema, as `sqlite_schema` has it. */
export interface SchemaObject {
  readonly type: string;
  readonly name: string;
  readonly tbl_name: string;
  readonly sql: string | null;
}

let expected: SchemaObject[] | undefined;

/** What the scripts of this program produce: replayed once in memory. */
export function expectedSchema(): readonly SchemaObject[] {
  if (expected === undefined) {
    const handle = openHandle(':memory:', 'build');
    applyUp(new SqliteSchemaStore(handle, () => new Date(0)), schemaScripts());
    expected = liveSchema(handle);
    handle.close();
  }
  return expected;
}

/** Creates the schema in an empty database. */
export function createSchema(handle: Database, now: () => Date): void {
  applyUp(new SqliteSchemaStore(handle, now), schemaScripts());
}

/**
 * Proves at open that the database has exactly the schema of this program, before any other statement runs on it.
 *
 * @returns the schema version
 * @throws StorageError `DATABASE.NEWER`, `MIGRATION.MISSING`, `MIGRATION.CHECKSUM_MISMATCH`, or `SCHEMA.DRIFT` naming
 *   the objects that differ
 */
export function requireSchema(handle: Database): number {
  const drift = schemaDrift(handle);
  // A view or trigger of somebody else must not run: look at the objects before the rows of schema_version are read.
  const isNewer = (handle.pragma('user_version', { simple: true }) as number) > schemaScripts().length;
  if (drift.length === 0 || isNewer) {
    const pending = planUp(schemaScripts(), new SqliteSchemaStore(handle, () => new Date()).listApplied());
    if (pending.length === 0) return schemaScripts().length;
    throw new StorageError(
      'MIGRATION.MISSING',
      `schema version ${pending[0]!.version} has no record in schema_version`,
      {
        hint: 'restore the database from a backup, or move it away and run "deespec migrate"',
      },
    );
  }
  throw new StorageError('SCHEMA.DRIFT', `the schema is not what the scripts produce: ${drift.join('; ')}`, {
    hint: 'somebody changed the database by hand: move it away and run "deespec migrate" to build it anew from the files',
    details: { drift },
  });
}

function schemaDrift(handle: Database): string[] {
  const key = ({ type, name }: SchemaObject) => `${type} ${name}`;
  const live = new Map(liveSchema(handle).map((object) => [key(object), object]));
  const drift: string[] = [];
  for (const object of expectedSchema()) {
    const found = live.get(key(object));
    live.delete(key(object));
    if (found === undefined) drift.push(`${key(object)} is missing`);
    else if (found.sql !== object.sql || found.tbl_name !== object.tbl_name)
      drift.push(`${key(object)} differs`);
  }
  return [...drift, ...[...live.keys()].map((name) => `${name} is not ours`)];
}

function liveSchema(handle: Database): SchemaObject[] {
  return handle
    .prepare(
      `SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY type, name`,
    )
    .all() as SchemaObject[];
}
