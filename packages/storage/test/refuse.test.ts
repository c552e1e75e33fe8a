import { damageTree, type Damage } from '@deespec/trees';
import type { ErrorCode, Finding } from '@deespec/domain';
import { afterAll, describe, expect, test } from '@jest/globals';
import Database from 'better-sqlite3';
import { execFileSync } from 'node:child_process';
import { copyFileSync, lstatSync, mkdirSync, renameSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { digest, exportTree, migrate, openIndex, readStatus, verify } from '../src/index.js';
import {
  diff,
  expectError,
  expectNothingPublished,
  generatedTree,
  listing,
  migratedTree,
  put,
  removeDirectories,
  rows,
  runsOf,
  sha256,
  temporaryDirectory,
} from './support.js';

afterAll(removeDirectories);

/** A database with the tables of the newer Go tool. */
function writeGoDatabase(path: string): void {
  const handle = new Database(path);
  handle.pragma('journal_mode = WAL');
  handle.exec(`
    CREATE TABLE schema_migrations (version uint64, dirty bool);
    CREATE TABLE sbis (id TEXT PRIMARY KEY, title TEXT);
    CREATE TABLE pbis (id TEXT PRIMARY KEY);
    CREATE TABLE epics (id TEXT PRIMARY KEY);
    INSERT INTO sbis VALUES ('SBI-1', 'keep me');`);
  handle.close();
}

const foreign: readonly [string, ErrorCode, (path: string) => void][] = [
  ['a database of the newer Go tool', 'DATABASE.FOREIGN', writeGoDatabase],
  ['an empty file', 'DATABASE.EMPTY_FILE', (path) => put(dirname(path), 'deespec.db', '')],
  [
    'a text file',
    'DATABASE.NOT_SQLITE',
    (path) => put(dirname(path), 'deespec.db', 'not a database\n'.repeat(20)),
  ],
  ['a short text file', 'DATABASE.NOT_SQLITE', (path) => put(dirname(path), 'deespec.db', 'x')],
];

describe('A file at deespec.db that is not ours', () => {
  test.each(foreign)('%s is refused by every command and stays untouched', async (_, code, write) => {
    const home = generatedTree();
    const database = join(home, 'deespec.db');
    write(database);
    const before = { sha256: sha256(database), stat: lstatSync(database, { bigint: true }).mtimeNs };
    const output = join(temporaryDirectory(), 'export');

    for (const dryRun of [false, true]) await expectError(migrate({ home, dryRun }), code);
    await expectError(verify({ home }), code);
    await expectError(exportTree({ home, output }), code);
    await expectError(openIndex({ home, store: 'sqlite' }), code);

    expect((await readStatus({ home })).database).toMatchObject({ state: 'refused', code });
    expect({ sha256: sha256(database), stat: lstatSync(database, { bigint: true }).mtimeNs }).toEqual(before);
    expect(
      execFileSync('find', [home, '-maxdepth', '1', '-name', 'deespec.db?*'], { encoding: 'utf8' }),
    ).toBe('');
    expect(runsOf(home)).toEqual([]);
  });

  test.each([
    ['a symbolic link', (path: string, other: string) => symlinkSync(other, path)],
    ['a directory', (path: string) => mkdirSync(path)],
    ['a FIFO', (path: string) => execFileSync('mkfifo', [path])],
  ])('%s is refused', async (_, make) => {
    const home = generatedTree();
    const other = join(await migratedTree(), 'deespec.db');
    const before = sha256(other);
    make(join(home, 'deespec.db'), other);

    await expectError(migrate({ home }), 'DATABASE.UNSAFE_LINK');

    expect(sha256(other)).toBe(before);
  });

  test('the database of another tree is refused by every command and stays untouched', async () => {
    const home = generatedTree();
    const other = await migratedTree();
    const database = join(home, 'deespec.db');
    copyFileSync(join(other, 'deespec.db'), database);
    const before = sha256(database);

    await expectError(migrate({ home }), 'DATABASE.OTHER_STORE');
    await expectError(verify({ home, checkAll: true }), 'DATABASE.OTHER_STORE');
    await expectError(openIndex({ home, store: 'sqlite' }), 'DATABASE.OTHER_STORE');

    expect(sha256(database)).toBe(before);
  });
});

describe('A directory that is no tree', () => {
  test('is not found, and gets nothing written into it', async () => {
    const directory = temporaryDirectory();
    put(directory, 'README.md', 'no tree');

    for (const home of [directory, join(directory, 'README.md'), join(directory, 'absent')]) {
      await expectError(migrate({ home }), 'TREE.NOT_FOUND');
      await expectError(verify({ home }), 'TREE.NOT_FOUND');
      await expectError(readStatus({ home }), 'TREE.NOT_FOUND');
    }

    expect(listing(directory, '%P\\0')).toEqual(['', 'README.md']);
  });

  test('is not digested when it is no directory', async () => {
    await expectError(digest({ directory: join(temporaryDirectory(), 'absent') }), 'TREE.NOT_FOUND');
  });
});

const rules: readonly [Damage, string][] = [
  ['bad-id', 'sbi-id-format'],
  ['torn-state', 'json-syntax'],
  ['duplicate-key', 'duplicate-key'],
  ['unknown-status', 'status-known'],
  ['garbage-journal-line', 'journal-syntax'],
  ['zero-filled-spec', 'zero-filled'],
];

describe('A tree with entries that break a rule', () => {
  test.each(rules)('%s: is refused with the finding, and nothing is published', async (damage, rule) => {
    const home = generatedTree();
    const path = damageTree(home, damage);
    const before = listing(home);

    const error = await expectError(migrate({ home }), 'TREE.INVALID');

    const errors = (error.details['findings'] as Finding[]).filter(({ severity }) => severity === 'error');
    expect(errors).toContainEqual(
      expect.objectContaining({ rule, path: expect.stringContaining(dirname(path)) }),
    );
    expect(listing(home)).toEqual(before);
    expectNothingPublished(home);
  });

  test.each(rules)('%s: is kept byte for byte with quarantine', async (damage, rule) => {
    const home = generatedTree();
    damageTree(home, damage);
    const source = await digest({ directory: home });
    const output = join(temporaryDirectory(), 'export');

    const report = await migrate({ home, quarantine: true });

    expect(report.quarantined).toBeGreaterThan(0);
    expect(report.findings).toContainEqual(expect.objectContaining({ rule, severity: 'error' }));
    expect(rows(home, `SELECT path FROM tree_entry WHERE state = 'quarantined'`)).toHaveLength(
      report.quarantined,
    );
    expect(await verify({ home, checkAll: true })).toMatchObject({
      ok: true,
      quarantined: report.quarantined,
    });
    expect(await exportTree({ home, output })).toMatchObject({ digest: source.digest });
    expect(diff(home, output)).toBe('');
  });

  test('lists every finding, not the first alone', async () => {
    const home = generatedTree();
    const broken = ['bad-id', 'unknown-status', 'garbage-journal-line', 'zero-filled-spec'] as const;
    for (const damage of broken) damageTree(home, damage);

    const error = await expectError(migrate({ home }), 'TREE.INVALID');

    const found = new Set((error.details['findings'] as Finding[]).map(({ rule }) => rule));
    expect([...found]).toEqual(
      expect.arrayContaining(['sbi-id-format', 'status-known', 'journal-syntax', 'zero-filled']),
    );
  });

  test('is refused again when it was quarantined before, and the database stays', async () => {
    const home = generatedTree();
    damageTree(home, 'unknown-status');
    await migrate({ home, quarantine: true });
    const before = sha256(join(home, 'deespec.db'));

    await expectError(migrate({ home }), 'TREE.INVALID');

    expect(sha256(join(home, 'deespec.db'))).toBe(before);
  });

  test('gets its rows when it is mended', async () => {
    const home = generatedTree();
    const state = join(home, damageTree(home, 'unknown-status'));
    const quarantined = await migrate({ home, quarantine: true });
    put(dirname(state), 'state.json', '{"status":"DONE"}');

    const report = await migrate({ home });

    expect(report).toMatchObject({
      outcome: 'updated',
      quarantined: 0,
      rows: { sbi: quarantined.rows.sbi + 1 },
    });
    expect((await verify({ home, checkAll: true })).differences).toEqual([]);
  });

  test('a torn last journal line is a warning and no reason to refuse', async () => {
    const home = generatedTree();
    damageTree(home, 'torn-journal');

    const report = await migrate({ home });

    expect(report.findings).toContainEqual(
      expect.objectContaining({ rule: 'journal-torn-line', severity: 'warning' }),
    );
  });
});

describe('A mode', () => {
  test.each<[unknown, ErrorCode]>([
    ['sqlite', 'MODE.NOT_GRANTED'],
    ['DUAL_WRITE', 'MODE.NOT_GRANTED'],
    ['files', 'MODE.UNKNOWN'],
    [null, 'MODE.UNKNOWN'],
    ['__proto__', 'MODE.UNKNOWN'],
  ])('%p that setting.json asks for is refused', async (mode, code) => {
    const home = generatedTree();
    put(home, 'setting.json', JSON.stringify({ storage_mode: mode }));

    await expectError(migrate({ home }), code);
    await expectError(openIndex({ home }), code);

    expectNothingPublished(home);
  });

  test('file, in either vocabulary, is granted', async () => {
    const home = generatedTree();
    put(home, 'setting.json', '{"storage_mode":"FILE_ONLY"}');

    expect((await migrate({ home })).outcome).toBe('created');
  });
});

describe('An entry that cannot be stored', () => {
  test('is refused at once, without waiting for it', async () => {
    const home = generatedTree();
    execFileSync('mkfifo', [join(home, 'specs/pipe')]);

    const error = await expectError(migrate({ home, quarantine: true }), 'FILE.SPECIAL');

    expect(error.message).toContain('specs/pipe');
    expectNothingPublished(home);
  });
});

describe('A tree behind a symbolic link', () => {
  test('is resolved once', async () => {
    const home = generatedTree();
    const real = `${home}-real`;
    renameSync(home, real);
    symlinkSync(real, home);

    const report = await migrate({ home });

    expect(report.home).toBe(real);
    expect((await verify({ home, checkAll: true })).ok).toBe(true);
  });
});
