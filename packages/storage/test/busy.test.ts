import { generateTree } from '@deespec/trees';
import { afterAll, describe, expect, test } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { readFileSync, utimesSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';

import { exportTree, migrate, readStatus, verify } from '../src/index.js';
import { lockForAMoment, startHolder } from './holder.js';
import {
  expectError,
  expectNothingPublished,
  generatedTree,
  listing,
  migratedTree,
  newHome,
  put,
  removeDirectories,
  runsOf,
  temporaryDirectory,
} from './support.js';

afterAll(removeDirectories);

describe('A tree that the Go tool works on', () => {
  const inAnHour = () => new Date(Date.now() + 3_600_000).toISOString();
  const anHourAgo = () => new Date(Date.now() - 3_600_000);
  const working: readonly [string, (home: string) => unknown][] = [
    [
      'a live lease',
      (home) => put(home, 'var/state.json', JSON.stringify({ wip: 'SBI-1', lease_expires_at: inAnHour() })),
    ],
    ['a fresh var/state.lock', (home) => put(home, 'var/state.lock', '')],
    [
      'a run lock of a living process',
      (home) =>
        put(
          home,
          'var/runlock',
          JSON.stringify({ pid: process.pid, hostname: hostname(), expires_at: inAnHour() }),
        ),
    ],
    [
      'a run lock of another host',
      (home) =>
        put(
          home,
          'var/runlock',
          JSON.stringify({ pid: 1, hostname: 'elsewhere.invalid', expires_at: inAnHour() }),
        ),
    ],
  ];

  test.each(working)('%s: is refused', async (_, begin) => {
    const home = generatedTree('A');
    begin(home);

    await expectError(migrate({ home }), 'GO_TOOL.RUNNING');

    expectNothingPublished(home);
  });

  const left: readonly [string, (home: string) => void][] = [
    [
      'an old var/state.lock',
      (home) => utimesSync(put(home, 'var/state.lock', ''), anHourAgo(), anHourAgo()),
    ],
    [
      'a run lock that has expired',
      (home) =>
        void put(
          home,
          'var/runlock',
          JSON.stringify({ pid: process.pid, hostname: hostname(), expires_at: anHourAgo().toISOString() }),
        ),
    ],
    [
      'a run lock of a dead process',
      (home) => {
        const pid = Number(execFileSync('sh', ['-c', 'echo $$'], { encoding: 'utf8' }));
        put(home, 'var/runlock', JSON.stringify({ pid, hostname: hostname(), expires_at: inAnHour() }));
      },
    ],
  ];

  test.each(left)('%s: is no reason to refuse, and stays', async (_, leave) => {
    const home = generatedTree('A');
    leave(home);
    const before = listing(home);

    const report = await migrate({ home });

    expect(report.ignored).toHaveLength(1);
    expect(report.equation).toMatchObject({ holds: true, ignored: { entries: 1 } });
    expect(listing(home)).toEqual(before);
  });
});
describe('The barrier', () => {
  test.each(['exclusive', 'shared'] as const)(
    'held %s by another process keeps migrate out and names it',
    async (access) => {
      const home = generatedTree();
      const holder = await startHolder(home, access, 'a test');
      try {
        const error = await expectError(migrate({ home }), 'LOCK.HELD');

        expect(error.retryable).toBe(true);
        expect(error.message).toContain(`a test (pid ${holder.pid} on ${hostname()}`);
        expectNothingPublished(home);
      } finally {
        await holder.kill();
      }
    },
  );

  test('held exclusively keeps readers of the published state out', async () => {
    const home = await migratedTree();
    const holder = await startHolder(home, 'exclusive', 'migrate');
    try {
      await expectError(verify({ home }), 'LOCK.HELD');
      await expectError(exportTree({ home, output: join(temporaryDirectory(), 'x') }), 'LOCK.HELD');
    } finally {
      await holder.kill();
    }
  });

  test('held shared lets other readers in', async () => {
    const home = await migratedTree();
    const holder = await startHolder(home, 'shared', 'export');
    try {
      expect((await verify({ home })).ok).toBe(true);
    } finally {
      await holder.kill();
    }
  });

  test.each(['exclusive', 'shared'] as const)(
    'taken %s for a moment, as by a look at it, does not stop a command',
    async (access) => {
      const home = await migratedTree();
      const moment = await lockForAMoment(home, access);

      expect((await migrate({ home })).outcome).toBe('unchanged');

      await moment.ended;
    },
  );

  test('dies with its holder, whose note is removed', async () => {
    const home = generatedTree();
    const holder = await startHolder(home, 'exclusive', 'migrate');
    await holder.kill();
    expect((await readStatus({ home })).lock).toEqual({ held: false });

    await migrate({ home });

    expect(listing(join(home, '.storage/processes'), '%P\\0')).toEqual(['']);
  });

  test.each([
    ['migrate', (home: string) => migrate({ home })],
    ['verify', (home: string) => verify({ home })],
  ])('taken by %s removes the notes of the dead', async (_, run) => {
    const home = await migratedTree();
    const holder = await startHolder(home, 'shared', 'export');
    await holder.kill();

    await run(home);

    expect(listing(join(home, '.storage/processes'), '%P\\0')).toEqual(['']);
  });

  test('taken exclusively removes files that were cut off while they were written', async () => {
    const home = await migratedTree();
    put(home, '.storage/.tmp-deespec-0123456789abcdef01234567', '{"epo');

    await migrate({ home });

    expect(listing(join(home, '.storage'), '%P\\0').join(' ')).not.toContain('.tmp-');
  });

  test('lets one of two runs of one process in', async () => {
    // So large that the first one is not done before the second one gives up.
    const home = newHome();
    generateTree(home, { layout: 'mixed', sbis: 200, seed: 1 });

    const results = await Promise.allSettled([migrate({ home }), migrate({ home })]);

    expect(results.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    expect(results.find(({ status }) => status === 'rejected')).toMatchObject({
      reason: { code: 'LOCK.HELD' },
    });
    expect((await verify({ home, checkAll: true })).ok).toBe(true);
  });
});
describe('A run that is interrupted', () => {
  test.each(['load', 'verify'] as const)('in %s publishes nothing and leaves nothing', async (phase) => {
    const home = generatedTree();
    const before = listing(home);
    const stop = new AbortController();
    const onProgress = (progress: { phase: string }) => progress.phase === phase && stop.abort();

    await expectError(migrate({ home, batchSize: 1, onProgress, signal: stop.signal }), 'INTERRUPTED');

    expect(listing(home)).toEqual(before);
    expectNothingPublished(home);
    expect((await migrate({ home })).outcome).toBe('created');
  });

  test('keeps the database that was published before', async () => {
    const home = await migratedTree();
    const before = readFileSync(join(home, 'deespec.db'));
    put(home, 'specs/more.md', 'more');
    const signal = AbortSignal.abort();

    await expectError(migrate({ home, signal }), 'INTERRUPTED');

    expect(readFileSync(join(home, 'deespec.db')).equals(before)).toBe(true);
    expect(runsOf(home)).toEqual([]);
  });

  test('leaves no half export', async () => {
    const home = await migratedTree();
    const parent = temporaryDirectory();

    await expectError(
      exportTree({ home, output: join(parent, 'out'), signal: AbortSignal.abort() }),
      'INTERRUPTED',
    );

    expect(listing(parent, '%P\\0')).toEqual(['']);
  });
});
