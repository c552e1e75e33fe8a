import { schemaScripts } from '@deespec/sqlite-adapter';
import { afterAll, describe, expect, test } from '@jest/globals';
import { chmodSync, linkSync, lstatSync, mkdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

import { migrate, openIndex, readStatus, verify } from '../src/index.js';
import {
  expectError,
  generatedTree,
  listing,
  migratedTree,
  put,
  removeDirectories,
  runsOf,
  sbisWith,
  sha256,
} from './support.js';

afterAll(removeDirectories);

describe('Status', () => {
  test('of a tree without a database leads to a dry run, and writes nothing', async () => {
    const home = generatedTree();
    const before = listing(dirname(home), '%p %T@\\0');

    expect(await readStatus({ home })).toMatchObject({
      home,
      mode: 'file',
      truth: 'files',
      database: { state: 'absent' },
      lock: { held: false },
      goTool: { stateLock: false, runLock: false },
      unfinishedRuns: [],
      nextStep: expect.stringContaining('deespec migrate --dry-run'),
    });
    expect(listing(dirname(home), '%p %T@\\0')).toEqual(before);
  });

  test('of a migrated tree gives rows, evidence and the last scan', async () => {
    const home = generatedTree();
    const report = await migrate({ home });

    const status = await readStatus({ home });

    expect(status).toMatchObject({
      database: {
        state: 'ours',
        schemaVersion: schemaScripts().length,
        epoch: 1,
        bytes: report.databaseBytes,
        rows: report.rows,
      },
      evidence: { digest: report.digest, ...report.equation.stored, differences: 0 },
      lastScan: report.equation.scanned,
      nextStep: expect.stringContaining('deespec verify --check-all'),
    });
    expect(report.rows.sbi).toBe(6);
  });

  test('gives the newest evidence', async () => {
    const home = await migratedTree();
    put(home, 'specs/added.md', 'new');
    await verify({ home, checkAll: true });

    const status = await readStatus({ home });

    expect(status.evidence?.differences).toBeGreaterThan(0);
    expect(status.nextStep).toContain('deespec migrate builds the database from the files again');
  });

  test('counts the files now with scan, and else tells of the last scan', async () => {
    const home = await migratedTree();
    const before = (await readStatus({ home })).lastScan!;
    put(home, 'specs/added.md', 'four');

    expect((await readStatus({ home })).lastScan).toEqual(before);
    expect((await readStatus({ home, scan: true })).lastScan).toMatchObject({
      entries: before.entries + 1,
      bytes: before.bytes + 4,
    });
  });

  test('shows the Go tool at work', async () => {
    const home = generatedTree('A');
    put(home, 'var/state.json', '{"wip":"SBI-1","lease_expires_at":"2026-01-02T03:04:05+09:00"}');
    put(home, 'var/state.lock', '');
    put(home, 'var/runlock', 'garbage');

    expect((await readStatus({ home })).goTool).toEqual({
      stateLock: true,
      runLock: true,
      wip: 'SBI-1',
      leaseUntil: '2026-01-01T18:04:05.000000000Z',
    });
  });

  test('says how to take back a mode that is not granted, and refuses one that is none', async () => {
    const home = generatedTree();
    put(home, 'setting.json', '{"storage_mode":"sqlite"}');
    expect(await readStatus({ home })).toMatchObject({
      mode: 'file',
      requested: 'sqlite',
      nextStep: expect.stringContaining('deespec mode set file'),
    });

    put(home, 'setting.json', '{"storage_mode":"both"}');

    await expectError(readStatus({ home }), 'MODE.UNKNOWN');
  });

  test('says where a tree stands whose setting.json cannot be read', async () => {
    const home = generatedTree();
    put(home, 'setting.json', '{"storage_mode":"file","storage_mode":"sqlite"}');

    expect(await readStatus({ home })).toMatchObject({
      mode: 'file',
      setting: { code: 'LAYOUT.MALFORMED', message: expect.stringContaining('duplicate-key') },
      nextStep: expect.stringContaining('mend setting.json'),
    });
  });

  test('does not need to write', async () => {
    const home = await migratedTree();
    const before = listing(dirname(home), '%p %T@\\0');
    for (const directory of [home, join(home, '.storage')]) chmodSync(directory, 0o555);

    const status = await readStatus({ home, scan: true });

    for (const directory of [home, join(home, '.storage')]) chmodSync(directory, 0o755);
    expect(status.database.state).toBe('ours');
    expect(listing(dirname(home), '%p %T@\\0')).toEqual(before);
  });
});

describe('What a crashed run left', () => {
  test('is shown by status, and removed by the next run', async () => {
    const home = await migratedTree();
    put(home, '.storage/runs/01HZX3YQ4VAXE1C24TYMZ95G6S/deespec.db', 'half a database');

    expect((await readStatus({ home })).unfinishedRuns).toEqual(['01HZX3YQ4VAXE1C24TYMZ95G6S']);
    expect((await verify({ home, checkAll: true })).ok).toBe(true);
    await migrate({ home });

    expect(runsOf(home)).toEqual([]);
    expect((await readStatus({ home })).unfinishedRuns).toEqual([]);
  });

  test('between link and unlink of a publication is readable at once, and mended by the next run', async () => {
    const home = await migratedTree();
    const run = join(home, '.storage/runs/01HZX3YQ4VAXE1C24TYMZ95G6S');
    mkdirSync(run, { recursive: true });
    linkSync(join(home, 'deespec.db'), join(run, 'deespec.db'));

    expect((await readStatus({ home })).database.state).toBe('ours');
    expect((await verify({ home, checkAll: true })).ok).toBe(true);
    expect((await migrate({ home })).outcome).toBe('unchanged');

    expect(runsOf(home)).toEqual([]);
    expect(lstatSync(join(home, 'deespec.db')).nlink).toBe(1);
    expect((await readStatus({ home })).database.state).toBe('ours');
  });

  test('does not excuse a hard link of another program', async () => {
    const home = await migratedTree();
    linkSync(join(home, 'deespec.db'), join(dirname(home), 'other.db'));

    await expectError(migrate({ home }), 'DATABASE.UNSAFE_LINK');
    expect((await readStatus({ home })).database).toMatchObject({
      state: 'refused',
      code: 'DATABASE.UNSAFE_LINK',
    });
  });

  test('never becomes the database: a run that did not publish leaves it absent', async () => {
    const home = generatedTree();
    put(
      home,
      '.storage/runs/01HZX3YQ4VAXE1C24TYMZ95G6S/deespec.db',
      readFileSync(join(await migratedTree(), 'deespec.db')),
    );

    expect((await readStatus({ home })).database).toEqual({ state: 'absent' });
    expect((await migrate({ home })).outcome).toBe('created');
  });
});

describe('Open storage', () => {
  test('answers the same from files and from SQLite', async () => {
    const home = await migratedTree();
    const [id] = sbisWith(home, 'spec.md').map((path) => basename(path).slice(0, 30));
    const before = sha256(join(home, 'deespec.db'));
    const files = await openIndex({ home });
    const sqlite = await openIndex({ home, store: 'sqlite' });

    expect([files.store, sqlite.store]).toEqual(['files', 'sqlite']);
    expect(await sqlite.index.listSbis()).toEqual(await files.index.listSbis());
    expect(await sqlite.index.getSbi(id as never)).toEqual(await files.index.getSbi(id as never));
    expect(await sqlite.index.listExecutions()).toEqual(await files.index.listExecutions());
    expect(await sqlite.index.listConfig()).toEqual(await files.index.listConfig());
    expect(await sqlite.index.listAudit()).toEqual(await files.index.listAudit());
    for (const execution of await files.index.listExecutions()) {
      expect(await sqlite.index.readContent(execution)).toEqual(await files.index.readContent(execution));
    }
    await files.close();
    await sqlite.close();
    expect(sha256(join(home, 'deespec.db'))).toBe(before);
  });
});
