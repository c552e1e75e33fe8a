import { applyUp } from '@deespec/migration-engine';
import { afterAll, describe, expect, test } from '@jest/globals';
import BetterSqlite3, { type Database } from 'better-sqlite3';
import { join } from 'node:path';

import {
  checkIndex,
  openHandle,
  openSqliteStorage,
  requireSchema,
  schemaScripts,
  SqliteLoader,
} from '../src/index.js';
import { SqliteSchemaStore } from '../src/migration-store.js';
import { createState, readState } from '../src/storage-state.js';
import { directory, removeDirectories, state } from './support.js';

afterAll(removeDirectories);

const time = '2026-01-02T03:04:05.000000000Z';
const id = 'SBI-01M810CC01J2AAPQZVYRK1YMJR';

/** A database of schema version 1 with a row in each table. */
function versionOne(): string {
  const path = join(directory(), 'deespec.db');
  const handle = openHandle(path, 'build');
  applyUp(new SqliteSchemaStore(handle, () => new Date(0)), schemaScripts().slice(0, 1));
  createState(handle, { ...state, mode: 'sqlite_only', epoch: 7 });
  handle.exec(`
    INSERT INTO tree_entry VALUES (CAST('specs' AS BLOB), 'd', 493, 5, '', 0, NULL, NULL, 'stored', NULL, 1);
    INSERT INTO tree_entry VALUES (CAST('specs/sbi' AS BLOB), 'd', 493, 5, '', 0, NULL, NULL, 'stored', NULL, 1);
    INSERT INTO audit_log (timestamp, entity_type, entity_id, action, new_value, path)
      VALUES ('${time}', 'sbi', '${id}', 'register', '{}', CAST('journal/2026-01-02/tx' AS BLOB)),
             ('${time}', 'sbi', '${id}', 'lost', NULL, NULL);
    DELETE FROM audit_log WHERE action = 'lost';
  `);
  handle.close();
  return path;
}

/** Every object and every row. */
function dump(handle: Database): unknown {
  const objects = handle
    .prepare('SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name')
    .all();
  const tables = (objects as { type: string; name: string }[]).filter(({ type }) => type === 'table');
  const rows = tables.map(({ name }) => [name, handle.prepare(`SELECT * FROM "${name}" ORDER BY 1`).all()]);
  return { objects, rows, version: handle.pragma('user_version', { simple: true }) };
}

describe('Schema version 2', () => {
  test('keeps every row, and its down script restores version 1 with every row', () => {
    const handle = new BetterSqlite3(versionOne());
    const before = dump(handle);

    applyUp(new SqliteSchemaStore(handle, () => new Date(0)), schemaScripts().slice(0, 2));

    expect(requireSchema(handle, { older: 'allowed' })).toBe(2);
    expect(readState(handle)).toMatchObject({ mode: 'sqlite_only', epoch: 7 });
    expect(handle.prepare('SELECT action, path IS NULL AS own, seq, hash FROM audit_log').all()).toEqual([
      { action: 'register', own: 0, seq: null, hash: null },
    ]);
    const cells = `'f', 420, '${'a'.repeat(64)}', 1, 2, 3, '18446744073709551615', 4`;
    handle.exec(`
      INSERT INTO projection VALUES (CAST('a' AS BLOB), ${cells});
      INSERT INTO outbox (path, seq, rev, since) VALUES (CAST('a' AS BLOB), 0, 1, '${time}');
      INSERT INTO journal_event VALUES ('${id}', 1, 0, '{}');
      INSERT INTO journal_state VALUES (1, '${'a'.repeat(64)}', 3, 1, 1);
    `);

    handle.exec(schemaScripts()[1]!.down);

    expect(dump(handle)).toEqual(before);
    expect(handle.pragma('integrity_check')).toEqual([{ integrity_check: 'ok' }]);
    handle.close();
  });

  test('keeps changes of the chain as rows of the log when it goes down', () => {
    const handle = new BetterSqlite3(versionOne());
    applyUp(new SqliteSchemaStore(handle, () => new Date(0)), schemaScripts().slice(0, 2));
    handle.exec(`INSERT INTO audit_log (timestamp, entity_type, entity_id, action, seq, previous, hash, request_id)
      VALUES ('${time}', 'sbi', '${id}', 'status', 1, '${'0'.repeat(64)}', '${'b'.repeat(64)}', 'r')`);

    handle.exec(schemaScripts()[1]!.down);

    expect(handle.prepare('SELECT action FROM audit_log ORDER BY id').pluck().all()).toEqual([
      'register',
      'status',
    ]);
    handle.close();
  });

  test.each([
    ['a kind', `INSERT INTO projection VALUES (x'61', 'x', 0, '', 0, 0, 0, '1', 0)`],
    ['an inode number', `INSERT INTO projection VALUES (x'61', 'd', 0, '', 0, 0, 0, 'x1', 0)`],
    ['a hash of a directory', `INSERT INTO projection VALUES (x'61', 'd', 0, 'a', 0, 0, 0, '1', 0)`],
    ['a time', `INSERT INTO outbox (path, seq, rev, since) VALUES (x'61', 0, 1, '2026')`],
    ['a revision', `INSERT INTO outbox (path, seq, rev, since) VALUES (x'61', 0, 0, '${time}')`],
    ['a second state', `INSERT INTO journal_state VALUES (2, '${'a'.repeat(64)}', 0, 0, 1)`],
    ['an event', `INSERT INTO journal_event VALUES ('x', 1, 0, '{')`],
    [
      'a hash',
      `INSERT INTO audit_log (timestamp, entity_type, entity_id, action, hash) VALUES ('${time}', '', '', '', 'x')`,
    ],
  ])('refuses %s that is none', (_, sql) => {
    const handle = new BetterSqlite3(versionOne());
    applyUp(new SqliteSchemaStore(handle, () => new Date(0)), schemaScripts().slice(0, 2));

    expect(() => handle.exec(sql)).toThrow(/CHECK constraint failed/u);
    handle.close();
  });
});

describe('A database of schema version 1', () => {
  const older = { code: 'SCHEMA.OLDER', details: { database: 1, program: schemaScripts().length } };

  test('is refused where it is to be worked on, and is not changed', async () => {
    const path = versionOne();
    const handle = openHandle(path, 'read');
    const before = dump(handle);

    expect(() => requireSchema(handle)).toThrow(expect.objectContaining(older));
    expect(requireSchema(handle, { older: 'allowed' })).toBe(1);
    await expect(openSqliteStorage({ path })).rejects.toMatchObject(older);

    expect(dump(handle)).toEqual(before);
    handle.close();
  });

  test('is brought up to date as a copy, with the time of the script', async () => {
    const path = versionOne();

    SqliteLoader.open({ path, now: () => new Date('2026-02-03T00:00:00Z') }).complete();

    const handle = openHandle(path, 'read');
    expect(requireSchema(handle)).toBe(schemaScripts().length);
    expect(handle.prepare('SELECT applied_at FROM schema_version WHERE version = 2').pluck().get()).toBe(
      '2026-02-03T00:00:00.000000000Z',
    );
    expect(handle.prepare('SELECT count(*) FROM tree_entry').pluck().get()).toBe(2);
    expect((await checkIndex(handle)).map(({ where }) => where)).toEqual(['audit_log']);
    handle.close();
  });

  test.each([
    ['a trigger', 'CREATE TRIGGER t AFTER INSERT ON sbi BEGIN SELECT 1; END', 'SCHEMA.DRIFT'],
    ['a table of version 2', 'CREATE TABLE outbox (a)', 'SCHEMA.DRIFT'],
    ['no record of its script', 'DELETE FROM schema_version', 'MIGRATION.MISSING'],
    [
      'a record of version 2',
      `INSERT INTO schema_version SELECT 2, applied_at, 'dual_storage', '${'0'.repeat(64)}' FROM schema_version`,
      'MIGRATION.CHECKSUM_MISMATCH',
    ],
  ])('with %s is not brought up to date', (_, sql, code) => {
    const path = versionOne();
    const editor = new BetterSqlite3(path);
    editor.exec(sql);
    editor.close();

    expect(() => SqliteLoader.open({ path })).toThrow(expect.objectContaining({ code }));
  });
});
