import { afterEach, describe, expect, jest, test } from '@jest/globals';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  symlinkSync,
  utimesSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { homePaths } from '../src/home.js';
import {
  endStopped,
  openStorage,
  readStatus,
  setMode,
  stopTree,
  verify,
  type StopOutcome,
} from '../src/index.js';
import { bornOf } from '../src/process-facts.js';
import { isRunning } from '../src/processes.js';
import { livingProcesses, register } from '../src/service/registry.js';
import { startHolder } from './holder.js';
import {
  expectError,
  generatedTree,
  migratedTree,
  put,
  removeDirectories,
  temporaryDirectory,
} from './support.js';
import { endUsers, startUser, track } from './user.js';

// Each starts processes that load the whole package.
jest.setTimeout(60_000);

afterEach(async () => {
  await endUsers();
  removeDirectories();
});

const anHour = 3_600_000;
const at = (ms: number): string => new Date(Date.now() + ms).toISOString();

function treeWithVar(): string {
  const home = generatedTree('A');
  mkdirSync(join(home, 'var'), { recursive: true });
  return home;
}

/** A process that has nothing to do with any tree. */
function innocent(): ChildProcess {
  return track(spawn('sleep', ['600'], { stdio: 'ignore' }));
}

/** A process that the kernel shows as the Go tool's: its executable has that name. */
async function goTool(directory: string, name = 'deespec'): Promise<ChildProcess> {
  const program = join(temporaryDirectory(), name);
  copyFileSync(realpathSync('/bin/sleep'), program);
  chmodSync(program, 0o755);
  const child = track(spawn(program, ['600'], { cwd: directory, stdio: 'ignore' }));
  while (child.pid === undefined || !isRunning(child.pid)) await sleep(5);
  return child;
}

const runLock = (home: string, pid: number, more: Readonly<Record<string, unknown>> = {}): string =>
  put(
    home,
    'var/runlock',
    JSON.stringify({ pid, acquired_at: at(1_000), expires_at: at(anHour), hostname: hostname(), ...more }),
  );

async function killed(child: ChildProcess): Promise<void> {
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}

const lives = ({ pid }: ChildProcess): boolean => isRunning(pid!);

describe('stop --all', () => {
  test('ends five processes but the one that ignores the signal, and no innocent one', async () => {
    const home = await migratedTree('A');
    mkdirSync(join(home, 'var'), { recursive: true });
    await setMode({ home, mode: 'dual_write' });
    const users = [await startUser(home, 'api'), await startUser(home, 'api')];
    users.push(await startUser(home, 'watch'), await startUser(home, 'service'));
    const deaf = await startUser(home, 'api', 'ignores');
    const bystander = innocent();
    runLock(home, bystander.pid!);

    const stopping = stopTree({ home, all: true, timeoutMs: 5_000 });
    const { message, details } = await expectError(stopping, 'STOP.INCOMPLETE');

    const { left, ended } = details as { left: StopOutcome[]; ended: StopOutcome[] };
    expect(ended.map(({ pid }) => pid).toSorted()).toEqual(users.map(({ pid }) => pid).toSorted());
    expect(ended.map(({ role, outcome }) => `${role} ${outcome}`).toSorted()).toEqual([
      'api ended',
      'api ended',
      'service ended',
      'watch ended',
    ]);
    expect(left).toEqual([
      { pid: deaf.pid, role: 'api', command: expect.any(String), outcome: 'ignored the signal' },
      {
        pid: bystander.pid,
        role: 'workflow tool',
        command: 'var/runlock',
        outcome: 'not signalled: it does not run deespec',
      },
    ]);
    expect(message).toContain(`pid ${deaf.pid}`);
    expect([users.some(({ child }) => lives(child)), lives(bystander)]).toEqual([false, true]);
    const late = await startUser(home, 'api', 'ignores');
    expect(await late.ask('write')).toBe('STORAGE.STOPPED');
    await endStopped({ home });
    expect(await late.ask('write')).toBe('done');
  });

  test('waits for a command that works on the tree, and does not end it', async () => {
    const home = treeWithVar();
    const holder = await startHolder(home, 'shared', 'export');

    const { message } = await expectError(stopTree({ home, all: true, timeoutMs: 300 }), 'STOP.INCOMPLETE');

    expect(message).toContain(`export (command, pid ${holder.pid}): still works on the tree`);
    expect(message).toContain('The tree is not stopped');
    expect(isRunning(holder.pid)).toBe(true);
    const stopping = stopTree({ home, all: true, timeoutMs: 20_000 });
    await sleep(200);
    await holder.kill();
    expect(await stopping).toMatchObject({ stopped: true, processes: [] });
  });

  test('of a process id that was used again signals nobody', async () => {
    const home = treeWithVar();
    const bystander = innocent();
    const file = `.storage/processes/${bystander.pid}-api-0011aabb.json`;
    const since = '2026-01-01T00:00:00.000000000Z';
    const note = { pid: bystander.pid, host: hostname(), command: 'x', since, role: 'api', born: 'boot/1' };
    put(home, file, JSON.stringify(note));

    const report = await stopTree({ home, all: true, timeoutMs: 2_000 });

    expect(report).toMatchObject({ stopped: true, processes: [] });
    expect(lives(bystander)).toBe(true);
    register(homePaths(home), 'api', 'x')();
    expect(existsSync(join(home, file))).toBe(false);
  });

  const notes: readonly [string, (pid: number) => object, string][] = [
    ['of another host', () => ({ host: 'elsewhere.invalid' }), 'it runs on elsewhere.invalid'],
    ['that says not when it began', () => ({ born: undefined }), 'it cannot be proven'],
  ];

  test.each(notes)('names a process %s and does not signal it', async (_, more, why) => {
    const home = treeWithVar();
    const bystander = innocent();
    const pid = bystander.pid!;
    const since = '2026-01-01T00:00:00.000000000Z';
    const note = { pid, host: hostname(), command: 'x', since, role: 'api', born: bornOf(pid), ...more(pid) };
    put(home, `.storage/processes/${pid}-api-0011aabb.json`, JSON.stringify(note));

    const error = await expectError(stopTree({ home, all: true, timeoutMs: 20_000 }), 'STOP.INCOMPLETE');

    expect(error.message).toContain(why);
    expect(lives(bystander)).toBe(true);
  });

  test('can be repeated, says so, and leaves this process alone', async () => {
    const home = treeWithVar();
    const storage = await openStorage({ home });

    const first = await stopTree({ home, all: true });
    const second = await stopTree({ home, all: true });

    expect(first).toMatchObject({ stopped: true, wasStopped: false, goTool: 'out', processes: [] });
    expect(second).toMatchObject({ stopped: true, wasStopped: true, since: first.since });
    await storage.close();
  });

  test('without all ends the background service only', async () => {
    const home = treeWithVar();
    const [service, other] = [await startUser(home, 'service'), await startUser(home, 'api')];

    const report = await stopTree({ home, all: false });

    expect(report).toMatchObject({ stopped: false, processes: [{ pid: service.pid, role: 'service' }] });
    expect(await other.ask('write')).toBe('done');
    expect((await stopTree({ home, all: false })).processes).toEqual([]);
  });

  test('goes through no link that the tree holds', async () => {
    const home = treeWithVar();
    const outside = temporaryDirectory();
    mkdirSync(join(home, '.storage'), { mode: 0o700 });
    symlinkSync(join(outside, 'stopped'), join(home, '.storage/stopped'));

    await expectError(stopTree({ home, all: true }), 'DATABASE.UNSAFE_LINK');

    expect(readdirSync(outside)).toEqual([]);
  });
});

describe('The Go tool', () => {
  test('at work is asked to end, and its lock goes to the trash', async () => {
    const home = treeWithVar();
    put(home, 'var/state.lock', 'locked');
    const tool = await goTool(dirname(home));
    runLock(home, tool.pid!);

    const report = await stopTree({ home, all: true, timeoutMs: 10_000 });

    expect(report.processes).toEqual([
      { pid: tool.pid, role: 'workflow tool', command: 'var/runlock', outcome: 'ended' },
    ]);
    expect(lives(tool)).toBe(false);
    const trash = join(home, '.storage/trash');
    expect(readdirSync(trash).map((name) => readFileSync(join(trash, name), 'utf8'))).toEqual(['locked']);
  });

  const hostile: readonly [string, (home: string) => Promise<unknown>, string][] = [
    ['names pid 1', async (home) => runLock(home, 1), 'it'],
    ['names this process', async (home) => runLock(home, process.pid), 'it'],
    ['names a negative one', async (home) => runLock(home, -process.pid), 'the lock names no process'],
    ['names 0', async (home) => runLock(home, 0), 'the lock names no process'],
    ['names 1e300', async (home) => runLock(home, 1e300), 'the lock names no process'],
    ['is no JSON', async (home) => put(home, 'var/runlock', '{'), 'the lock names no process'],
    [
      'names one that works elsewhere',
      async (home) => runLock(home, (await goTool(temporaryDirectory())).pid!),
      'it does not work in this project',
    ],
    [
      'names one that began later',
      async (home) => runLock(home, (await goTool(dirname(home))).pid!, { acquired_at: at(-anHour) }),
      'it began after the lock was taken',
    ],
    [
      'says not when it was taken',
      async (home) => runLock(home, (await goTool(dirname(home))).pid!, { acquired_at: 7 }),
      'it began after the lock was taken',
    ],
    [
      'names one of another host',
      async (home) => runLock(home, (await goTool(dirname(home))).pid!, { hostname: 'elsewhere.invalid' }),
      'it runs on elsewhere.invalid',
    ],
    [
      'names one with another name',
      async (home) => runLock(home, (await goTool(dirname(home), 'other')).pid!),
      'it does not run deespec',
    ],
  ];

  test.each(hostile)(
    'is not believed to run when the lock %s: nobody is signalled',
    async (_, leave, why) => {
      const home = treeWithVar();
      await leave(home);
      const signalled = jest.spyOn(process, 'kill');

      const error = await expectError(stopTree({ home, all: true, timeoutMs: 10_000 }), 'STOP.INCOMPLETE');
      const real = signalled.mock.calls.filter(([, signal]) => signal !== 0);
      signalled.mockRestore();

      expect(error.message).toContain(`not signalled: ${why}`);
      expect(real).toEqual([]);
      expect(await readStatus({ home })).toHaveProperty('stopped');
    },
  );

  test.each(['a dead one', 'one whose lease is over'])(
    'that left a run lock of %s is no hindrance',
    async (who) => {
      const home = treeWithVar();
      const isDead = who === 'a dead one';
      runLock(home, isDead ? 4_000_000 : 1, isDead ? {} : { expires_at: at(-anHour) });

      expect(await stopTree({ home, all: true })).toMatchObject({ stopped: true, goTool: 'out' });
      expect(existsSync(join(home, 'var/runlock'))).toBe(true);
    },
  );

  test('that left a state lock finds it in the trash; one that is held is waited for', async () => {
    const home = treeWithVar();
    const lock = put(home, 'var/state.lock', 'locked');

    const held = await expectError(stopTree({ home, all: true, timeoutMs: 200 }), 'STOP.INCOMPLETE');
    utimesSync(lock, new Date(Date.now() - anHour), new Date(Date.now() - anHour));
    const report = await stopTree({ home, all: true });

    expect(held.message).toContain('var/state.lock (workflow tool, pid 0): is held');
    expect(report).toMatchObject({ wasStopped: true, goTool: 'out' });
    expect(readdirSync(join(home, '.storage/trash'))).toHaveLength(1);
  });

  test('has no directory of that name: one of somebody else is refused and stays', async () => {
    const home = treeWithVar();
    const file = put(home, 'var/state.lock/mine', 'x');

    const { message } = await expectError(
      stopTree({ home, all: true, timeoutMs: 10_000 }),
      'STOP.INCOMPLETE',
    );

    expect(message).toContain('is a directory that deespec did not make');
    expect(readFileSync(file, 'utf8')).toBe('x');
    await endStopped({ home });
    expect(existsSync(file)).toBe(true);
  });
});

describe('The list of processes', () => {
  test('has who has the tree open, and nobody who died', async () => {
    const home = treeWithVar();
    const paths = homePaths(home);
    const user = await startUser(home, 'api');
    const dead = await startUser(home, 'api');
    await killed(dead.child);

    const { processes, lock } = await readStatus({ home });

    expect(processes.map(({ pid, role }) => ({ pid, role }))).toEqual([{ pid: user.pid, role: 'api' }]);
    expect(lock).toEqual({ held: false });
    expect(readdirSync(paths.processes)).toHaveLength(2);
    const storage = await openStorage({ home });
    expect(readdirSync(paths.processes).some((name) => name.startsWith(`${dead.pid}-`))).toBe(false);
    expect(livingProcesses(paths).map(({ pid }) => pid)).toEqual([user.pid, process.pid]);
    await storage.close();
    expect(livingProcesses(paths)).toHaveLength(1);
  });

  test('loses who died with the next command that takes the barrier', async () => {
    const home = await migratedTree();
    const dead = await startUser(home, 'api');
    await killed(dead.child);

    await verify({ home });

    expect(readdirSync(homePaths(home).processes)).toEqual([]);
  });
});
