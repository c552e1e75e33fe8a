import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';

import { arbitraryTree, writeArbitraryTree, type ArbitraryTree } from '../src/arbitrary.js';
import { hashTree, readTree, withDirectory, type DiskEntry } from './support.js';

/** What the disk should hold, in the order of `readTree`. */
function expectedEntries(tree: ArbitraryTree, prefix = ''): DiskEntry[] {
  const sorted = tree.toSorted(([a], [b]) => (a < b ? -1 : 1));
  return sorted.flatMap(([name, node]) => {
    const entry = { name: `${prefix}${name}`, mtimeNs: BigInt(node.mtimeUs) };
    if (node.kind === 'symlink')
      return [{ ...entry, kind: 'l', mode: 0o777, content: Buffer.from(node.target) }];
    if (node.kind === 'file')
      return [{ ...entry, kind: 'f', mode: node.mode, content: Buffer.from(node.bytes) }];
    const children = expectedEntries(node.children, `${entry.name}/`);
    return [{ ...entry, kind: 'd', mode: node.mode, content: Buffer.alloc(0) }, ...children];
  });
}

describe('arbitraryTree', () => {
  test('is written to disk exactly as it says, to the microsecond', () => {
    fc.assert(
      fc.property(arbitraryTree(), (tree) => {
        withDirectory((directory) => {
          writeArbitraryTree(directory, tree);
          const entries = readTree(directory).map((e) => ({ ...e, mtimeNs: e.mtimeNs / 1000n }));
          expect(entries).toEqual(expectedEntries(tree));
        });
      }),
      { numRuns: 60 },
    );
  });

  test('counts what it wrote, and writes the same tree twice', () => {
    fc.assert(
      fc.property(arbitraryTree(), (tree) => {
        const [first, second] = [1, 2].map(() =>
          withDirectory((directory) => [writeArbitraryTree(directory, tree), hashTree(directory)] as const),
        );
        const entries = expectedEntries(tree);
        expect(second).toEqual(first);
        expect(first![0].files).toBe(entries.filter((e) => e.kind === 'f').length);
        expect(first![0].bytes).toBe(entries.reduce((sum, e) => sum + e.content.length, 0));
      }),
      { numRuns: 20 },
    );
  });

  test('reaches both layouts, broken SBIs, symlinks, awkward names and nesting', () => {
    const trees = fc.sample(arbitraryTree(), { numRuns: 200, seed: 1 });

    const names = trees.flatMap((tree) => expectedEntries(tree));
    const some = (pattern: RegExp, kind: string): boolean =>
      names.some((e) => e.kind === kind && pattern.test(e.name));

    expect(some(/^specs\/sbi\/SBI-[0-9A-Z]{26}\/state\.json$/u, 'f')).toBe(true);
    expect(some(/^specs\/sbi\/SBI-[0-9A-Z]{26}\/meta\.yml$/u, 'f')).toBe(true);
    expect(some(/^specs\/sbi\/SBI-INIT-001$/u, 'd')).toBe(true);
    expect(some(/^var\/journal\.ndjson$/u, 'f')).toBe(true);
    expect(some(/\n|\\|\xff/u, 'f')).toBe(true);
    expect(some(/^[^/]+\/[^/]+\/[^/]+$/u, 'l')).toBe(true);
    expect(names.every((e) => !/^\.tmp[.-]|\.tmp$/u.test(e.name.slice(e.name.lastIndexOf('/') + 1)))).toBe(
      true,
    );
  });
});
