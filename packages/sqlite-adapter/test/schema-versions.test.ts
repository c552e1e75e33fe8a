import { applyDown, applyUp } from '@deespec/migration-engine';
import { afterAll, describe, expect, test } from '@jest/globals';
import BetterSqlite3, { type Database } from 'better-sqlite3';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import {
  checkIndex,
  compareTables,
  keptColumns,
  latestEvidence,
  openHandle,
  openSqliteStorage,
  readNeeds,
  readState,
  readTables,
  recordDigest,
  requireSchema,
  schemaScripts,
  SqliteLoader,
  SqliteSchemaStore,
} from '../src/index.js';
import { directory, removeDirectories } from './support.js';

afterAll(removeDirectories);

const newest = schemaScripts().length;
const older = schemaScripts()
  .map(({ version }) => version)
  .filter((version) => version < newest);
const fixture = (version: number): URL => new URL(`./fixtures/schema-${version}.sql`, import.meta.url);

/** A file as a program of that schema version wrote it: a migrated tree in mode `file`. */
function databaseOf(version: number): string {
  const path = join(directory(), 'deespec.db');
  const handle = new BetterSqlite3(path);
  // A dump writes the tables behind the search by themselves.
  handle.unsafeMode();
  handle.exec(readFileSync(fixture(version), 'utf8'));
  handle.close();
  return path;
}

const storeOf = (handle: Database): SqliteSchemaStore =>
  new SqliteSchemaStore(handle, () => new Date('2026-02-03T00:00:00Z'), 'carried');

/** Words that are where versions 8 and 10 put them, and not where they were before: the ids of their rows, and how FTS5 keeps them. */
const movedWords = new Set(['search_item', 'search_text_data', 'search_text_idx', 'search_text_docsize']);

/** Every object that a script made, and every row. */
function dump(handle: Database): unknown {
  const objects = handle
    .prepare(
      `SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite_stat%' ORDER BY 1, 2`,
    )
    .all() as { type: string; name: string }[];
  const tables = objects.filter(({ type }) => type === 'table');
  const rows = tables.map(({ name }) => {
    // The evidence says it of its own rows, and follows them.
    const columns = movedWords.has(name) ? 'count(*)' : name === 'evidence' ? 'run_id, digest, entries' : '*';
    return [name, handle.prepare(`SELECT ${columns} FROM "${name}" ORDER BY 1`).all()];
  });
  return { objects, rows, version: handle.pragma('user_version', { simple: true }) };
}

test('a database of every earlier schema version is kept for these tests', () => {
  expect(older.filter((version) => !existsSync(fixture(version)))).toEqual([]);
});

describe.each(older)('A database that was written by schema version %d', (version) => {
  test('is refused where it is to be worked on, and is not changed', async () => {
    const path = databaseOf(version);
    const handle = openHandle(path, 'read');
    const before = dump(handle);
    const refusal = { code: 'SCHEMA.OLDER', details: { database: version, program: newest } };

    expect(() => requireSchema(handle)).toThrow(expect.objectContaining(refusal));
    expect(requireSchema(handle, { older: 'allowed' })).toBe(version);
    await expect(openSqliteStorage({ path })).rejects.toMatchObject(refusal);

    expect(dump(handle)).toEqual(before);
    handle.close();
  });

  test('goes up with every row, with its evidence, and with an index that its bytes derive to', async () => {
    const handle = new BetterSqlite3(databaseOf(version));
    const kept = keptColumns({ from: version, to: newest });
    const before = readTables(handle, kept);
    const evidence = latestEvidence(handle, 'migrate');
    expect(evidence?.record).toBe(recordDigest(handle));

    applyUp(storeOf(handle), schemaScripts());

    expect(requireSchema(handle)).toBe(newest);
    expect(compareTables(before, readTables(handle, kept))).toEqual([]);
    expect([...before.values()].reduce((sum, { rows }) => sum + rows, 0)).toBeGreaterThan(30);
    expect(latestEvidence(handle, 'migrate')).toEqual({ ...evidence, record: recordDigest(handle) });
    expect(await checkIndex(handle)).toEqual([]);
    expect(readState(handle)).toMatchObject({ mode: 'file', epoch: 1 });
    handle.close();
  });

  test('goes up a version at a time and back to what it was, byte for byte of every row but those of the words', () => {
    const handle = new BetterSqlite3(databaseOf(version));
    const before = dump(handle);

    for (let to = version + 1; to <= newest; to += 1) applyUp(storeOf(handle), schemaScripts(), to);
    for (let to = newest - 1; to >= version; to -= 1) {
      applyDown(storeOf(handle), schemaScripts(), to);
      expect(requireSchema(handle, { older: 'allowed' })).toBe(to);
    }

    expect(dump(handle)).toEqual(before);
    expect(latestEvidence(handle, 'migrate')?.record).toBe(recordDigest(handle));
    expect(handle.pragma('integrity_check')).toEqual([{ integrity_check: 'ok' }]);
    handle.close();
  });

  test('is brought up to date as a copy, with the time of the scripts', async () => {
    const path = databaseOf(version);

    SqliteLoader.open({ path, now: () => new Date('2026-02-03T00:00:00Z') }).complete();

    const handle = openHandle(path, 'read');
    expect(requireSchema(handle)).toBe(newest);
    expect(
      handle.prepare('SELECT applied_at FROM schema_version WHERE version = ?').pluck().get(newest),
    ).toBe('2026-02-03T00:00:00.000000000Z');
    expect(await checkIndex(handle)).toEqual([]);
    handle.close();
  });
});

test('the record of a script that ran before version 3 gets the hash of what it says', () => {
  const handle = new BetterSqlite3(databaseOf(1));

  applyUp(storeOf(handle), schemaScripts());

  expect(
    storeOf(handle)
      .listApplied()
      .map(({ normalized }) => normalized),
  ).toEqual(schemaScripts().map(({ normalized }) => normalized));
  expect(readNeeds(handle)).toEqual({ reader: 3, writer: 10 });
  handle.close();
});

test('a row whose metadata is damaged does not stop a change of schema', () => {
  const handle = new BetterSqlite3(databaseOf(newest - 1));
  handle.pragma('ignore_check_constraints = ON');
  expect(handle.prepare(`UPDATE execution SET metadata = '{'`).run().changes).toBeGreaterThan(0);

  applyUp(storeOf(handle), schemaScripts());

  expect(requireSchema(handle)).toBe(newest);
  handle.close();
});

test('evidence that was not true before a change of schema stays untrue', () => {
  const handle = new BetterSqlite3(databaseOf(2));
  handle.exec(`UPDATE sbi SET priority = priority + 1`);
  const evidence = latestEvidence(handle, 'migrate');

  applyUp(storeOf(handle), schemaScripts());

  expect(latestEvidence(handle, 'migrate')).toEqual(evidence);
  expect(evidence?.record).not.toBe(recordDigest(handle));
  handle.close();
});

test.each([
  ['a trigger', 'CREATE TRIGGER t AFTER INSERT ON sbi BEGIN SELECT 1; END', 'SCHEMA.EXTRA_OBJECT'],
  ['a table of a later version', 'CREATE TABLE outbox (a)', 'SCHEMA.EXTRA_OBJECT'],
  ['no record of its script', 'DELETE FROM schema_version', 'MIGRATION.MISSING'],
  [
    'a record of a later version',
    `INSERT INTO schema_version SELECT 2, applied_at, 'dual_storage', '${'0'.repeat(64)}' FROM schema_version`,
    'MIGRATION.CHECKSUM_MISMATCH',
  ],
])('a database of version 1 with %s is not brought up to date', (_, sql, code) => {
  const path = databaseOf(1);
  const editor = new BetterSqlite3(path);
  editor.exec(sql);
  editor.close();

  expect(() => SqliteLoader.open({ path })).toThrow(expect.objectContaining({ code }));
});
