import { describe, expect, test } from '@jest/globals';

import { judge, median, parseOptions, percentile } from '../src/index.js';

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
  test('default to the tree of the budgets', () => {
    expect(parseOptions([])).toEqual({
      sbis: 20_000,
      runs: 3,
      backupBytes: 1_073_741_824,
      output: undefined,
      keep: false,
    });
  });

  test.each([[['--runs', '0']], [['--sbis', '1e3']], [['--frobnicate']]])('refuse %p', (args) => {
    expect(() => parseOptions(args)).toThrow(/--/u);
  });
});
