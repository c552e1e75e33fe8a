import { generateTree, type TreeLayout } from '@deespec/trees';
import { afterAll, describe, expect, test } from '@jest/globals';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { checkDatabase, listRules, migrate, setMode, type CheckReport } from '../src/index.js';
import { homeIn, seededHome } from './consistency-homes.js';
import { repairable, unrepairable } from './consistency-seeds.js';
import {
  corrupt,
  expectError,
  generatedTree,
  newHome,
  removeDirectories,
  sha256,
  temporaryDirectory,
} from './support.js';

afterAll(removeDirectories);

const seeds = [...repairable, ...unrepairable];
const rules = await listRules();
const archive = fileURLToPath(new URL('../../../../shared/fixtures/deespec-v0.1.14.tar.gz', import.meta.url));
const hasFixture = existsSync(archive);
if (!hasFixture) console.warn('skipped: the tree written by the Go tool is not there');
const hasShell = spawnSync('sqlite3', ['--version']).status === 0;

/** What the query of a rule finds in the sqlite3 shell; a word when it has none, or when there is no shell. */
function askShell(home: string, { rule, sql }: { readonly rule: string; readonly sql?: string }): string {
  // SQLite 3.40, which many systems have, finds constraints broken that are not.
  if (sql === undefined || !hasShell || rule === 'file-integrity') return 'not asked';
  return execFileSync('sqlite3', ['-readonly', join(home, 'deespec.db'), sql], { encoding: 'latin1' });
}

/** Names of the rules that found something, without leases: those of generated and recorded trees have ended. */
function found({ rules: reports }: CheckReport): string[] {
  const names = reports.filter(({ count, unchecked }) => count > 0 || unchecked !== undefined);
  return names.map(({ rule }) => rule).filter((rule) => rule !== 'lease-expired');
}

describe('Check of a sound database', () => {
  test.each<TreeLayout>(['A', 'B', 'mixed'])('finds nothing in a tree of layout %s', async (layout) => {
    const home = newHome();
    generateTree(home, { layout, sbis: 12, seed: 7 });
    await migrate({ home });

    expect(found(await checkDatabase({ home }))).toEqual([]);
  });

  test.each(['dual_write', 'sqlite'] as const)('finds nothing in mode %s', async (mode) => {
    const home = await homeIn('sqlite', 'whole');
    await setMode({ home, mode });

    const report = await checkDatabase({ home });

    expect(found(report)).toEqual([]);
    expect(report.state?.mode).toBe(mode);
  });

  (hasFixture ? test : test.skip)('finds nothing in the tree of the Go tool', async () => {
    const directory = temporaryDirectory();
    execFileSync('tar', ['-xzf', archive, '-C', directory]);
    const home = join(directory, '.deespec');
    await migrate({ home });

    expect(found(await checkDatabase({ home }))).toEqual([]);
  });

  test('writes nothing and leaves nothing beside the database', async () => {
    const home = await homeIn('sqlite');
    const before = sha256(join(home, 'deespec.db'));

    await checkDatabase({ home });

    expect(sha256(join(home, 'deespec.db'))).toBe(before);
    expect(readdirSync(home).filter((name) => name.startsWith('deespec.db'))).toEqual(['deespec.db']);
  });
});

describe('Check', () => {
  test('has a seeded fault for every rule', () => {
    expect(new Set(seeds.map(({ rule }) => rule))).toEqual(new Set(rules.map(({ rule }) => rule)));
  });

  test.each(seeds)('finds by $rule: $fault', async (seed) => {
    const home = await seededHome(seed);

    const report = await checkDatabase({ home, rules: [seed.rule] });

    const [one] = report.rules;
    expect(one).toMatchObject({ rule: seed.rule });
    expect(one!.count).toBeGreaterThan(0);
    expect(one!.first[0]!.entity).not.toBe('');
    expect(one!.first[0]!.found).not.toBe('');
    expect(report.ok).toBe(false);
    expect(askShell(home, one!)).not.toBe('');
  });

  (hasShell ? test : test.skip)(
    'has queries that find nothing of a sound database in the shell',
    async () => {
      const home = await homeIn('file');

      const answers = rules.map((rule) => [rule.rule, askShell(home, rule)] as const);

      const found = answers.filter(([, answer]) => !['', 'not asked'].includes(answer));
      expect(found.map(([rule]) => rule)).toEqual(['lease-expired']);
    },
  );

  test('says which rules cannot be asked when the file is damaged', async () => {
    const home = await homeIn('file');
    corrupt(home, `UPDATE sbi SET status = 'GONE'`);

    const report = await checkDatabase({ home });

    const answered = report.rules.filter(({ unchecked }) => unchecked === undefined);
    expect(answered.map(({ rule }) => rule)).toEqual(['file-integrity']);
    expect(report.ok).toBe(false);
  });

  test('counts every finding and lists the first, none of them long', async () => {
    const home = await homeIn('file');
    corrupt(
      home,
      `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500)
       INSERT INTO config SELECT printf('%05d', i) || printf('%.*c', 5000, 'x'), '1',
         '2001-02-03T04:05:06.000000000Z', CAST('nowhere' AS BLOB) FROM n`,
    );

    const [report] = (await checkDatabase({ home, rules: ['index-config'] })).rules;

    expect(report).toMatchObject({ count: 500 });
    expect(report!.first).toHaveLength(20);
    expect(Math.max(...report!.first.map(({ entity }) => entity.length))).toBeLessThanOrEqual(200);
  });

  test('refuses a rule that does not exist', async () => {
    await expectError(checkDatabase({ home: await homeIn('file'), rules: ['none'] }), 'USAGE.INVALID');
  });

  test('says that there is no database', async () => {
    await expectError(checkDatabase({ home: generatedTree() }), 'DATABASE.NOT_FOUND');
  });
});
