import type { SchemaScript, StorageError } from '@deespec/domain';
import { applyUp } from '@deespec/migration-engine';
import { afterAll, describe, expect, test } from '@jest/globals';
import BetterSqlite3 from 'better-sqlite3';

import { isDrift, openHandle, requireSchema, schemaScripts } from '../src/index.js';
import { SqliteSchemaStore } from '../src/migration-store.js';
import { emptyDatabase, removeDirectories } from './support.js';

afterAll(removeDirectories);

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
  editor.unsafeMode();
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

  test('marks the file as ours and records each script with its checksums and how long it took', () => {
    const handle = openHandle(emptyDatabase(), 'read');
    const scripts = schemaScripts();
    const anyNumber: unknown = expect.any(Number);

    expect(handle.pragma('application_id', { simple: true })).toBe(0x44455350);
    expect(handle.pragma('user_version', { simple: true })).toBe(scripts.length);
    expect(handle.prepare('SELECT * FROM schema_version ORDER BY version').all()).toEqual(
      scripts.map(({ version, name, checksum, normalized }) => ({
        version,
        applied_at: '2026-01-02T03:04:05.000000000Z',
        description: name,
        checksum,
        normalized,
        // The first two ran before there was a place for it.
        duration_ms: version < 3 ? null : anyNumber,
      })),
    );
    expect(handle.prepare(`SELECT value FROM schema_info WHERE key = 'version'`).pluck().get()).toBe(
      String(scripts.length),
    );
    handle.close();
  });

  test.each([
    [
      'a dropped index',
      'DROP INDEX idx_sbi_status',
      'SCHEMA.MISSING_OBJECT: index idx_sbi_status is missing',
    ],
    [
      'an added trigger',
      'CREATE TRIGGER t AFTER INSERT ON sbi BEGIN DELETE FROM sbi; END',
      'SCHEMA.EXTRA_OBJECT: trigger t is not ours',
    ],
    [
      'a view posing as a table',
      'DROP TABLE evidence; CREATE VIEW evidence AS SELECT 1',
      /^SCHEMA.DISGUISED_OBJECT: .*table evidence is missing; view evidence is not ours/u,
    ],
    ['an added column', 'ALTER TABLE sbi ADD COLUMN extra TEXT', 'SCHEMA.DRIFT: table sbi differs'],
    [
      'an index that was dropped beside one that was added',
      'DROP INDEX idx_sbi_status; CREATE INDEX i ON sbi (label)',
      'SCHEMA.DRIFT: index idx_sbi_status is missing; index i is not ours',
    ],
  ])('names %s', (_, sql, expected) => {
    const error = errorAfter(sql) as StorageError;

    const { drift } = error.details as { drift: string[] };
    expect(`${error.code}: ${drift.join('; ')}`).toMatch(expected);
    expect(isDrift(error)).toBe(true);
  });

  test('names a script that was edited after it was applied, a missing record and a newer database', () => {
    const [newest] = schemaScripts().toReversed();
    const further = `SELECT ${newest!.version + 1}, applied_at, 'x', checksum, normalized, 0 FROM schema_version`;

    expect(
      errorAfter(`UPDATE schema_version SET checksum = '${'0'.repeat(64)}', normalized = checksum`),
    ).toMatchObject({ code: 'MIGRATION.CHECKSUM_MISMATCH' });
    expect(errorAfter('DELETE FROM schema_version')).toMatchObject({ code: 'MIGRATION.MISSING' });
    expect(errorAfter('DELETE FROM schema_version WHERE version = 2')).toMatchObject({
      code: 'MIGRATION.MISSING',
      details: { version: 2 },
    });
    expect(
      errorAfter(
        `INSERT INTO schema_version ${further} WHERE version = 1; PRAGMA user_version = ${newest!.version + 1}`,
      ),
    ).toMatchObject({ code: 'DATABASE.NEWER' });
  });

  test('takes a script that was only laid out anew, and an object whose comments differ', () => {
    const relaid = `UPDATE schema_version SET checksum = '${'0'.repeat(64)}' WHERE version = 3`;
    const comment = `PRAGMA writable_schema = ON;
      UPDATE sqlite_schema SET sql = replace(sql, '-- Above 1 MiB', '-- From 1 MiB on') WHERE name = 'content'`;

    expect(errorAfter(relaid)).toBeUndefined();
    expect(errorAfter(comment)).toBeUndefined();
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
