import { describe, expect, test } from '@jest/globals';

import { allOperations, chooseOperations } from '../src/all-operations.js';

describe('The operations of a suite', () => {
  test('have names of their own', () => {
    const names = allOperations.map(({ name }) => name);

    expect(new Set(names).size).toBe(names.length);
  });

  test('are all of them in the full share', () => {
    expect(chooseOperations({ only: [], share: 'full', seed: 1 })).toEqual(allOperations);
  });

  test('are one of each kind in the CI share, and every one with some seed', () => {
    const kinds = new Set(allOperations.map(({ kind }) => kind));
    const seen = new Set<string>();
    for (const seed of [1, 2, 3]) {
      const chosen = chooseOperations({ only: [], share: 'ci', seed });
      expect(chosen.map(({ kind }) => kind)).toHaveLength(kinds.size);
      for (const { name } of chosen) seen.add(name);
    }

    expect(seen.size).toBe(allOperations.length);
  });

  test('that are rare are left out of the CI share, unless one is asked for', () => {
    const rare = [{ ...allOperations[0]!, name: 'rare', kind: 'rare' }];
    const chosen = (share: 'ci' | 'full', only: string[]): string[] =>
      chooseOperations({ only, share, seed: 1 }, { rare }).map(({ name }) => name);

    expect(chosen('ci', [])).not.toContain('rare');
    expect(chosen('full', [])).toContain('rare');
    expect(chosen('ci', ['rare'])).toEqual(['rare']);
  });

  test('are those of a name or a kind when one is asked for', () => {
    const named = (only: string[]): string[] =>
      chooseOperations({ only, share: 'ci', seed: 1 }).map(({ name }) => name);

    expect(named(['config.sqlite', 'migrate'])).toEqual(['migrate', 'config.sqlite']);
    expect(named(['config'])).toEqual(['config.file', 'config.dual_write', 'config.sqlite']);
  });
});
