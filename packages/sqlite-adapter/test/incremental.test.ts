import { DIRECTORY_SHA256, type Settlement, type TreeStat } from '@deespec/domain';
import { MemoryTreeStore } from '@deespec/storage-contract';
import { afterAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';

import { checkIndex, openHandle } from '../src/index.js';
import type { SqliteTreeStore } from '../src/sqlite-tree-store.js';
import { editsOf, plans } from './random-edits.js';
import { freshStorage, removeDirectories } from './support.js';

afterAll(removeDirectories);

const now = () => new Date('2026-01-02T03:04:05Z');

/** What the database holds is what its bytes derive to. */
async function expectDerived(path: string): Promise<void> {
  const handle = openHandle(path, 'read');
  try {
    expect(await checkIndex(handle)).toEqual([]);
  } finally {
    handle.close();
  }
}

function all(store: { scan(): Iterable<TreeStat>; find: SqliteTreeStore['find'] }): string[] {
  return [...store.scan()].map((stat) => {
    const { path, kind, mode, size, mtimeNs, sha256 } = store.find(stat.path)!;
    return [path, kind, mode.toString(8), size, mtimeNs, sha256].join(' ');
  });
}

/** Settlements that bring the database from what it holds to what the reference holds. */
function settlementsOf(memory: MemoryTreeStore, store: SqliteTreeStore): Settlement[] {
  const gone = [...store.scan()].filter(({ path }) => memory.find(path) === undefined);
  const removed = gone.map(({ path }): Settlement => ({
    path,
    expected: store.find(path),
    change: { op: 'remove' },
    projection: undefined,
  }));
  const imported = [...memory.scan()].map((stat): Settlement => {
    const bytes = Buffer.concat([...memory.read(stat.path)]);
    const sha256 = stat.kind === 'directory' ? DIRECTORY_SHA256 : memory.find(stat.path)!.sha256;
    const content = bytes.length > 1_048_576 ? { chunks: [bytes], sha256: () => sha256 } : { bytes, sha256 };
    return {
      path: stat.path,
      expected: store.find(stat.path),
      change: { op: 'import', stat, content },
      projection: undefined,
    };
  });
  return [...imported, ...removed];
}

describe('The index', () => {
  test('after any sequence of edits is what a full derivation gives', async () => {
    await fc.assert(
      fc.asyncProperty(plans, async (sequence) => {
        const { storage, path, close } = await freshStorage({ now });
        const memory = new MemoryTreeStore(now, () => undefined);
        for (const steps of sequence) {
          const edits = await editsOf(memory, steps);
          await storage.store.edit(() => ({ edits }));
          await expectDerived(path);
        }
        expect(all(storage.store)).toEqual(all(memory));
        await close();
      }),
      { numRuns: 60 },
    );
  }, 120_000);

  test('after any settlements is what a full derivation gives', async () => {
    await fc.assert(
      fc.asyncProperty(plans, async (sequence) => {
        const { storage, path, close } = await freshStorage({ now });
        const memory = new MemoryTreeStore(now, () => undefined);
        for (const steps of sequence) {
          await editsOf(memory, steps);
          expect(await storage.store.settle(settlementsOf(memory, storage.store))).toEqual([]);
          await expectDerived(path);
        }
        expect(all(storage.store)).toEqual(all(memory));
        await close();
      }),
      { numRuns: 30 },
    );
  }, 120_000);
});
