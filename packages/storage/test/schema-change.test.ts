import { compareTables, openHandle, requireSchema } from '@deespec/sqlite-adapter';
import { afterAll, describe, expect, test } from '@jest/globals';
import { lstatSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';

import {
  changeSchema,
  migrate,
  openStorage,
  planSchema,
  proveSchema,
  readSchemaStatus,
  readStatus,
  setMode,
  verify,
  verifySchema,
} from '../src/index.js';
import { backupsOf, newest, tablesIn, takeBack } from './schema-support.js';
import { corrupt, expectError, migratedTree, removeDirectories, runsOf, sha256 } from './support.js';

afterAll(removeDirectories);

const databaseIn = (home: string): string => join(home, 'deespec.db');

test('a database of an earlier schema is named, and brought up to date by migrate although no file changed', async () => {
  const home = await migratedTree();
  takeBack(home, 1);

  const before = await readStatus({ home });
  const migrated = await migrate({ home });
  const verified = await verify({ home, checkAll: true });

  expect(before.database).toMatchObject({ state: 'refused', code: 'SCHEMA.OLDER' });
  expect(before.nextStep).toContain('deespec schema up');
  expect(migrated).toMatchObject({ outcome: 'updated' });
  expect(verified).toMatchObject({ ok: true });
  expect((await readStatus({ home })).database).toMatchObject({ state: 'ours', schemaVersion: newest });
});

describe('schema up', () => {
  test('brings the database up to date where it lies, keeps a verified copy, and verify finds nothing', async () => {
    const home = await migratedTree();
    takeBack(home, 1);
    const old = tablesIn(databaseIn(home));

    const report = await changeSchema({ home, direction: 'up' });

    const [backup] = backupsOf(home);
    expect(report).toMatchObject({
      from: 1,
      to: newest,
      applied: Array.from({ length: newest - 1 }, (_, i) => i + 2),
      drops: [],
    });
    expect(report.backup).toEqual({ path: backup, bytes: lstatSync(backup!).size });
    expect(lstatSync(backup!).mode & 0o777).toBe(0o600);
    expect(tablesIn(backup!)).toEqual(old);
    expect(report.proven.rows).toBeGreaterThan(30);
    expect(await verify({ home, checkAll: true })).toMatchObject({ ok: true, evidence: 'recorded' });
    expect(runsOf(home)).toEqual([]);
  });

  test('has nothing to do on a database of the newest version, makes no copy, and clears away what a killed run left', async () => {
    const home = await migratedTree();
    mkdirSync(join(home, '.storage/runs/01M8M8KW9VWAMHDMYM1KTJ5H2S'));

    const report = await changeSchema({ home, direction: 'up' });

    expect(report).toMatchObject({ from: newest, to: newest, applied: [], proven: { rows: 0 } });
    expect(backupsOf(home)).toEqual([]);
    expect(runsOf(home)).toEqual([]);
  });

  test('rehearses without a change in a dry run, and stops at the version that is named', async () => {
    const home = await migratedTree();
    takeBack(home, 1);
    const bytes = sha256(databaseIn(home));

    const dry = await changeSchema({ home, direction: 'up', to: 2, dryRun: true });

    expect(dry).toMatchObject({ from: 1, to: 2, applied: [2], dryRun: true });
    expect(sha256(databaseIn(home))).toBe(bytes);
    expect(backupsOf(home)).toEqual([]);
    expect(runsOf(home)).toEqual([]);
    expect(await changeSchema({ home, direction: 'up', to: 2 })).toMatchObject({ applied: [2] });
    expect(await readSchemaStatus({ home })).toMatchObject({ version: 2, problem: { code: 'SCHEMA.OLDER' } });
  });

  test('works where the database is the truth, whose services were refused until then', async () => {
    const home = await migratedTree();
    await setMode({ home, mode: 'sqlite' });
    // As version 3 had written it: what lies below cannot be reached from this mode.
    takeBack(home, 3);
    await expectError(openAndList(home), 'SCHEMA.OLDER');

    await changeSchema({ home, direction: 'up' });

    expect(await openAndList(home)).toBe(6);
    expect(await verify({ home, checkAll: true })).toMatchObject({ ok: true });
  });
});

async function openAndList(home: string): Promise<number> {
  const storage = await openStorage({ home });
  try {
    return (await storage.listSbis()).length;
  } finally {
    await storage.close();
  }
}

describe('schema down', () => {
  test('takes the database back, says what is no longer there, and up again verify finds nothing', async () => {
    const home = await migratedTree();
    const before = tablesIn(databaseIn(home));

    const plan = await planSchema({ home, direction: 'down', to: 1 });
    const down = await changeSchema({ home, direction: 'down', to: 1 });
    const refused = await expectError(verify({ home }), 'SCHEMA.OLDER');
    await changeSchema({ home, direction: 'up' });

    expect(plan.drops).toEqual(
      expect.arrayContaining(['table projection (0 rows)', 'column audit_log.hash']),
    );
    expect(down).toMatchObject({ from: newest, to: 1, drops: plan.drops });
    expect(refused.hint).toContain('deespec schema up');
    // Whose hash of the rows follows: they tell when the scripts were applied.
    expect(compareTables(before, tablesIn(databaseIn(home)))).toEqual(['evidence']);
    expect(await verify({ home, checkAll: true })).toMatchObject({ ok: true });
    expect(backupsOf(home)).toHaveLength(2);
  });

  test('is refused, and changes nothing, where it would lose what nothing else holds', async () => {
    const home = await migratedTree();
    await setMode({ home, mode: 'dual_write' });
    const before = tablesIn(databaseIn(home));

    const error = await expectError(changeSchema({ home, direction: 'down', to: 1 }), 'SCHEMA.WOULD_LOSE');

    expect(error.hint).toContain('deespec mode set file');
    expect(tablesIn(databaseIn(home))).toEqual(before);
    expect(await readSchemaStatus({ home })).toMatchObject({ version: newest });
    expect(backupsOf(home)).toEqual([]);
  });

  test('does not reach below the first version, nor above the present one', async () => {
    const home = await migratedTree();

    await expectError(changeSchema({ home, direction: 'down', to: 0 }), 'USAGE.INVALID');
    await expectError(changeSchema({ home, direction: 'down', to: newest + 1 }), 'USAGE.INVALID');
    await expectError(changeSchema({ home, direction: 'up', to: newest + 1 }), 'USAGE.INVALID');
  });

  test('is noticed by a service that has the database open', async () => {
    const home = await migratedTree();
    await setMode({ home, mode: 'sqlite' });
    const storage = await openStorage({ home });
    await storage.listSbis();

    await changeSchema({ home, direction: 'down', to: newest - 1 });
    await expectError(storage.setConfig('setting.x', '1'), 'SCHEMA.OLDER');
    await changeSchema({ home, direction: 'up' });
    await storage.setConfig('setting.x', '2');
    await storage.settled();

    expect((await storage.getConfig('setting.x')).valueJson).toBe('2');
    await storage.close();
    expect(await verify({ home, checkAll: true })).toMatchObject({ ok: true });
  });
});

describe('schema verify', () => {
  test('shows what was changed by hand as SQL that takes it away', async () => {
    const home = await migratedTree();
    corrupt(
      home,
      `CREATE TRIGGER "my t" AFTER INSERT ON sbi BEGIN DELETE FROM sbi; END; DROP INDEX idx_sbi_status;
       ALTER TABLE config ADD COLUMN extra TEXT`,
    );

    const found = await verifySchema({ home });

    expect(found).toMatchObject({ ok: false, problem: { code: 'SCHEMA.DRIFT' } });
    expect(found.drift).toEqual([
      'table config differs',
      'index idx_sbi_status is missing',
      'trigger my t is not ours',
    ]);
    expect(found.sql).toContain('DROP TRIGGER "my t";');
    expect(found.sql).toContain('CREATE INDEX idx_sbi_status ON sbi (status);');
    expect(found.sql[0]).toBe('-- table config differs: this would lose its rows');
    corrupt(
      home,
      `ALTER TABLE config DROP COLUMN extra; ${found.sql.filter((line) => !line.startsWith('--')).join('\n')}`,
    );
    expect(await verifySchema({ home })).toMatchObject({ ok: true, drift: [], sql: [] });
  });

  test('tells an edited script from one that was laid out anew', async () => {
    const home = await migratedTree();
    corrupt(home, `UPDATE schema_version SET checksum = '${'0'.repeat(64)}' WHERE version = 1`);
    const relaid = await verifySchema({ home });
    corrupt(home, `UPDATE schema_version SET normalized = checksum WHERE version = 1`);
    const edited = await verifySchema({ home });

    expect([relaid.ok, relaid.scripts[0]?.state]).toEqual([true, 'reformatted']);
    expect([edited.ok, edited.scripts[0]?.state]).toEqual([false, 'edited']);
  });
});

describe('schema prove', () => {
  test('goes down to the first version and up again on a copy, every row compared', async () => {
    const home = await migratedTree();
    const bytes = sha256(databaseIn(home));

    const proof = await proveSchema({ home });

    expect(proof.steps.map(({ from, to }) => `${from}-${to}`)).toEqual([
      ...Array.from({ length: newest - 1 }, (_, i) => `${newest - i}-${newest - i - 1}`),
      ...Array.from({ length: newest - 1 }, (_, i) => `${i + 1}-${i + 2}`),
    ]);
    expect(proof.steps.every(({ rows }) => rows > 30)).toBe(true);
    expect(proof.kept).toBeUndefined();
    expect(sha256(databaseIn(home))).toBe(bytes);
    expect(runsOf(home)).toEqual([]);
  });

  test('says where the way down ends', async () => {
    const home = await migratedTree();
    await setMode({ home, mode: 'dual_write' });

    const proof = await proveSchema({ home });

    expect(proof.kept).toMatchObject({ version: 2 });
    expect(proof.steps.at(-1)).toMatchObject({ to: newest });
  });
});

test('a copy from before a change is a whole database of that version', async () => {
  const home = await migratedTree();
  takeBack(home, 2);
  await changeSchema({ home, direction: 'up' });

  const handle = openHandle(backupsOf(home)[0]!, 'read');

  expect(requireSchema(handle, { older: 'allowed' })).toBe(2);
  handle.close();
});
