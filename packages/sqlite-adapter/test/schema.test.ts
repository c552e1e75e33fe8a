import { isStorageError, type SchemaScript } from '@deespec/domain';
import { applyUp } from '@deespec/migration-engine';
import { afterAll, describe, expect, test } from '@jest/globals';
import BetterSqlite3 from 'better-sqlite3';

import { openHandle, requireSchema, schemaScripts } from '../src/index.js';
import { SqliteSchemaStore } from '../src/migration-store.js';
import { emptyDatabase, removeDirectories } from './support.js';

afterAll(removeDirectories);

const newest = schemaScripts().length;

const names = (path: string, type: string): string[] => {
  const handle = openHandle(path, 'read');
  const found = handle
    .prepare('SELECT name FROM sqlite_schema WHERE type = ? ORDER BY name')
    .pluck()
    .all(type);
  handle.close();
  return found as string[];
};

/** Changes the database by hand and returns what opening it says. */
function errorAfter(sql: string): unknown {
  const path = emptyDatabase();
  const editor = new BetterSqlite3(path);
  editor.exec(sql);
  editor.close();
  const handle = openHandle(path, 'read');
  try {
    requireSchema(handle);
    return undefined;
  } catch (error) {
    return error;
  } finally {
    handle.close();
  }
}

describe('Schema', () => {
  test('has the tables, indexes and view of the strategy document', () => {
    const path = emptyDatabase();

    expect(names(path, 'table')).toEqual(
      expect.arrayContaining(['sbi', 'execution', 'config', 'audit_log', 'schema_version', 'schema_info']),
    );
    expect(names(path, 'index')).toEqual(
      expect.arrayContaining([
        'idx_sbi_status',
        'idx_sbi_created',
        'idx_execution_sbi',
        'idx_execution_turn',
        'idx_audit_entity',
        'idx_audit_timestamp',
        'idx_sbi_list',
      ]),
    );
    expect(names(path, 'view')).toEqual(['recent_executions']);
  });

  test('marks the file as ours and records the script with its checksum', () => {
    const handle = openHandle(emptyDatabase(), 'read');

    expect(handle.pragma('application_id', { simple: true })).toBe(0x44455350);
    expect(handle.pragma('user_version', { simple: true })).toBe(newest);
    expect(handle.prepare('SELECT * FROM schema_version ORDER BY version').all()).toEqual(
      schemaScripts().map(({ version, name, checksum }) => ({
        version,
        applied_at: '2026-01-02T03:04:05.000000000Z',
        description: name,
        checksum,
      })),
    );
    expect(handle.prepare(`SELECT value FROM schema_info WHERE key = 'version'`).pluck().get()).toBe(
      String(newest),
    );
    handle.close();
  });

  test.each([
    ['a dropped index', 'DROP INDEX idx_sbi_status', 'index idx_sbi_status is missing'],
    [
      'an added trigger',
      'CREATE TRIGGER t AFTER INSERT ON sbi BEGIN DELETE FROM sbi; END',
      'trigger t is not ours',
    ],
    [
      'a view posing as a table',
      'DROP TABLE evidence; CREATE VIEW evidence AS SELECT 1',
      'view evidence is not ours',
    ],
    ['an added column', 'ALTER TABLE sbi ADD COLUMN extra TEXT', 'table sbi differs'],
  ])('names %s', (_, sql, expected) => {
    const error = errorAfter(sql);

    expect(isStorageError(error, 'SCHEMA.DRIFT')).toBe(true);
    expect((error as Error).message).toContain(expected);
  });

  test('names a script that was edited after it was applied, a missing record and a newer database', () => {
    expect(errorAfter(`UPDATE schema_version SET checksum = '${'0'.repeat(64)}'`)).toMatchObject({
      code: 'MIGRATION.CHECKSUM_MISMATCH',
    });
    expect(errorAfter('DELETE FROM schema_version')).toMatchObject({ code: 'MIGRATION.MISSING' });
    expect(
      errorAfter(
        `INSERT INTO schema_version SELECT ${newest + 1}, applied_at, 'x', checksum FROM schema_version WHERE version = 1; PRAGMA user_version = ${newest + 1}`,
      ),
    ).toMatchObject({
      code: 'DATABASE.NEWER',
    });
  });

  test('leaves nothing of a script that fails half-way, and says what was not run', () => {
    const handle = new BetterSqlite3(':memory:');
    const good = schemaScripts()[0]!;
    const bad: SchemaScript = {
      ...good,
      version: 2,
      name: 'bad',
      up: 'CREATE TABLE half (a); CREATE TABLE half (b);',
    };
    const store = new SqliteSchemaStore(handle, () => new Date(0));

    expect(() => applyUp(store, [good, bad, { ...good, version: 3, name: 'never' }])).toThrow(
      expect.objectContaining({
        code: 'MIGRATION.FAILED',
        details: expect.objectContaining({ applied: [1], failed: 2, notRun: [3] }),
      }),
    );
    expect(handle.prepare(`SELECT count(*) FROM sqlite_schema WHERE name = 'half'`).pluck().get()).toBe(0);
    expect(handle.pragma('user_version', { simple: true })).toBe(1);
    handle.close();
  });

  test('applies a version once when two starters race', () => {
    const handle = new BetterSqlite3(':memory:');
    const store = new SqliteSchemaStore(handle, () => new Date(0));

    expect(store.apply(schemaScripts()[0]!)).toBe('applied');
    expect(store.apply(schemaScripts()[0]!)).toBe('already');
    handle.close();
  });

  test('goes down to an empty database', () => {
    const handle = new BetterSqlite3(':memory:');
    applyUp(new SqliteSchemaStore(handle, () => new Date(0)), schemaScripts());

    for (const { down } of schemaScripts().toReversed()) handle.exec(down);

    expect(handle.prepare(`SELECT name FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%'`).all()).toEqual([]);
    handle.close();
  });
});
