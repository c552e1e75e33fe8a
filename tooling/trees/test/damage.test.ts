import { describe, expect, test } from '@jest/globals';

import { damages, damageTree, generateTree } from '../src/index.js';
import { readTree, withDirectory } from './support.js';

describe('damageTree', () => {
  test.each(damages)('%s changes or adds the one file it names', (damage) => {
    withDirectory((directory) => {
      generateTree(directory, { layout: 'mixed', sbis: 12, seed: 1 });
      const before = new Map(readTree(directory).map((e) => [e.name, e.content]));

      const path = damageTree(directory, damage);

      const files = readTree(directory).filter((e) => e.kind === 'f');
      const changed = files.filter((e) => before.get(e.name)?.equals(e.content) !== true);
      expect(changed.map((e) => e.name)).toEqual([path]);
    });
  });

  test('makes what its name says', () => {
    const texts = damages.map((damage) =>
      withDirectory((directory) => {
        generateTree(directory, { layout: 'mixed', sbis: 12, seed: 1 });
        const path = damageTree(directory, damage);
        return readTree(directory)
          .find((e) => e.name === path)!
          .content.toString();
      }),
    );

    const [, torn, duplicate, unknown, tornJournal, garbage, zeros] = texts;
    expect(() => JSON.parse(torn!) as unknown).toThrow(SyntaxError);
    expect(duplicate!.match(/"status"/gu)).toHaveLength(2);
    expect(JSON.parse(unknown!)).toHaveProperty('status', 'PAUSED');
    expect(tornJournal!.endsWith('\n')).toBe(false);
    expect(garbage!.split('\n')[1]).toBe('{"ts": half a line');
    expect(zeros).toMatch(/^\0+$/u);
  });

  test('says so when the tree has no such file', () => {
    withDirectory((directory) => {
      generateTree(directory, { layout: 'B', sbis: 2, seed: 1 });

      expect(() => damageTree(directory, 'torn-state')).toThrow('state.json');
    });
  });
});
