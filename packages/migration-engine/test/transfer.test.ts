import {
  pathFromText,
  putIf,
  removeIf,
  type TreePath,
  type TreeReader,
  type TreeStat,
} from '@deespec/domain';
import { MemoryTreeStore } from '@deespec/storage-contract';
import { describe, expect, test } from '@jest/globals';

import { exportTree, matchTree, type TreeSource } from '../src/index.js';

const entries = ['d/', 'd/a', 'd/b/', 'd/b/c', 'e'];

/** A tree of five entries whose files hold their own path. */
async function tree(): Promise<MemoryTreeStore> {
  const store = new MemoryTreeStore(
    () => new Date(0),
    () => undefined,
  );
  for (const name of entries) {
    const kind = name.endsWith('/') ? 'directory' : 'file';
    const path = pathFromText(name.replace(/\/$/u, ''));
    await putIf(
      store,
      { path, kind, mode: 0o755, bytes: Buffer.from(kind === 'file' ? name : '') },
      undefined,
    );
  }
  return store;
}

/** `store` as a live tree whose entries were all touched at `ctimeNs`; `reads` gets each path that is read. */
function live(store: MemoryTreeStore, ctimeNs: bigint, reads: TreePath[] = []): TreeSource {
  return {
    *scan() {
      for (const stat of store.scan()) yield { ...stat, ctimeNs };
    },
    find: (path) => store.find(path),
    read: (path) => {
      reads.push(path);
      return store.read(path);
    },
  };
}

function storedIn(store: MemoryTreeStore) {
  return { lookup: (path: TreePath) => store.find(path), count: () => [...store.scan()].length };
}

async function replace(store: MemoryTreeStore, name: string, bytes: string): Promise<void> {
  await replaceMode(store, name, { bytes, mode: 0o755 });
}

async function replaceMode(
  store: MemoryTreeStore,
  name: string,
  { bytes, mode }: { bytes: string; mode: number },
): Promise<void> {
  const path = pathFromText(name);
  await putIf(store, { path, kind: 'file', mode, bytes: Buffer.from(bytes) }, store.find(path)?.sha256);
}

describe('matchTree', () => {
  test('finds two equal trees equal, and counts what it compared', async () => {
    const result = await matchTree({ source: live(await tree(), 0n), target: storedIn(await tree()) });

    expect(result).toEqual({ same: true, scanned: { entries: 5, bytes: 9 } });
  });

  test.each([
    ['bytes of the same length', (store: MemoryTreeStore) => replace(store, 'd/a', 'xxx')],
    ['a length', (store: MemoryTreeStore) => replace(store, 'd/a', 'longer')],
    ['a mode', (store: MemoryTreeStore) => replaceMode(store, 'd/a', { bytes: 'd/a', mode: 0o600 })],
    ['an added file', (store: MemoryTreeStore) => replace(store, 'd/z', '')],
    [
      'a removed file',
      (store: MemoryTreeStore) => removeIf(store, pathFromText('e'), store.find(pathFromText('e'))!.sha256),
    ],
  ])('finds %s', async (_, change) => {
    const changed = await tree();
    await change(changed);

    for (const [source, target] of [
      [changed, await tree()],
      [await tree(), changed],
    ] as const) {
      expect((await matchTree({ source: live(source, 0n), target: storedIn(target) })).same).toBe(false);
    }
  });

  test('reads what was touched since the time it is told to trust, and nothing else', async () => {
    const store = await tree();
    const old: TreePath[] = [];
    const fresh: TreePath[] = [];

    await matchTree({ source: live(store, 99n, old), target: storedIn(store), trustBeforeNs: 100n });
    await matchTree({ source: live(store, 100n, fresh), target: storedIn(store), trustBeforeNs: 100n });

    expect(old).toEqual([]);
    expect(fresh).toEqual(['d/a', 'd/b/c', 'e']);
  });

  test('takes a file that vanishes before it is read for a difference', async () => {
    const store = await tree();
    const source = live(store, 0n);
    const gone = await tree();
    await removeIf(gone, pathFromText('e'), gone.find(pathFromText('e'))!.sha256);

    const result = await matchTree({
      source: { ...source, read: (path) => gone.read(path) },
      target: storedIn(store),
    });

    expect(result.same).toBe(false);
  });
});

describe('exportTree', () => {
  /** A sink that keeps what it gets, in order. */
  function sink() {
    const written: string[] = [];
    return {
      written,
      put: ({ path, kind }: TreeStat, chunks: Iterable<Buffer>) =>
        void written.push(`${kind} ${path} ${Buffer.concat([...chunks]).toString()}`),
      finish: () => void written.push('finish'),
    };
  }

  test('writes parents before children and finishes once, at the end', async () => {
    const target = sink();

    const done = await exportTree({ source: await tree(), sink: target });

    expect(done).toEqual({ entries: 5, bytes: 9 });
    expect(target.written).toEqual([
      'directory d ',
      'file d/a d/a',
      'directory d/b ',
      'file d/b/c d/b/c',
      'file e e',
      'finish',
    ]);
  });

  test('does not finish what it could not read', async () => {
    const target = sink();
    const store = await tree();
    const source: TreeReader = {
      scan: () => store.scan(),
      find: (path) => store.find(path),
      read: (path) => store.read(path === 'e' ? pathFromText('absent') : path),
    };

    await expect(exportTree({ source, sink: target })).rejects.toMatchObject({ code: 'FILE.NOT_FOUND' });

    expect(target.written).not.toContain('finish');
  });
});
