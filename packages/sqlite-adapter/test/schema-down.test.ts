import { applyDown, applyUp } from '@deespec/migration-engine';
import { afterAll, describe, expect, test } from '@jest/globals';
import BetterSqlite3 from 'better-sqlite3';

import { droppedObjects, schemaScripts, SqliteSchemaStore } from '../src/index.js';
import { emptyDatabase, removeDirectories } from './support.js';

afterAll(removeDirectories);

const time = '2026-01-02T03:04:05.000000000Z';
const hash = 'a'.repeat(64);
const chained = `INSERT INTO audit_log (timestamp, entity_type, entity_id, action, seq, previous, hash)
  VALUES ('${time}', 'sbi', 'x', 'status', 1, '${hash}', '${hash}')`;

const storeOf = (handle: BetterSqlite3.Database): SqliteSchemaStore =>
  new SqliteSchemaStore(handle, () => new Date(0));

describe('Going below schema version 2', () => {
  test.each([
    ['the chain of changes', chained],
    ['files that are owed', `INSERT INTO outbox (path, seq, rev, since) VALUES (x'61', 0, 1, '${time}')`],
    ['what both stores held', `INSERT INTO projection VALUES (x'61', 'd', 0, '', 0, 0, 0, '1', 0)`],
  ])('is refused where it would lose %s, and the versions above it are taken back', (_, sql) => {
    const handle = new BetterSqlite3(emptyDatabase());
    handle.exec(sql);

    expect(() => applyDown(storeOf(handle), schemaScripts(), 1)).toThrow(
      expect.objectContaining({
        code: 'SCHEMA.WOULD_LOSE',
        details: expect.objectContaining({ failed: 2, notRun: [], rows: 1 }),
      }),
    );
    expect(handle.pragma('user_version', { simple: true })).toBe(2);
    handle.close();
  });

  test('is made where nothing but what can be derived again is dropped, and that is named', () => {
    const handle = new BetterSqlite3(emptyDatabase());
    handle.exec(`INSERT INTO journal_event VALUES ('x', 1, 0, '{}')`);

    const drops = droppedObjects(handle, { from: schemaScripts().length, to: 1 });
    applyDown(storeOf(handle), schemaScripts(), 1);

    expect(drops).toEqual(
      expect.arrayContaining([
        'table journal_event (1 rows)',
        'column audit_log.seq',
        'index idx_execution_list',
      ]),
    );
    expect(handle.pragma('user_version', { simple: true })).toBe(1);
    handle.close();
  });

  test('leaves changes of the chain as rows of the log when the script alone is run', () => {
    const handle = new BetterSqlite3(emptyDatabase());
    handle.exec(chained);

    handle.exec(schemaScripts()[1]!.down);

    expect(handle.prepare('SELECT action FROM audit_log').pluck().all()).toEqual(['status']);
    handle.close();
  });
});

describe('A change of schema', () => {
  test('is refused inside a transaction, where foreign keys cannot be switched off', () => {
    const handle = new BetterSqlite3(emptyDatabase());
    handle.pragma('foreign_keys = ON');
    handle.exec('BEGIN');

    expect(() => storeOf(handle).revert(schemaScripts().at(-1)!)).toThrow(
      expect.objectContaining({ code: 'MIGRATION.FAILED', message: expect.stringContaining('foreign keys') }),
    );
    handle.exec('ROLLBACK');
    handle.close();
  });

  test.each([
    ['loses rows', `DELETE FROM config`, 'config has 0 of 1 rows'],
    [
      'breaks a reference',
      `INSERT INTO execution (sbi_id, turn, step, status, started_at) VALUES ('none', 1, 'x', 'x', '${time}');
       DELETE FROM execution WHERE sbi_id <> 'none'`,
      '1 rows break a foreign key',
    ],
  ])('that %s is taken back as a whole', (_, up, message) => {
    const handle = new BetterSqlite3(emptyDatabase());
    handle.pragma('foreign_keys = OFF');
    handle.exec(`INSERT INTO config VALUES ('k', '1', '${time}', x'61');
      INSERT INTO sbi (id, task_id, status, created_at, updated_at, path)
        VALUES ('SBI-01M810CC01J2AAPQZVYRK1YMJR', 't', 'READY', '${time}', '${time}', x'61');
      INSERT INTO execution (sbi_id, turn, step, status, started_at)
        VALUES ('SBI-01M810CC01J2AAPQZVYRK1YMJR', 1, 'x', 'x', '${time}')`);
    const version = schemaScripts().length + 1;
    const script = { version, name: 'bad', up, down: '', checksum: hash, normalized: hash };

    expect(() => applyUp(storeOf(handle), [...schemaScripts(), script])).toThrow(
      expect.objectContaining({ code: 'MIGRATION.FAILED', message: expect.stringContaining(message) }),
    );

    expect(handle.prepare('SELECT count(*) FROM config').pluck().get()).toBe(1);
    expect(handle.pragma('user_version', { simple: true })).toBe(version - 1);
    handle.close();
  });
});

test.each([
  ['a kind', `INSERT INTO projection VALUES (x'61', 'x', 0, '', 0, 0, 0, '1', 0)`],
  ['an inode number', `INSERT INTO projection VALUES (x'61', 'd', 0, '', 0, 0, 0, 'x1', 0)`],
  ['a hash of a directory', `INSERT INTO projection VALUES (x'61', 'd', 0, 'a', 0, 0, 0, '1', 0)`],
  ['a time', `INSERT INTO outbox (path, seq, rev, since) VALUES (x'61', 0, 1, '2026')`],
  ['a revision', `INSERT INTO outbox (path, seq, rev, since) VALUES (x'61', 0, 0, '${time}')`],
  ['a second state', `INSERT INTO journal_state VALUES (2, '${hash}', 0, 0, 1)`],
  ['an event', `INSERT INTO journal_event VALUES ('x', 1, 0, '{')`],
  ['the hash of a script', `UPDATE schema_version SET normalized = 'x'`],
  ['how long a script took', `UPDATE schema_version SET duration_ms = -1`],
  [
    'a hash',
    `INSERT INTO audit_log (timestamp, entity_type, entity_id, action, hash) VALUES ('${time}', '', '', '', 'x')`,
  ],
])('the schema refuses %s that is none', (_, sql) => {
  const handle = new BetterSqlite3(emptyDatabase());

  expect(() => handle.exec(sql)).toThrow(/CHECK constraint failed/u);
  handle.close();
});
