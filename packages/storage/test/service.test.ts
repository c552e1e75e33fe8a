import { afterEach, describe, expect, test } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { linkSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { prepareLock } from '../src/barrier.js';
import { homePaths, type HomePaths } from '../src/home.js';
import { runService, startService } from '../src/index.js';
import { openLog } from '../src/service/log.js';
import { requireSchedule, Scheduler } from '../src/service/schedule.js';
import { expectError, generatedTree, put, removeDirectories, temporaryDirectory } from './support.js';

afterEach(removeDirectories);

function treePaths(): HomePaths {
  const paths = homePaths(generatedTree('A'));
  prepareLock(paths);
  return paths;
}

describe('The log of the service', () => {
  test('is for its user alone, and is begun anew before it is too large; five earlier ones are kept', () => {
    const paths = treePaths();
    const log = openLog(paths);
    const text = 'x'.repeat(1_000_000);

    for (let line = 0; line < 40; line += 1) log.to.info({ line }, text);
    log.close();

    const names = readdirSync(paths.log).toSorted();
    expect(names).toEqual(['service.log', ...[1, 2, 3, 4, 5].map((number) => `service.log.${number}`)]);
    const sizes = names.map((name) => statSync(join(paths.log, name)));
    expect(sizes.every(({ size, mode }) => size <= 5 * 1_048_576 && (mode & 0o777) === 0o600)).toBe(true);
    const last = readFileSync(join(paths.log, 'service.log'), 'utf8').trim().split('\n').at(-1)!;
    expect(JSON.parse(last)).toMatchObject({ level: 'info', line: 39, pid: process.pid, msg: text });
    expect(log.lost).toBe(0);
  });

  const hostile: readonly [string, (file: string) => void][] = [
    ['a symbolic link', (file) => symlinkSync(put(temporaryDirectory(), 'other', 'kept'), file)],
    ['a second name of a file', (file) => linkSync(put(temporaryDirectory(), 'other', 'kept'), file)],
    ['a FIFO', (file) => void execFileSync('mkfifo', [file])],
    ['a directory', (file) => mkdirSync(file)],
  ];

  test.each(hostile)('is not written into %s, nor is what the program says', async (_, leave) => {
    for (const name of ['service.log', 'service.err']) {
      const paths = treePaths();
      mkdirSync(paths.log);
      leave(join(paths.log, name));
      const { home } = paths;
      const work =
        name === 'service.log'
          ? runService({ home, signal: AbortSignal.timeout(5_000) })
          : startService({ home, program: ['/bin/false'] });

      const error = await work.then(
        () => 'it ran',
        (thrown: unknown) => (thrown as { code: string }).code,
      );

      expect(error).toMatch(/^(?:DATABASE\.UNSAFE_LINK|FILE\.\w+)$/u);
    }
  });
});

describe('A service that cannot be started', () => {
  test('is an error with what it said last', async () => {
    const { home } = treePaths();
    const program = ['/bin/sh', '-c', 'echo no such luck >&2; exit 9'] as const;

    const { message } = await expectError(startService({ home, program }), 'SERVICE.FAILED');

    expect(message).toContain('no such luck');
  });

  test('because its program is missing says so', async () => {
    const { home } = treePaths();

    const { message } = await expectError(startService({ home, program: ['/nowhere'] }), 'SERVICE.FAILED');

    expect(message).toContain('ENOENT');
  });
});

describe('Schedules', () => {
  test('that are none are refused', () => {
    expect(() => requireSchedule('check', 'off')).not.toThrow();
    expect(() => requireSchedule('check', '0 3 * * 1')).not.toThrow();
    expect(() => requireSchedule('check', 'whenever')).toThrow('no cron pattern');
  });

  test('run one at a time; a failure is told and shown, and ends nothing', async () => {
    let [running, most] = [0, 0];
    const told: string[] = [];
    const run = async (): Promise<never> => {
      most = Math.max(most, (running += 1));
      await sleep(1_500);
      running -= 1;
      throw new Error('no room');
    };
    const everySecond = { backup: '* * * * * *', check: '* * * * * *' };
    const scheduler = new Scheduler(everySecond, run, (name, { ok, message }) =>
      told.push(`${name} ${ok} ${message}`),
    );

    scheduler.begin();
    while (told.length < 2) await sleep(50);
    await scheduler.close();

    expect(most).toBe(1);
    expect(new Set(told)).toEqual(new Set(['backup false Error: no room', 'check false Error: no room']));
    expect(scheduler.status()).toMatchObject([
      { name: 'backup', last: { ok: false } },
      { name: 'check', last: { ok: false } },
    ]);
  });
});
