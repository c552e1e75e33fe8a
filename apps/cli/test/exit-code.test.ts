import { chmodSync, existsSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { errorKinds, StorageError } from '@deespec/domain';
import type { ErrorCode } from '@deespec/domain';
import { damageTree, generateTree } from '@deespec/trees';
import { afterAll, describe, expect, test } from '@jest/globals';
import { exitCodeOf } from '../src/exit-code.js';
import {
  deespec,
  documentOf,
  hostileId,
  removeDirectories,
  temporaryDirectory,
  writeFiles,
  writeHostileTree,
} from './support.js';

afterAll(removeDirectories);

function hostileHome(): string {
  const home = join(temporaryDirectory(), '.deespec');
  writeHostileTree(home);
  return home;
}

function generatedHome(): string {
  const home = join(temporaryDirectory(), '.deespec');
  generateTree(home, { layout: 'A', sbis: 3, seed: 7 });
  return home;
}

describe('exit code of an error', () => {
  test.each([
    ['USAGE.INVALID', 64],
    ['SBI.INVALID_ID', 65],
    ['TREE.INVALID', 65],
    ['DATABASE.CORRUPT', 65],
    ['TREE.NOT_FOUND', 66],
    ['INTERNAL', 70],
    ['DATABASE.FOREIGN', 73],
    ['EXPORT.TARGET_NOT_EMPTY', 73],
    ['FILE.NO_SPACE', 74],
    ['FILE.SPECIAL', 74],
    ['SQLITE.BUSY', 75],
    ['GO_TOOL.RUNNING', 75],
    ['TREE.UNSTABLE', 75],
    ['FILE.PERMISSION', 77],
    ['DATABASE.UNSAFE_LINK', 77],
    ['PREFLIGHT.FOREIGN_OWNER', 77],
    ['DATABASE.NEWER', 78],
    ['MODE.REFUSED', 78],
    ['INTERRUPTED', 130],
  ] as const)('%s is %d', (code, exitCode) => {
    expect(exitCodeOf(new StorageError(code, 'x'))).toBe(exitCode);
  });

  test('every code has an exit code of the contract', () => {
    const contract = [64, 65, 66, 70, 73, 74, 75, 77, 78, 130];
    const codes = (Object.keys(errorKinds) as ErrorCode[]).map((code) =>
      exitCodeOf(new StorageError(code, 'x')),
    );

    expect(contract).toEqual(expect.arrayContaining(codes));
  });

  test('an interruption has the number of its signal', () => {
    const error = new StorageError('INTERRUPTED', 'x');

    expect([exitCodeOf(error, 'SIGHUP'), exitCodeOf(error, 'SIGTERM')]).toEqual([129, 143]);
  });
});

describe('migrate', () => {
  test('of a tree that breaks rules is 65 and lists every error, with --quarantine 3', async () => {
    const home = generatedHome();
    const badId = damageTree(home, 'bad-id');
    const torn = damageTree(home, 'torn-state');
    const report = join(home, '../report.json');

    const refused = await deespec(['migrate', '--home', home, '--report', report]);
    const published = existsSync(join(home, 'deespec.db'));
    const kept = await deespec(['migrate', '--home', home, '--quarantine', '--json']);

    expect(refused.exitCode).toBe(65);
    expect(refused.stderr).toContain(badId.split('/').slice(0, 3).join('/'));
    expect(refused.stderr).toContain(torn);
    expect(refused.stderr).toContain('(TREE.INVALID)');
    expect(refused.stdout).toHaveLength(0);
    expect(published).toBe(false);
    expect(JSON.parse(readFileSync(report, 'utf8'))).toMatchObject({
      exitCode: 65,
      data: { findings: expect.any(Array) },
    });
    expect(kept.exitCode).toBe(3);
    expect(documentOf(kept)).toMatchObject({
      ok: false,
      error: null,
      warnings: [expect.stringContaining('quarantine')],
    });
  });

  test('counts warnings, and prints them with --validate', async () => {
    const home = hostileHome();
    writeFiles(home, { [`specs/sbi/${hostileId}/review_9.md`]: 'DECISION: SUCCEEDED\n' });

    const brief = await deespec(['migrate', '--home', home, '--dry-run']);
    const full = await deespec(['migrate', '--home', home, '--dry-run', '--validate']);

    expect([brief.exitCode, full.exitCode]).toEqual([0, 0]);
    expect(brief.stderr).toMatch(/hint: \d+ warnings? not shown; --validate/u);
    expect(brief.stdout.toString()).not.toMatch(/^warning /mu);
    expect(full.stdout.toString()).toMatch(/^warning /mu);
    expect(full.stderr).not.toContain('--validate');
    expect(existsSync(join(home, 'deespec.db'))).toBe(false);
  });

  test('writes its report for the user alone, and never into the tree', async () => {
    const home = hostileHome();
    const report = join(home, '../report.json');

    const written = await deespec(['migrate', '--home', home, '--report', report, '--json']);
    const inside = await deespec(['migrate', '--home', home, '--report', join(home, 'setting.json')]);
    const nowhere = await deespec(['migrate', '--home', home, '--report', join(home, '../none/report.json')]);

    expect(readFileSync(report)).toEqual(written.stdout);
    expect(statSync(report).mode & 0o777).toBe(0o600);
    expect(inside.exitCode).toBe(64);
    expect(readFileSync(join(home, 'setting.json'), 'utf8')).toContain('note');
    expect(nowhere.exitCode).toBe(74);
  });

  test('beside a symlinked database is 77', async () => {
    const home = hostileHome();
    symlinkSync('/nowhere', join(home, 'deespec.db'));

    expect((await deespec(['migrate', '--home', home])).exitCode).toBe(77);
  });

  test('beside a text file called deespec.db is 73', async () => {
    const home = hostileHome();
    writeFileSync(join(home, 'deespec.db'), 'not a database, but somebody wrote it\n');

    expect((await deespec(['migrate', '--home', home])).exitCode).toBe(73);
  });

  test('while the workflow tool runs is 75', async () => {
    const home = hostileHome();
    const lock = {
      pid: 1,
      acquired_at: '2026-01-01T00:00:00Z',
      expires_at: '2999-01-01T00:00:00Z',
      hostname: 'elsewhere',
    };
    writeFiles(home, { 'var/runlock': JSON.stringify(lock) });

    const run = await deespec(['migrate', '--home', home, '--json']);

    expect(run.exitCode).toBe(75);
    expect(documentOf(run).error?.retryable).toBe(true);
  });

  test('in a mode that nobody knows is 78', async () => {
    const home = hostileHome();
    writeFileSync(join(home, 'setting.json'), '{"storage_mode": "cloud"}\n');

    expect((await deespec(['migrate', '--home', home])).exitCode).toBe(78);
  });
});

describe('verify and export', () => {
  test('name a difference with 2 and refuse a full target with 73', async () => {
    const home = hostileHome();
    await deespec(['migrate', '--home', home]);
    chmodSync(join(home, 'setting.json'), 0o640);
    writeFileSync(join(home, `specs/sbi/${hostileId}/spec.md`), '# changed\n');

    const verified = await deespec(['verify', '--home', home]);
    const target = temporaryDirectory();
    const exported = await deespec(['export', '--home', home, '--output', target]);
    const full = await deespec(['export', '--home', home, '--output', target]);

    expect(verified.exitCode).toBe(2);
    expect(verified.stdout.toString()).toContain(`specs/sbi/${hostileId}/spec.md`);
    expect(verified.stdout.toString()).toContain('setting.json');
    expect(exported.exitCode).toBe(0);
    expect(full.exitCode).toBe(73);
  });
});
