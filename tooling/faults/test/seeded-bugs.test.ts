import { describe, expect, test } from '@jest/globals';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { seedBugs, seededBugs, type BugName } from '../src/seeded-bugs.js';

const packages = fileURLToPath(new URL('../../../packages/', import.meta.url));
const names = Object.keys(seededBugs) as BugName[];

describe('Seeded bugs', () => {
  test.each(names)('%s still can be put into the built product', (name) => {
    const { patches } = seededBugs[name];

    expect(patches.length).toBeGreaterThan(0);
    for (const file of new Set(patches.map((patch) => patch.file))) {
      const text = readFileSync(packages + file, 'utf8');
      expect(seedBugs(`file:///${file}`, text, [name])).not.toBe(text);
    }
  });

  test('a replacement that does not match is an error, not a product without the bug', () => {
    expect(() => seedBugs('file:///storage/dist/runs.js', 'nothing of it', ['leftover-not-removed'])).toThrow(
      'stands 0 times',
    );
  });

  test('are in no file of the product', () => {
    const files = [
      'storage/dist/publish.js',
      'storage/dist/barrier.js',
      'file-adapter/dist/durable-write.js',
    ];

    for (const file of files) {
      expect(existsSync(packages + file)).toBe(true);
      expect(readFileSync(packages + file, 'utf8')).not.toContain('SEEDED');
    }
  });
});
