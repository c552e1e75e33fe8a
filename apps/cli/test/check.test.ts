import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  dangerous,
  documentOf,
  homeIn,
  removeDirectories,
  runInProcess,
  temporaryDirectory,
  writeHostileTree,
} from './support.js';

afterAll(removeDirectories);

/** Runs the program in this process on the tree at `home`. */
const run = (home: string, ...words: string[]) => runInProcess([...words, '--home', home]);

// The database is altered as a person would: this application has no SQL of its own.
const withShell = spawnSync('sqlite3', ['--version']).status === 0 ? describe : describe.skip;

function alterDatabase(home: string, sql: string): void {
  execFileSync('sqlite3', [join(home, 'deespec.db'), sql]);
}

const raised = 'UPDATE sbi SET priority = priority + 100';

describe('check', () => {
  let home = '';
  beforeAll(async () => {
    home = await homeIn('sqlite');
  });

  test('says that there is no finding', async () => {
    const { exitCode, stdout, stderr } = await run(home, 'check');

    expect(stderr).toBe('');
    expect(exitCode).toBe(0);
    expect(stdout.toString()).toMatch(/^no finding of \d+ rules\n/u);
  });

  test('lists every rule with its query, without a database', async () => {
    const { exitCode, stdout } = await run('/nowhere', 'check', '--list', '--sql');

    expect(exitCode).toBe(0);
    expect(stdout.toString()).toContain('done-undecided (warning): ');
    expect(stdout.toString()).toContain("    FROM sbi s WHERE s.status = 'DONE'\n");
    expect(stdout.toString()).toContain('    no query: reads and hashes every stored byte');
  });

  test('has queries in the document only when they are asked for', async () => {
    const [without, withSql] = [
      documentOf(await run(home, 'check', '--list', '--json')).data.rules,
      documentOf(await run(home, 'check', '--list', '--sql', '--json')).data.rules,
    ];

    expect(without[0]).not.toHaveProperty('code');
    expect(withSql.every((rule: object) => 'sql' in rule || 'code' in rule)).toBe(true);
  });

  test('asks only the rules that are named', async () => {
    const { data } = documentOf(
      await run(home, 'check', '--rule', 'chunk-gap', '--rule', 'index-sbi', '--json'),
    );

    expect(data.rules.map(({ rule }: { rule: string }) => rule)).toEqual(['chunk-gap', 'index-sbi']);
  });

  test('says that there is nothing to check without a database', async () => {
    const bare = join(temporaryDirectory(), '.deespec');
    writeHostileTree(bare);

    const { exitCode, stderr } = await run(bare, 'check');

    expect(exitCode).toBe(66);
    expect(stderr).toContain('there is nothing to check');
  });
});

withShell('check of a database that contradicts itself', () => {
  test('groups findings by rule, with why and what mends them', async () => {
    const home = await homeIn('file');
    alterDatabase(home, raised);

    const { exitCode, stdout } = await run(home, 'check', '--rule', 'index-sbi', '--sql');

    expect(exitCode).toBe(2);
    const text = stdout.toString();
    expect(text).toContain('error index-sbi: 3 findings: a row of sbi is not what the bytes say\n');
    expect(text).toMatch(/^ {2}SBI-[0-9A-Z]{26}: .* instead of .*$/mu);
    expect(text).toContain('\n  why: lists and queries');
    expect(text).toContain('\n  fix: deespec repair --plan');
    expect(text).toContain('\n    no query: derives every unit');
  });

  test('lists the first findings and counts the others', async () => {
    const home = await homeIn('file');
    alterDatabase(
      home,
      `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50)
       INSERT INTO config SELECT 'k' || i, '1', '2001-02-03T04:05:06.000000000Z', CAST('x' AS BLOB) FROM n`,
    );

    const { stdout } = await run(home, 'check', '--rule', 'index-config');

    expect(stdout.toString()).toContain('  ... and 30 more\n');
  });

  test('prints nothing that drives a terminal', async () => {
    const home = await homeIn('file');
    const hostile = `'\u001b[2J\u009b31m\u202e' || char(10) || 'x'`;
    alterDatabase(
      home,
      `INSERT INTO config VALUES (${hostile}, '1', '2001-02-03T04:05:06.000000000Z', CAST('x' AS BLOB));
       UPDATE sbi SET label = ${hostile}, task_id = ${hostile}`,
    );

    const [found, plan] = [await run(home, 'check'), await run(home, 'repair', '--plan')];

    expect(found.exitCode).toBe(2);
    expect(found.stdout.toString()).not.toMatch(dangerous);
    expect(plan.stdout.toString()).not.toMatch(dangerous);
  });
});

withShell('repair of rows', () => {
  test('writes a plan, applies it once, and then says that it is of another state', async () => {
    const home = await homeIn('sqlite');
    alterDatabase(home, raised);
    const plan = join(temporaryDirectory(), 'plan.json');

    const planned = await run(home, 'repair', '--plan', '--output', plan);
    const applied = await run(home, 'repair', '--apply', plan);
    const again = await run(home, 'repair', '--apply', plan);
    const checked = await run(home, 'check');

    expect(planned.stdout.toString()).toContain('3 rows would be rebuilt:\n');
    expect(planned.stderr).toContain(`hint: read the plan, then deespec repair --apply ${plan}`);
    expect(applied.stdout.toString()).toContain('3 rows rebuilt\n');
    const backup = /copy of before +(\S+)/u.exec(applied.stdout.toString())?.[1];
    expect(existsSync(backup!)).toBe(true);
    expect([planned, applied, again, checked].map(({ exitCode }) => exitCode)).toEqual([0, 0, 73, 0]);
  });

  test('prints the plan that it would write', async () => {
    const home = await homeIn('file');
    alterDatabase(home, raised);
    const file = join(temporaryDirectory(), 'plan.json');

    const printed = await run(home, 'repair', '--plan');
    await run(home, 'repair', '--plan', '--output', file);

    expect(printed.stdout.toString()).toBe(readFileSync(file, 'utf8'));
  });
});

describe('repair', () => {
  test('says that there is nothing to repair', async () => {
    const { exitCode, stderr } = await run(await homeIn('file'), 'repair', '--plan');

    expect(exitCode).toBe(0);
    expect(stderr).toContain('nothing to repair');
  });

  test('writes no plan into the tree', async () => {
    const home = await homeIn('file');

    const { exitCode, stderr } = await run(home, 'repair', '--plan', '--output', join(home, 'plan.json'));

    expect(exitCode).toBe(64);
    expect(stderr).toContain('--output');
    expect(existsSync(join(home, 'plan.json'))).toBe(false);
  });

  test('refuses a file that is no plan', async () => {
    const file = join(temporaryDirectory(), 'plan.json');
    writeFileSync(file, '{}');

    const { exitCode } = await run(await homeIn('file'), 'repair', '--apply', file);

    expect(exitCode).toBe(65);
  });

  test.each([
    [['--plan', '--apply', 'x'], 64],
    [['--output', 'x'], 64],
    [['--apply', 'nowhere.json'], 66],
  ])('with %j ends with %i', async (words, exitCode) => {
    expect((await run(await homeIn('file'), 'repair', ...words)).exitCode).toBe(exitCode);
  });
});
