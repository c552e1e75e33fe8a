import type { SchemaScript } from '@deespec/domain';
import { applyDown, applyUp, loadScripts } from '@deespec/migration-engine';
import { afterAll, describe, expect, test } from '@jest/globals';
import BetterSqlite3 from 'better-sqlite3';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { readTables, requireSchema, schemaScripts, SqliteSchemaStore } from '../src/index.js';
import { directory, removeDirectories } from './support.js';

afterAll(removeDirectories);

const newest = schemaScripts().length;
const next = newest + 1;

/** A version to come, as the strategy document has it: a column with a default, and a property in JSON. */
const coming = scriptOf(
  `ALTER TABLE sbi ADD COLUMN new_field TEXT NOT NULL DEFAULT '';
   UPDATE sbi SET metadata = json_set(metadata, '$.new_property', 'value');
   UPDATE schema_info SET value = '${next}' WHERE key = 'min_writer';`,
  `UPDATE sbi SET metadata = json_remove(metadata, '$.new_property');
   ALTER TABLE sbi DROP COLUMN new_field;
   UPDATE schema_info SET value = '3' WHERE key = 'min_writer';`,
);

function scriptOf(up: string, down: string): SchemaScript {
  const { checksum, normalized } = loadScripts([
    { name: '001_coming.up.sql', text: up },
    { name: '001_coming.down.sql', text: down },
  ])[0]!;
  return { version: next, name: 'coming', up, down, checksum, normalized };
}

function migratedDatabase(): BetterSqlite3.Database {
  const handle = new BetterSqlite3(join(directory(), 'deespec.db'));
  handle.exec(readFileSync(new URL('./fixtures/schema-1.sql', import.meta.url), 'utf8'));
  applyUp(storeOf(handle), schemaScripts());
  return handle;
}

const storeOf = (handle: BetterSqlite3.Database): SqliteSchemaStore =>
  new SqliteSchemaStore(handle, () => new Date(0));

describe('A version to come', () => {
  test('adds a column with a default and a property, and loses nothing that it does not know', () => {
    const handle = migratedDatabase();
    const before = readTables(handle);
    const [{ metadata }] = handle.prepare('SELECT metadata FROM sbi').all() as [{ metadata: string }];

    applyUp(storeOf(handle), [...schemaScripts(), coming]);

    const row = handle.prepare('SELECT new_field, metadata FROM sbi').get() as Record<string, string>;
    expect(row['new_field']).toBe('');
    expect(JSON.parse(row['metadata']!)).toEqual({ ...JSON.parse(metadata), new_property: 'value' });
    expect(row['metadata']).toContain('9007199254740993');

    applyDown(storeOf(handle), [...schemaScripts(), coming], newest);

    expect(requireSchema(handle)).toBe(newest);
    expect(readTables(handle)).toEqual(before);
    handle.close();
  });

  test('is refused by this program, which says what it needs and reads nothing of it', () => {
    const handle = migratedDatabase();
    applyUp(storeOf(handle), [...schemaScripts(), coming]);

    expect(() => requireSchema(handle)).toThrow(
      expect.objectContaining({
        code: 'DATABASE.NEWER',
        hint: expect.stringContaining(`schema ${next} or later`),
        details: { database: next, program: newest, minReader: 3, minWriter: next },
      }),
    );
    handle.close();
  });
});
