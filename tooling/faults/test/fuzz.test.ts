import { MemorySpool, deriveTree } from '@deespec/layout';
import { checks } from '@deespec/validators';
import { describe, expect, test } from '@jest/globals';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { FuzzReader } from '../src/fuzz/fuzz-tree.js';
import { judgeTree } from '../src/fuzz/judge.js';
import { makeMutant } from '../src/fuzz/mutant.js';
import { targets, validTree } from '../src/fuzz/valid-tree.js';
import { wholeRun } from '../src/fuzz/whole-run.js';

describe('The tree that is mutated', () => {
  test('is valid, and has rows of every kind', () => {
    const units = [...deriveTree(new FuzzReader(validTree(), 1_000), { checks, spool: new MemorySpool() })];

    const errors = units.flatMap(({ findings }) => findings.filter(({ severity }) => severity === 'error'));
    expect(errors).toEqual([]);
    expect(units.filter(({ sbi }) => sbi !== undefined)).toHaveLength(2);
    expect(units.flatMap(({ executions }) => executions).length).toBeGreaterThanOrEqual(4);
    expect(units.flatMap(({ config }) => config).length).toBeGreaterThanOrEqual(8);
    expect(units.filter(({ audit }) => audit !== undefined)).toHaveLength(1);
  });

  test('comes back from a whole migration, which looks at every entry', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'deespec-fuzz-'));
    try {
      expect(await wholeRun(validTree(), { directory, quarantined: [] })).toEqual([]);
      expect(await wholeRun(validTree(), { directory, quarantined: ['setting.json'] })).toEqual([
        '0 in quarantine, 1 derived in memory',
      ]);
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  });
});

describe('A mutant', () => {
  test('is the same for a seed and a number, and another for others', () => {
    const shown = (seed: number, index: number) =>
      [...makeMutant(seed, index).tree.values()].map(({ path, bytes }) => [path, bytes.toString('base64')]);

    expect(shown(3, 9)).toEqual(shown(3, 9));
    expect(shown(3, 9)).not.toEqual(shown(3, 10));
    expect(shown(3, 9)).not.toEqual(shown(4, 9));
  });

  test('changes each target, names and kinds', () => {
    const hows = Array.from({ length: 300 }, (_, index) => makeMutant(1, index).how);

    for (const target of targets) expect(hows.some((how) => how.startsWith(`${target}: `))).toBe(true);
    for (const kind of [/: renamed to /u, /: copied to /u, /: a symlink$/u, /: a directory$/u])
      expect(hows.some((how) => kind.test(how))).toBe(true);
  });

  test('is judged: nothing is wrong with the first forty', () => {
    const wrong = Array.from({ length: 40 }, (_, index) => judgeTree(makeMutant(1, index).tree, 7).wrong);

    expect(wrong.flat()).toEqual([]);
  });
});
