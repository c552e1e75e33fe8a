import { describe, expect, test } from '@jest/globals';

import {
  compareRatios,
  judge,
  median,
  parseOptions,
  percentile,
  renderComparison,
  type KeptResults,
} from '../src/index.js';

describe('statistics', () => {
  test('takes the nearest rank, whatever the order of the samples', () => {
    const samples = [50, 10, 40, 20, 30];

    expect(median(samples)).toBe(30);
    expect(percentile(samples, 0.95)).toBe(50);
    expect(percentile(samples, 0)).toBe(10);
    expect(median([2, 1])).toBe(1);
    expect(() => median([])).toThrow('no samples');
  });

  test('judges a figure by its budget', () => {
    const budget = { must: 5, goal: 3 };

    expect([3, 5, 5.1, undefined].map((value) => judge(value, budget))).toEqual([
      'goal',
      'must',
      'MISSED',
      '-',
    ]);
    expect(judge(3, undefined)).toBe('-');
  });
});

describe('options', () => {
  test('default to a size for every day; --full to that of the budgets', () => {
    expect(parseOptions([])).toEqual({
      sbis: 4_000,
      runs: 3,
      backupBytes: 268_435_456,
      items: 100_000,
      output: undefined,
      save: false,
      check: false,
      keep: false,
    });
    expect(parseOptions(['--full', '--runs', '1'])).toMatchObject({
      sbis: 20_000,
      runs: 1,
      backupBytes: 10_737_418_240,
      items: 1_000_000,
    });
  });

  test.each([[['--runs', '0']], [['--sbis', '1e3']], [['--frobnicate']]])('refuse %p', (args) => {
    expect(() => parseOptions(args)).toThrow(/--/u);
  });
});

describe('the kept run', () => {
  const run = (ratios: Record<string, number>, sbis = 10): KeptResults => ({
    ...{ sbis, backupBytes: 1, runs: 1, cpu: 'x', node: 'y', ratios },
  });

  test('is compared ratio by ratio; more than a fifth above it is a regression', () => {
    const compared = compareRatios(run({ a: 1, b: 2, gone: 1 }), run({ a: 1.2, b: 2.41, fresh: 9 }))!;

    expect(compared.map(({ name, isRegression }) => [name, isRegression])).toEqual([
      ['a', false],
      ['b', true],
    ]);
    expect(renderComparison(compared)).toMatch(/b .* \+21 % .*REGRESSION/u);
  });

  test('of another size is not compared', () => {
    expect(compareRatios(run({ a: 1 }), run({ a: 9 }, 20))).toBeUndefined();
    expect(renderComparison(undefined)).toContain('--save');
  });
});
