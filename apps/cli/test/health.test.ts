import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, jest, test } from '@jest/globals';
import { installCopy } from './installation.js';
import {
  dangerous,
  documentOf,
  homeIn,
  homeWithConflict,
  removeDirectories,
  runInProcess,
  temporaryDirectory,
  writeFiles,
} from './support.js';

jest.setTimeout(120_000);
afterAll(removeDirectories);

describe('health', () => {
  test('of a healthy tree is exit 0, and names every check', async () => {
    const home = await homeIn('dual_write');

    const { exitCode, stdout, stderr } = await runInProcess(['health', '--home', home]);

    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    const text = stdout.toString();
    expect(text).toMatch(/^healthy\n/u);
    for (const name of ['program', 'database', 'mode', 'epoch', 'schema', 'evidence', 'debt', 'log', 'disk'])
      expect(text).toMatch(new RegExp(`^  ok    ${name} `, 'mu'));
  });

  test('with a warning is exit 2, and says what to do', async () => {
    const { home } = await homeWithConflict();

    const text = await runInProcess(['health', '--home', home]);
    const json = await runInProcess(['health', '--home', home, '--json']);

    expect([text.exitCode, json.exitCode]).toEqual([2, 2]);
    expect(text.stdout.toString()).toMatch(/^warnings: conflicts\n/u);
    expect(text.stdout.toString()).toMatch(/ warn {2}conflicts .*\n +-> deespec conflict list, then /u);
    expect(documentOf(json)).toMatchObject({ ok: false, error: null, data: { status: 'warn' } });
  });

  test('with a check that failed is exit 1', async () => {
    const home = await homeIn('sqlite');
    rmSync(join(home, 'deespec.db'));

    const { exitCode, stdout } = await runInProcess(['health', '--home', home, '--deep', '--json']);

    const { data } = documentOf({ exitCode, stdout, stderr: '' });
    expect({ exitCode, status: data.status }).toEqual({ exitCode: 1, status: 'fail' });
    expect(data.checks).toContainEqual(
      expect.objectContaining({
        name: 'database',
        level: 'live',
        status: 'fail',
        code: 'DATABASE.NOT_FOUND',
      }),
    );
  });

  test('takes limits, and refuses one that is none', async () => {
    const home = await homeIn('dual_write');
    const limit = (text: string, ...more: string[]) =>
      runInProcess(['health', '--home', home, '--limit', text, ...more]);

    expect((await limit('disk-free-bytes=999999999999999')).exitCode).toBe(2);
    expect((await limit('disk-free-bytes=999999999999999', '--limit', 'disk-free-bytes=1')).exitCode).toBe(0);
    for (const wrong of ['disk', 'disk=1', 'wal-bytes=-1', 'wal-bytes=x', 'constructor=1'])
      expect((await limit(wrong)).exitCode).toBe(64);
  });

  test('as metrics has the exit code too, and is not for --json', async () => {
    const { home } = await homeWithConflict();

    const { exitCode, stdout } = await runInProcess(['health', '--home', home, '--format', 'prometheus']);
    const both = await runInProcess(['health', '--home', home, '--format', 'prometheus', '--json']);

    expect(exitCode).toBe(2);
    expect(stdout.toString()).toContain(`\ndeespec_conflicts{home="${home}"} 1\n`);
    expect(stdout.toString()).toContain('# TYPE deespec_wal_bytes gauge\n');
    expect(both.exitCode).toBe(64);
  });

  test('drives no terminal, whatever a tree says', async () => {
    const home = await homeIn('file');
    const check = { name: 'index', level: 'deep', status: 'fail', value: 'x\u001b[2J', fix: 'y\u009b31m' };
    const at = '2026-01-01T00:00:00.000000000Z';
    writeFiles(home, {
      '.storage/last-deep-check': JSON.stringify({ at, durationMs: 1, status: 'fail', checks: [check] }),
      '.storage/runs/a\u001b[2J/x': '',
    });

    const { stdout } = await runInProcess(['health', '--home', home]);

    expect(stdout.toString()).toContain('x\\x1b[2J');
    expect(stdout.toString()).toContain('a\\x1b[2J');
    expect(stdout.toString()).not.toMatch(dangerous);
  });
});

describe('doctor', () => {
  test('outside a tree looks at the machine', async () => {
    const nowhere = temporaryDirectory();
    const { launcher } = installCopy();
    const run = (...args: string[]) =>
      spawnSync(process.execPath, [launcher, ...args], {
        cwd: nowhere,
        env: { DEE_HOME: '' },
        encoding: 'utf8',
      });

    const { status, stdout, stderr } = run('doctor');

    expect({ status, stderr }).toEqual({ status: 1, stderr: '' });
    expect(stdout).toMatch(/^failed: sqlite\n/u);
    expect(stdout).toContain('there is no .deespec directory here or above');
  });

  test.each([
    {
      name: 'whose compiled part is missing',
      damage: () => undefined,
      says: 'is missing',
      fix: 'npm rebuild better-sqlite3',
    },
    {
      name: 'whose compiled part cannot be loaded',
      damage: (sqlite: string) => writeFiles(sqlite, { 'build/Release/better_sqlite3.node': 'no library' }),
      says: 'cannot be loaded',
      fix: 'npm rebuild better-sqlite3',
    },
    {
      name: 'that is not installed',
      damage: (sqlite: string) => rmSync(sqlite, { recursive: true }),
      says: 'is not installed',
      fix: 'install deespec again',
    },
  ])('names a better-sqlite3 $name, and health says the same', async ({ damage, says, fix }) => {
    const home = await homeIn('sqlite');
    const { launcher, sqlite } = installCopy();
    damage(sqlite);
    const run = (command: string) =>
      JSON.parse(
        spawnSync(process.execPath, [launcher, command, '--home', home, '--json'], { encoding: 'utf8' })
          .stdout,
      ) as ReturnType<typeof documentOf>;

    const [doctor, health] = [run('doctor'), run('health')];

    expect([doctor.exitCode, health.exitCode]).toEqual([1, 1]);
    expect(doctor.data.checks).toContainEqual(
      expect.objectContaining({ name: 'sqlite', status: 'fail', value: expect.stringContaining(says) }),
    );
    expect(doctor.data.checks).toContainEqual(expect.objectContaining({ name: 'permissions', status: 'ok' }));
    expect(health.data.checks).toEqual([
      expect.objectContaining({ name: 'program', status: 'fail', fix: expect.stringContaining(fix) }),
    ]);
  });
});
