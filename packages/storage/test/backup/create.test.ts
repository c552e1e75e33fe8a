import { openHandle } from '@deespec/sqlite-adapter';
import { afterEach, describe, expect, jest, test } from '@jest/globals';
import Database from 'better-sqlite3';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';

import {
  changeSchema,
  createBackup,
  digest,
  openStorage,
  pruneBackups,
  readBackups,
  readHealth,
  readSchemaStatus,
  readStatus,
  sync,
  verify,
} from '../../src/index.js';
import { snapshot } from '../../src/backup/snapshot.js';
import { homePaths } from '../../src/home.js';
import {
  corrupt,
  createElsewhere,
  expectError,
  generatedTree,
  put,
  removeDirectories,
  runElsewhere,
  temporaryDirectory,
} from '../support.js';
import { backedUp, pathsOf, startWriter, takeBack, treeIn } from './backup-support.js';

afterEach(removeDirectories);
// Each starts processes that read whole databases.
jest.setTimeout(120_000);

const digestOf = async (directory: string): Promise<string> => (await digest({ directory })).digest;
const workOf = (home: string): string[] => readdirSync(join(home, '.storage/backups'));

describe('createBackup', () => {
  test.each(['file', 'dual_write', 'sqlite'] as const)('holds the whole tree in mode %s', async (mode) => {
    const home = await treeIn(mode);
    put(home, 'knowledge/new.md', '# New\n');
    if (mode !== 'file') await sync({ home });
    const before = await digestOf(home);

    const { id, path, manifest } = await createBackup({ home, note: 'why' });

    expect(await digestOf(home)).toBe(before);
    expect(manifest).toMatchObject({ id, seq: 1, note: 'why', mode, treeDigest: before });
    expect((await readBackups({ home })).backups).toMatchObject([{ id, path, state: 'verified' }]);
    expect(statSync(join(home, 'backups')).mode & 0o777).toBe(0o700);
    expect([path, `${path}.manifest.json`].map((file) => statSync(file).mode & 0o777)).toEqual([
      0o600, 0o600,
    ]);
    expect(workOf(home)).toEqual([]);
    const { differences } = await verify({ home, checkAll: true });
    expect(differences.filter(({ where }) => where !== 'knowledge/new.md')).toEqual([]);
  });

  test('needs no database: a tree that was never migrated can be backed up', async () => {
    const home = generatedTree();
    const before = await digestOf(home);

    const { manifest } = await createBackup({ home });

    expect(manifest).toMatchObject({ mode: 'file', epoch: 1, treeDigest: before });
    expect(existsSync(join(home, 'deespec.db'))).toBe(false);
    expect(await digestOf(home)).toBe(before);
  });

  test('keeps what cannot be interpreted', async () => {
    const home = generatedTree();
    put(home, 'setting.json', '{"torn');

    const { manifest } = await createBackup({ home });

    expect(manifest.treeDigest).toBe(await digestOf(home));
    expect(manifest.counts.quarantined).toBe(1);
  });

  test('counts on by number, shows in status and health, and leaves others in backups alone', async () => {
    const { home, id } = await backedUp();
    put(home, 'backups/mine.txt', 'mine');
    const before = await digestOf(home);

    const second = await createBackup({ home });

    expect(second.manifest.seq).toBe(2);
    expect((await readBackups({ home })).backups.map((one) => one.id)).toEqual([second.id, id]);
    expect(await digestOf(home)).toBe(before);
    expect((await readStatus({ home })).lastBackup).toMatchObject({ id: second.id, verified: true });
    const { checks, numbers } = await readHealth({ home });
    expect(checks.find(({ name }) => name === 'backup')).toMatchObject({ status: 'ok' });
    expect(numbers['last_verified_backup_seconds']).toBe(Date.parse(second.manifest.createdAt) / 1_000);
  });

  test('is refused while another command works on backups, and where backups is no directory', async () => {
    const home = await treeIn('file');
    await createBackup({ home });
    const lock = new Database(join(home, '.storage/backup.db'));
    lock.exec('BEGIN IMMEDIATE');

    await expectError(createBackup({ home }), 'LOCK.HELD');
    lock.close();

    const other = generatedTree();
    symlinkSync(temporaryDirectory(), join(other, 'backups'));
    await expectError(createBackup({ home: other }), 'DATABASE.UNSAFE_LINK');
  });

  test('leaves nothing when it is stopped', async () => {
    const home = await treeIn('sqlite');
    const stop = new AbortController();
    const before = await digestOf(home);

    const work = createBackup({
      home,
      signal: stop.signal,
      onProgress: () => stop.abort(new Error('stopped')),
    });

    await expect(work).rejects.toThrow('stopped');
    expect([workOf(home), (await readBackups({ home })).backups, existsSync(join(home, 'backups'))]).toEqual([
      [],
      [],
      false,
    ]);
    expect(await digestOf(home)).toBe(before);
  });
});

describe('A backup in mode dual_write', () => {
  const ids = (path: string): string[] => {
    const handle = openHandle(path, 'read');
    const found = handle.prepare('SELECT id FROM sbi ORDER BY id').pluck().all() as string[];
    handle.close();
    return found;
  };

  test('is of the moment before what services do while it is compared', async () => {
    const home = await treeIn('dual_write');
    const before = await digestOf(home);
    const made: string[] = [];

    const { path, manifest } = await createBackup({
      home,
      onProgress: ({ phase }) => {
        if (phase === 'verify' && made.length === 0) made.push(createElsewhere(home));
      },
    });

    expect(manifest.treeDigest).toBe(before);
    expect(ids(path)).not.toContain(made[0]);
    expect(await verify({ home })).toMatchObject({ ok: true });
  });

  test.each<[string, (home: string) => unknown, (home: string) => void]>([
    ['nobody took into the database', changeByHand, () => undefined],
    ['a pass took into the database meanwhile', changeByHand, (home) => runElsewhere(home, 'sync({ home })')],
    ['nobody took into the database, touched meanwhile', changeByHand, touch],
    ['the database is too damaged for', damage, () => undefined],
    ['the database is too old for', makeOlder, () => undefined],
    ['there is no database for', (home) => rmSync(join(home, 'deespec.db')), () => undefined],
  ])('has what stood in the files and %s', async (_, change, meanwhile) => {
    const home = await treeIn('dual_write');
    await change(home);
    const before = await digestOf(home);
    let isDone = false;

    const { manifest } = await createBackup({
      home,
      onProgress: ({ phase }) => {
        if (phase !== 'verify' || isDone) return;
        isDone = true;
        meanwhile(home);
      },
    });

    expect(manifest.treeDigest).toBe(before);
    expect(isDone).toBe(true);
  });

  test('has the files when a directory becomes a file while it is compared', async () => {
    const home = await treeIn('dual_write');
    put(home, 'knowledge/deep/er/note.md', '# Note\n');
    await sync({ home });
    let isDone = false;

    const { manifest } = await createBackup({
      home,
      onProgress: ({ phase }) => {
        if (phase !== 'verify' || isDone) return;
        isDone = true;
        rmSync(join(home, 'knowledge'), { recursive: true });
        put(home, 'knowledge', 'a file\n');
      },
    });

    expect(manifest.treeDigest).toBe(await digestOf(home));
  });

  test('has what was acknowledged and the database is still owed', async () => {
    const home = await treeIn('dual_write');
    const storage = await openStorage({ home });
    const payer = openHandle(homePaths(home).payerLock, 'lock');
    payer.exec('BEGIN IMMEDIATE');
    await storage.setConfig('setting.max_turns', '4');

    const { path } = await createBackup({
      home,
      onProgress: ({ phase }) => {
        if (phase !== 'verify' || !payer.open) return;
        payer.close();
        const change = "storage.setConfig('setting.max_turns', '5').then(() => storage.close())";
        runElsewhere(home, `openStorage({ home }).then((storage) => ${change})`);
      },
    });

    await storage.close();
    const handle = openHandle(path, 'read');
    const value = handle.prepare("SELECT value FROM config WHERE key = 'setting.max_turns'").pluck().get();
    handle.close();
    expect(['4', '5']).toContain(value);
    expect(payer.open).toBe(false);
  });

  function changeByHand(home: string): void {
    put(home, 'knowledge/by-hand.md', '# By hand\n');
    rmSync(join(home, 'workflow.json'));
    utimesSync(join(home, 'setting.json'), 1_000_000, 1_000_000.5);
  }

  async function makeOlder(home: string): Promise<void> {
    const { newest } = await readSchemaStatus({ home });
    await changeSchema({ home, direction: 'down', to: newest - 1 });
  }

  function touch(home: string): void {
    rmSync(put(home, 'workflow.json', ''));
    for (const name of ['knowledge', 'knowledge/by-hand.md', 'setting.json']) {
      const { atime, mtime } = statSync(join(home, name));
      utimesSync(join(home, name), atime, mtime);
    }
  }

  function damage(home: string): void {
    changeByHand(home);
    corrupt(home, "UPDATE content SET bytes = x'00' WHERE id = (SELECT min(id) FROM content)");
  }
});

test('A backup of files that services write all the time is of the moment before the last of it', async () => {
  const home = await treeIn('file');
  const made: string[] = [];
  let last = '';

  const { path } = await createBackup({
    home,
    onProgress: ({ phase }) => {
      // Once in each round, of which there are three; the proof of the copy is another.
      if (phase === 'verify' && last !== 'verify' && made.length < 3) made.push(createElsewhere(home));
      last = phase;
    },
  });

  const handle = openHandle(path, 'read');
  const held = handle.prepare('SELECT id FROM sbi').pluck().all() as string[];
  handle.close();
  expect(made).toHaveLength(3);
  expect(made.filter((id) => held.includes(id))).toEqual(made.slice(0, 2));
  expect(await readBackups({ home })).toMatchObject({ backups: [{ path, state: 'verified' }] });
});

const cycles = process.env['CI'] === 'true' ? 20 : 3;

describe('A backup while services write', () => {
  test.each(['sqlite', 'dual_write'] as const)(
    'holds a prefix of what was acknowledged, in mode %s',
    async (mode) => {
      const home = await treeIn(mode);
      const writers = [await startWriter(home, 'w0'), await startWriter(home, 'w1')];
      try {
        for (let cycle = 0; cycle < cycles; cycle += 1) {
          const before = writers.map(({ acknowledged }) => acknowledged());
          const { path } = await createBackup({ home });
          const after = writers.map(({ acknowledged }) => acknowledged());

          const handle = openHandle(path, 'read');
          const held = writers.map((_one, at) =>
            Number(handle.prepare('SELECT value FROM config WHERE key = ?').pluck().get(`setting.w${at}`)),
          );
          handle.close();
          for (const [at, value] of held.entries()) {
            expect(value).toBeGreaterThanOrEqual(before[at]!);
            expect(value).toBeLessThanOrEqual(after[at]! + 1);
          }
        }
      } finally {
        await Promise.all(writers.map((writer) => writer.stop()));
      }
    },
  );
});

describe('A snapshot of a database', () => {
  test('holds what stood there when it began, however often somebody writes between its parts', async () => {
    const directory = temporaryDirectory();
    const [from, to] = [join(directory, 'from.db'), join(directory, 'to.db')];
    const writer = new Database(from);
    writer.exec('PRAGMA journal_mode = WAL; CREATE TABLE t (id INTEGER PRIMARY KEY, bytes BLOB)');
    const add = writer.prepare('INSERT INTO t (bytes) VALUES (randomblob(100000))');
    for (let row = 0; row < 200; row += 1) add.run();

    let isMade = false;
    let written = 0;
    const made = snapshot(from, to).finally(() => {
      isMade = true;
    });
    // Each part of the copy ends with a turn of its own.
    while (!isMade && written < 1_000) {
      await new Promise(setImmediate);
      add.run();
      written += 1;
    }
    await made;

    writer.close();
    const copy = new Database(to, { readonly: true });
    const held = copy.prepare('SELECT count(*), max(id) FROM t').raw().get() as number[];
    expect(copy.pragma('integrity_check', { simple: true })).toBe('ok');
    expect(copy.pragma('journal_mode', { simple: true })).toBe('delete');
    copy.close();
    expect(written).toBeGreaterThan(3);
    expect(written).toBeLessThan(1_000);
    expect(held[0]).toBe(held[1]);
    expect(held[0]! - 200).toBeLessThan(written);
  });
});

describe('A backup that was cut off', () => {
  const halves = [[], ['manifest'], ['data'], ['data', 'manifest']] as const;

  test.each(halves.map((keep) => ({ keep })))(
    'after its plan was written is finished: $keep',
    async ({ keep }) => {
      const { home, id, path } = await backedUp();
      const before = await digestOf(home);
      takeBack(home, `${id}.db`, keep);

      await pruneBackups({ home });

      expect((await readBackups({ home })).backups).toMatchObject([{ id, path, state: 'verified' }]);
      expect([workOf(home), await digestOf(home)]).toEqual([[], before]);
    },
  );

  test('before its plan was written is removed', async () => {
    const { home } = await backedUp();
    const directory = join(home, '.storage/backups/create-half');
    mkdirSync(directory);
    writeFileSync(join(directory, 'data'), 'half');

    const { manifest } = await createBackup({ home });

    expect([workOf(home), manifest.seq]).toEqual([[], 2]);
  });

  test('leaves alone what a plan from elsewhere names', async () => {
    const { home, id } = await backedUp();
    const directory = join(home, '.storage/backups/remove-x');
    mkdirSync(directory);
    writeFileSync(join(directory, 'plan.json'), '{"remove":"../setting.json"}');
    const foreign = pathsOf(home, 'backup_20260101_000000_000007.db');
    writeFileSync(foreign.file, 'x');
    writeFileSync(foreign.manifest, '{"schema":"deespec.backup/1","storeId":"x"}');
    mkdirSync(join(home, '.storage/backups/remove-y'));
    writeFileSync(
      join(home, '.storage/backups/remove-y/plan.json'),
      '{"remove":"backup_20260101_000000_000007.db"}',
    );

    await pruneBackups({ home });

    expect([existsSync(join(home, 'setting.json')), existsSync(foreign.file)]).toEqual([true, true]);
    expect((await readBackups({ home })).backups.map((one) => one.state)).toEqual(['verified', 'refused']);
    expect((await readBackups({ home })).backups[0]?.id).toBe(id);
  });
});
