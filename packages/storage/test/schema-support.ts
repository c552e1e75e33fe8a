import { applyDown } from '@deespec/migration-engine';
import {
  openHandle,
  readTables,
  schemaScripts,
  SqliteSchemaStore,
  type TableRows,
} from '@deespec/sqlite-adapter';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** The newest version of the schema. */
export const newest = schemaScripts().length;

/** Takes the published database of a tree back to an earlier schema, as an earlier version had written it. */
export function takeBack(home: string, version: number): void {
  const handle = openHandle(join(home, 'deespec.db'), 'write');
  applyDown(new SqliteSchemaStore(handle, () => new Date(), 'carried'), schemaScripts(), version);
  handle.close();
}

/** Every row of a database but those of its schema's own records. */
export function tablesIn(path: string): ReadonlyMap<string, TableRows> {
  const handle = openHandle(path, 'read');
  try {
    return readTables(handle);
  } finally {
    handle.close();
  }
}

/** Paths of the copies from before changes of the schema, oldest first. */
export function backupsOf(home: string): string[] {
  const directory = join(home, '.storage/copies');
  return existsSync(directory)
    ? readdirSync(directory)
        .sort()
        .map((name) => join(directory, name))
    : [];
}
