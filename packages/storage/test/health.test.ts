import { pathFromText, type StorageMode } from '@deespec/domain';
import { openSqliteStorage } from '@deespec/sqlite-adapter';
import { afterAll, describe, expect, test } from '@jest/globals';
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { migrate, openStorage, readHealth, sync, type HealthOptions } from '../src/index.js';
import { checkOf, foundBy, treeIn } from './health-support.js';
import {
  corrupt,
  expectError,
  generatedTree,
  listing,
  put,
  removeDirectories,
  rows,
  sbisWith,
  sha256,
} from './support.js';

afterAll(removeDirectories);

const week = 7 * 86_400_000;

/** One thing that goes wrong on a healthy tree, the check that has to find it, and what it has to say. */
interface Fault {
  readonly mode?: StorageMode;
  readonly make: (home: string) => unknown;
  readonly check: string;
  readonly status: 'warn' | 'fail';
  readonly says: string | RegExp;
  readonly options?: Omit<HealthOptions, 'home'>;
}

const owe = `INSERT INTO outbox (path, seq, rev, since, tries) VALUES (CAST('specs' AS BLOB), 0, 9, '2026-01-01T00:00:00.000000000Z', 0)`;

async function changeThrice(home: string): Promise<void> {
  const storage = await openStorage({ home });
  for (const value of ['1', '2', '3']) await storage.setConfig('setting.max_turns', value);
  await storage.settled();
  await storage.close();
}

async function otherDatabase(home: string): Promise<void> {
  const other = generatedTree('A', 9);
  await migrate({ home: other });
  copyFileSync(join(other, 'deespec.db'), join(home, 'deespec.db'));
}

/** Overwrites the page that a table begins on. */
function damagePage(home: string, table: string): void {
  const [{ page }] = rows(home, `SELECT rootpage AS page FROM sqlite_schema WHERE name = '${table}'`) as [
    { page: number },
  ];
  const bytes = readFileSync(join(home, 'deespec.db'));
  bytes.fill(0x5a, (page - 1) * 4096 + 8, page * 4096);
  writeFileSync(join(home, 'deespec.db'), bytes);
}

/** Both sides change one file. */
async function makeConflict(home: string): Promise<void> {
  const path = pathFromText(`${sbisWith(home, 'spec.md')[0]!}/spec.md`);
  const database = await openSqliteStorage({ path: join(home, 'deespec.db'), owes: true });
  const version = { path, kind: 'file', mode: 0o644, bytes: Buffer.from('by the database\n') } as const;
  await database.store.edit((tree) => ({
    edits: [{ op: 'put', version, expected: tree.find(path)!.sha256 }],
  }));
  await database.close();
  put(home, path, 'by the files\n');
  await sync({ home });
}

const faults: Readonly<Record<string, Fault>> = {
  'a change that is owed for months': {
    mode: 'sqlite',
    make: (home) => corrupt(home, owe),
    check: 'debt',
    status: 'warn',
    says: /^1 changes are owed .* days/u,
  },
  'a debt that cannot be paid': {
    mode: 'sqlite',
    make: (home) => corrupt(home, `${owe}; UPDATE outbox SET last_error = 'EACCES: no'`),
    check: 'debt',
    status: 'warn',
    says: 'EACCES: no',
  },
  'a conflict': {
    mode: 'sqlite',
    make: makeConflict,
    check: 'conflicts',
    status: 'warn',
    says: '1 versions are kept',
  },
  'a proof that is old': {
    make: () => undefined,
    options: { now: new Date(Date.now() + week + 60_000) },
    check: 'evidence',
    status: 'warn',
    says: '7 days ago',
  },
  'a proof of an earlier epoch': {
    mode: 'sqlite',
    make: (home) => {
      const file = join(home, '.storage/epoch');
      writeFileSync(file, readFileSync(file, 'utf8').replace('"epoch":2', '"epoch":9'));
      corrupt(home, 'UPDATE storage_state SET epoch = 9');
    },
    check: 'evidence',
    status: 'fail',
    says: 'last verified in epoch',
  },
  'the database of another tree': {
    make: otherDatabase,
    check: 'epoch',
    status: 'fail',
    says: 'made for another tree',
  },
  'an older database put in its place': {
    mode: 'sqlite',
    make: (home) => corrupt(home, 'UPDATE storage_state SET epoch = 1'),
    check: 'epoch',
    status: 'fail',
    says: 'epoch 1',
  },
  'a missing record of the epoch': {
    make: (home) => rmSync(join(home, '.storage/epoch')),
    check: 'epoch',
    status: 'fail',
    says: '.storage/epoch is missing',
  },
  'a damaged record of the epoch': {
    make: (home) => put(home, '.storage/epoch', '{"epoch":1'),
    check: 'epoch',
    status: 'fail',
    says: 'is damaged',
  },
  'a trigger made by hand': {
    make: (home) => corrupt(home, 'CREATE TRIGGER mine AFTER DELETE ON sbi BEGIN SELECT 1; END'),
    check: 'schema',
    status: 'fail',
    says: 'mine is not ours',
  },
  'an empty file for a database': {
    make: (home) => writeFileSync(join(home, 'deespec.db'), ''),
    check: 'database',
    status: 'fail',
    says: 'is an empty file',
  },
  'a database that is gone': {
    mode: 'sqlite',
    make: (home) => rmSync(join(home, 'deespec.db')),
    check: 'database',
    status: 'fail',
    says: 'mode sqlite needs it',
  },
  'a write that was cut off': {
    make: (home) => put(home, 'deespec.db-journal', Buffer.from('d9d505f920a163d7', 'hex')),
    check: 'database',
    status: 'warn',
    says: 'deespec.db-journal',
  },
  'a run that was cut off': {
    make: (home) => mkdirSync(join(home, '.storage/runs/01HZX3YQ4VAXE1C24TYMZ95G6S'), { recursive: true }),
    check: 'leftovers',
    status: 'warn',
    says: '01HZX3YQ4VAXE1C24TYMZ95G6S',
  },
  'an edit that was cut off': {
    mode: 'dual_write',
    make: (home) => put(home, '.storage/dirty/0mwv0nkp8-9376101f0e3c054c.edit', 'torn'),
    check: 'leftovers',
    status: 'warn',
    says: 'an edit that was cut off',
  },
  'a disk with little room': {
    make: () => undefined,
    options: { limits: { diskFreeBytes: Number.MAX_SAFE_INTEGER } },
    check: 'disk',
    status: 'warn',
    says: 'free',
  },
  'a mode edited by hand': {
    mode: 'dual_write',
    make: (home) => put(home, 'setting.json', '{"storage_mode": "sqlite"}\n'),
    check: 'mode',
    status: 'fail',
    says: 'asks for sqlite; dual_write is in force',
  },
  'a mode that is none': {
    make: (home) => put(home, 'setting.json', '{"storage_mode": "cloud"}\n'),
    check: 'mode',
    status: 'fail',
    says: 'no storage mode',
  },
  'a setting.json that is no JSON': {
    make: (home) => put(home, 'setting.json', '{'),
    check: 'mode',
    status: 'fail',
    says: 'setting.json',
  },
  'a change of mode that was cut off': {
    make: (home) =>
      put(home, '.storage/mode-change', '{"from":"file","to":"sqlite","epoch":2,"original":"absent"}\n'),
    check: 'mode',
    status: 'fail',
    says: 'a change of mode to sqlite was cut off',
  },
  'a lock that the workflow tool left': {
    make: (home) =>
      put(
        home,
        'var/runlock',
        JSON.stringify({ pid: 1, expires_at: '2020-01-01T00:00:00Z', hostname: 'gone' }),
      ),
    check: 'workflow-tool',
    status: 'warn',
    says: 'var/runlock',
  },
  'a damaged page': {
    make: (home) => damagePage(home, 'idx_sbi_created'),
    options: { deep: true },
    check: 'integrity',
    status: 'fail',
    says: /integrity: database|malformed/u,
  },
  'a row of the index changed by hand': {
    make: (home) => corrupt(home, `UPDATE sbi SET label = 'mine'`),
    options: { deep: true },
    check: 'index',
    status: 'fail',
    says: 'index: sbi',
  },
  'a stored byte changed by hand': {
    make: (home) => corrupt(home, 'UPDATE content SET bytes = zeroblob(length(bytes)) WHERE size > 0'),
    options: { deep: true },
    check: 'content',
    status: 'fail',
    says: 'stored-content',
  },
  'a row that nothing is derived to, changed by hand': {
    make: (home) => corrupt(home, `UPDATE schema_info SET value = value || ' ' WHERE key = 'version'`),
    options: { deep: true },
    check: 'record',
    status: 'fail',
    says: 'evidence',
  },
  'a file that the database lacks': {
    make: (home) => put(home, 'specs/added.md', 'new'),
    options: { deep: true },
    check: 'files',
    status: 'warn',
    says: 'missing-in-database: specs/added.md',
  },
  'a broken chain of changes': {
    mode: 'sqlite',
    make: async (home) => {
      await changeThrice(home);
      corrupt(home, `UPDATE audit_log SET new_value = '9' WHERE seq = 2`);
    },
    options: { deep: true },
    check: 'audit',
    status: 'fail',
    says: 'record 2',
  },
};

describe('Health of a tree', () => {
  test.each(['file', 'dual_write', 'sqlite'] as const)(
    'in mode %s that nothing happened to is good, and looking writes nothing',
    async (mode) => {
      const home = await treeIn(mode);
      await changeThrice(home);
      const before = [...listing(home, '%p %T@ %s\\0'), sha256(join(home, 'deespec.db'))];
      const own = () => readdirSync(join(home, '.storage'), { recursive: true }).toSorted();
      const ownBefore = own();

      const report = await readHealth({ home });

      expect(foundBy(report)).toEqual({});
      expect(report).toMatchObject({
        home,
        mode,
        status: 'ok',
        levels: { live: 'ok', ready: 'ok', deep: 'ok' },
      });
      expect([...listing(home, '%p %T@ %s\\0'), sha256(join(home, 'deespec.db'))]).toEqual(before);
      expect(own()).toEqual(ownBefore);
      expect(readdirSync(home).filter((name) => name.startsWith('deespec.db'))).toEqual(['deespec.db']);
    },
  );

  test.each(Object.entries(faults))('names %s', async (_, fault) => {
    const home = await treeIn(fault.mode ?? 'file');
    await fault.make(home);

    const report = await readHealth({ home, ...fault.options });

    const found = checkOf(report, fault.check);
    expect(foundBy(report)).toMatchObject({ [fault.check]: fault.status });
    expect(report.status).not.toBe('ok');
    expect(found.value).toMatch(fault.says);
    expect(found.fix).toBeTruthy();
  });

  test('of a tree that was never migrated is good', async () => {
    const report = await readHealth({ home: generatedTree() });

    expect(foundBy(report)).toEqual({});
    expect(checkOf(report, 'database').value).toContain('the files are the truth');
    expect(report.numbers).toMatchObject({ debt_rows: 0, conflicts: 0, wal_bytes: 0, epoch: 0 });
  });

  test('of no tree is an error', async () => {
    await expectError(readHealth({ home: '/nowhere' }), 'TREE.NOT_FOUND');
  });
});

describe('A deep check', () => {
  test('leaves tree and database as they are, and is shown by later probes with its age', async () => {
    const home = await treeIn('sqlite');
    const before = [...listing(home, '%p %T@ %s\\0'), sha256(join(home, 'deespec.db'))];

    const deep = await readHealth({ home, deep: true });
    const later = await readHealth({ home, now: new Date(Date.now() + 3 * 3_600_000) });

    expect(foundBy(deep)).toEqual({});
    expect([...listing(home, '%p %T@ %s\\0'), sha256(join(home, 'deespec.db'))]).toEqual(before);
    expect(deep.checks.filter(({ level }) => level === 'deep').map(({ name }) => name)).toEqual([
      'last',
      'integrity',
      'content',
      'index',
      'record',
      'files',
      'audit',
    ]);
    expect(checkOf(later, 'last').value).toMatch(/^3 h ago/u);
    expect(checkOf(later, 'index')).toEqual(checkOf(deep, 'index'));
  });

  test('that found something is shown until the next one', async () => {
    const home = await treeIn('file');
    corrupt(home, `UPDATE sbi SET label = 'mine'`);
    await readHealth({ home, deep: true });

    expect(foundBy(await readHealth({ home }))).toEqual({ index: 'fail' });

    corrupt(home, `DELETE FROM evidence WHERE action = 'verify'`);
    rmSync(join(home, 'deespec.db'));
    await migrate({ home });
    expect((await readHealth({ home, deep: true })).status).toBe('ok');
    expect((await readHealth({ home })).status).toBe('ok');
  });

  test('that is old is a warning, and counts as a proof until then', async () => {
    const home = await treeIn('file');
    const later = (days: number) => new Date(Date.now() + days * 86_400_000);
    await readHealth({ home, deep: true, now: later(6) });

    expect(foundBy(await readHealth({ home, now: later(12) }))).toEqual({});
    expect(foundBy(await readHealth({ home, now: later(14) }))).toEqual({ last: 'warn', evidence: 'warn' });
  });

  test('is believed only in its own form', async () => {
    const home = await treeIn('file');
    const file = put(home, '.storage/last-deep-check', '');
    for (const text of [
      '{',
      '[]',
      '{"at":"now"}',
      '{"at":"2026-01-01T00:00:00.000000000Z","durationMs":1,"status":"ok","checks":[{"name":"\\u001b","level":"deep","status":"ok","value":""}]}',
    ]) {
      writeFileSync(file, text);

      expect(checkOf(await readHealth({ home }), 'last').value).toContain('never made');
    }
  });

  test('keeps its record for its user alone', async () => {
    const home = await treeIn('file');
    await readHealth({ home, deep: true });

    expect(statSync(join(home, '.storage/last-deep-check')).mode & 0o777).toBe(0o600);
  });
});
