import { afterEach, describe, expect, jest, test } from '@jest/globals';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { homePaths } from '../src/home.js';
import {
  digest,
  endStopped,
  exportTree,
  migrate,
  openStorage,
  readHealth,
  readStatus,
  setMode,
  stopTree,
  sync,
  verify,
} from '../src/index.js';
import { requireStarted, writeStopped } from '../src/service/stopped.js';
import {
  expectError,
  generatedTree,
  migratedTree,
  put,
  removeDirectories,
  temporaryDirectory,
} from './support.js';
import { endUsers, startUser } from './user.js';

// Each starts processes that load the whole package.
jest.setTimeout(60_000);

afterEach(async () => {
  await endUsers();
  removeDirectories();
});

const stopped = (home: string): string => join(home, '.storage/stopped');
const lock = (home: string): string => join(home, 'var/state.lock');

async function treeIn(mode: 'file' | 'dual_write' | 'sqlite', layout: 'A' | 'B' = 'A'): Promise<string> {
  const home = await migratedTree(layout);
  mkdirSync(join(home, 'var'), { recursive: true });
  await setMode({ home, mode });
  return home;
}

describe('A tree that is stopped', () => {
  test.each(['file', 'dual_write', 'sqlite'] as const)(
    'in mode %s refuses changes of processes that had it open and of later ones, and answers reads, until it is started',
    async (mode) => {
      const home = await treeIn(mode);
      const early = await startUser(home, 'api', 'ignores');
      expect([await early.ask('write'), await early.ask('settle')]).toEqual(['done', 'done']);

      const error = await expectError(stopTree({ home, all: true, timeoutMs: 1_500 }), 'STOP.INCOMPLETE');
      const late = await startUser(home, 'api', 'ignores');

      expect(error.message).toContain('The tree stays stopped');
      expect([await early.ask('write'), await early.ask('read')]).toEqual(['STORAGE.STOPPED', 'done']);
      expect([await late.ask('write'), await late.ask('read')]).toEqual(['STORAGE.STOPPED', 'done']);
      expect(await endStopped({ home })).toBe(true);
      expect([await early.ask('write'), await late.ask('write')]).toEqual(['done', 'done']);
    },
  );

  test('says so in its error, its status and its health', async () => {
    const home = await treeIn('sqlite');
    await stopTree({ home, all: true, command: 'a test' });

    const storage = await openStorage({ home });
    const error = await expectError(storage.setConfig('setting.x', '1'), 'STORAGE.STOPPED');
    await storage.close();
    const status = await readStatus({ home });
    const { checks } = await readHealth({ home });

    expect(error).toMatchObject({ retryable: true, hint: 'deespec start', details: { command: 'a test' } });
    expect(status).toMatchObject({ stopped: { command: 'a test' }, lock: { held: false }, processes: [] });
    expect(status.nextStep).toContain('deespec start');
    expect(checks.find(({ name }) => name === 'lock')).toMatchObject({
      status: 'warn',
      fix: 'deespec start',
    });
    expect(checks.find(({ name }) => name === 'workflow-tool')).toMatchObject({ status: 'ok' });
  });

  test('can be migrated, verified, brought into step, exported, and get another mode', async () => {
    const home = generatedTree('A');
    put(home, 'var/state.json', '{"version": 1}\n');
    await stopTree({ home, all: true });

    await migrate({ home });
    await verify({ home, checkAll: true });
    await setMode({ home, mode: 'sqlite' });
    put(home, 'var/state.json', '{"version": 2}\n');
    const { imported } = await sync({ home });
    await exportTree({ home, output: join(temporaryDirectory(), 'out') });
    const report = await setMode({ home, mode: 'file' });

    expect(imported).toBe(1);
    expect(report).toMatchObject({ from: 'sqlite', changed: true });
    expect(await stopTree({ home, all: true })).toMatchObject({ wasStopped: true, stopped: true });
  });

  test('gets var/state.json from the database, and keeps the Go tool out all the while', async () => {
    const home = await treeIn('sqlite', 'B');
    const storage = await openStorage({ home });
    put(home, 'var/state.lock', 'locked');
    const claim = await storage.claimNext({ leaseMs: 60_000 });
    await expectError(storage.settled(), 'GO_TOOL.RUNNING');
    await storage.close();
    rmSync(lock(home));
    await stopTree({ home, all: true });

    const report = await sync({ home });

    expect(report.debts).toBe(0);
    expect(readFileSync(join(home, 'var/state.json'), 'utf8')).toContain(claim!.sbi.id);
    expect(readdirSync(lock(home))).toHaveLength(1);
  });

  test('has the same digest before, while it is stopped, and after, for both programs that compute it', async () => {
    const home = await treeIn('file');
    await migrate({ home });
    const look = async (): Promise<unknown> => {
      const { treeDigest, databaseDigest, differences } = await verify({ home, checkAll: true });
      return { digest: (await digest({ directory: home })).digest, treeDigest, databaseDigest, differences };
    };
    const before = await look();

    await stopTree({ home, all: true });
    const during = await look();
    await endStopped({ home });

    expect(during).toEqual(before);
    expect(await look()).toEqual(before);
  });

  test('has a record that only its owner can read', async () => {
    const home = await treeIn('file');

    await stopTree({ home, all: true });

    expect(statSync(stopped(home)).mode & 0o777).toBe(0o600);
    expect(JSON.parse(readFileSync(stopped(home), 'utf8'))).toMatchObject({ command: 'stop --all' });
  });

  test('without var has no lock, and says so', async () => {
    const home = generatedTree('B');
    const hasVar = existsSync(join(home, 'var'));

    const { goTool } = await stopTree({ home, all: true });

    expect(goTool).toBe(hasVar ? 'out' : 'no var');
    expect(existsSync(lock(home))).toBe(hasVar);
  });
});

describe('A stop that was cut off', () => {
  const record = (home: string, text = '{"since":"2026-01-01T00:00:00.000000000Z","command":"x"}\n'): void =>
    writeFileSync(stopped(home), text);
  const halves: readonly [string, (home: string) => void][] = [
    ['after the record', (home) => record(home)],
    ['in the record', (home) => record(home, '{"sin')],
    ['after the directory', (home) => [record(home), mkdirSync(lock(home))]],
    [
      'in the marker',
      (home) => [
        record(home),
        mkdirSync(lock(home)),
        writeFileSync(join(lock(home), 'stopped-by-deespec-storage'), 'lock'),
      ],
    ],
  ];

  test.each(halves)(
    '%s is a stop: changes are refused; the next one finishes it, or start ends it',
    async (_, leave) => {
      const [first, second] = [await treeIn('file'), await treeIn('file')];
      for (const home of [first, second]) leave(home);

      const storage = await openStorage({ home: first });
      await expectError(storage.setConfig('setting.x', '1'), 'STORAGE.STOPPED');
      await storage.close();
      expect(await stopTree({ home: first, all: true })).toMatchObject({ wasStopped: true, goTool: 'out' });
      expect(readdirSync(lock(first))).toHaveLength(1);
      expect(await endStopped({ home: second })).toBe(true);
      expect([existsSync(lock(second)), existsSync(stopped(second))]).toEqual([false, false]);
      expect(await endStopped({ home: second })).toBe(false);
    },
  );

  test('in its end, with the record gone first, is ended by the next start', async () => {
    const home = await treeIn('file');
    mkdirSync(lock(home));

    const { checks } = await readHealth({ home });

    expect(checks.find(({ name }) => name === 'leftovers')?.value).toContain('var/state.lock of a stop');
    expect(await endStopped({ home })).toBe(true);
    expect(existsSync(lock(home))).toBe(false);
  });

  test('by a run that was cut off says how to go on with it', () => {
    const paths = homePaths(generatedTree());
    mkdirSync(paths.own, { recursive: true, mode: 0o700 });
    writeStopped(paths, 'rollback');

    expect(() => requireStarted(paths)).toThrow(
      expect.objectContaining({
        code: 'STORAGE.STOPPED',
        hint: 'wait until it ends; when it was cut off, "deespec rollback" continues it',
      }),
    );
  });
});

test('A program that stays when the tree is stopped is not asked to end, is refused changes meanwhile, and makes them in the name of others', async () => {
  const home = await treeIn('sqlite');
  const storage = await openStorage({ home, whenStopped: 'stay' });
  const other = storage.as({ user: 'somebody', sessionId: 's1', requestId: 'r1' });

  expect((await readStatus({ home })).processes).toEqual([]);
  await stopTree({ home, all: true });
  await expectError(other.createSbi({ title: 'no' }), 'STORAGE.STOPPED');
  await endStopped({ home });
  const made = await other.createSbi({ title: 'yes' });
  const large = Buffer.alloc(5_000_000, 'x');
  const step = { run: 1, turn: 2, step: 'implement', status: 'REVIEW', decision: 'SUCCEEDED' } as const;
  await other.appendExecution({ ...step, sbiId: made.id, content: large });

  const [row] = await storage.listAudit({ entityId: made.id, first: 'oldest' });
  expect(row).toMatchObject({ user: 'somebody', sessionId: 's1', requestId: 'r1' });
  const { path } = (await storage.listFiles(made.id)).find(({ size }) => size === large.length)!;
  const chunks: Buffer[] = [];
  await storage.readFile({ sbiId: made.id, path }, async (chunk) => void chunks.push(Buffer.from(chunk)));
  expect(chunks.length).toBeGreaterThan(4);
  expect(Buffer.concat(chunks).equals(large)).toBe(true);
  await storage.close();
});
