import type { TreePath } from '@deespec/domain';
import { describe, expect, test } from '@jest/globals';
import fs from 'node:fs';
import { join } from 'node:path';

import type { FileStorage } from '../src/index.js';
import { codeOf, contentsOf, ownNames, plant, put, systemWith, withTree } from './support.js';

const path = 'd/f' as TreePath;

/** What a program does that knows nothing of us: another file gets the name. */
function replace(home: string, content: string): void {
  fs.writeFileSync(join(home, 'd/.tmp-1'), content);
  fs.renameSync(join(home, 'd/.tmp-1'), join(home, path));
}

/** A change of the file is refused, and what the other program put stays. */
async function expectTheirsToStay({
  store,
  home,
}: {
  store: FileStorage['store'];
  home: string;
}): Promise<void> {
  plant(home, { 'd/f': 'first' });
  const editing = store.edit(() => ({ edits: [put(path, 'ours', 'first')] }));

  expect(await codeOf(() => editing)).toBe('FILE.CHANGED');
  expect(contentsOf(store)['d/f']).toBe('file 644 theirs');
}

describe('a file that another program replaces', () => {
  test('while a change of it is planned is not taken for the one that the plan read', () =>
    withTree(async ({ store, home }) => {
      plant(home, { 'd/f': 'first' });

      const editing = store.edit((view) => {
        const read = Buffer.concat([...view.read(path)]).toString();
        replace(home, 'theirs');
        const { sha256: expected } = view.find(path)!;
        const version = { path, kind: 'file', mode: 0o644, bytes: Buffer.from(`${read} and ours`) } as const;
        return { edits: [{ op: 'put', version, expected }] };
      });

      expect(await codeOf(() => editing)).toBe('FILE.CHANGED');
      expect(contentsOf(store)['d/f']).toBe('file 644 theirs');
    }));

  test('between two looks of a plan is what it was at the first', () =>
    withTree(async ({ store, home }) => {
      plant(home, { 'd/f': 'first' });

      const read = await store.look((view) => {
        view.find(path);
        replace(home, 'theirs');
        return Buffer.concat([...view.read(path)]).toString();
      });

      expect(read).toBe('first');
    }));

  test('between two looks of a plan is not read as if it were the same, when it is too large to be held', () =>
    withTree(async ({ store, home }) => {
      plant(home, { 'd/f': 'first'.repeat(20_000) });

      const looking = store.look((view) => {
        view.find(path);
        replace(home, 'theirs');
        return Buffer.concat([...view.read(path)]);
      });

      expect(await codeOf(() => looking)).toBe('FILE.CHANGED');
    }));

  test('where nothing stood when the plan looked is not replaced', () =>
    withTree(async ({ store, home }) => {
      plant(home, { 'd/': '' });

      const editing = store.edit((view) => {
        const first = view.find(path);
        replace(home, 'theirs');
        expect(view.find(path)).toBe(first);
        return { edits: [put(path, 'ours')] };
      });

      expect(await codeOf(() => editing)).toBe('FILE.CHANGED');
      expect(contentsOf(store)['d/f']).toBe('file 644 theirs');
    }));

  test('directly after it was compared stays', () => {
    let home = '';
    const handles = new Set<number>();
    const openSync: typeof fs.openSync = (file, ...rest) => {
      const handle = fs.openSync(file, ...rest);
      if (String(file) === join(home, path)) handles.add(handle);
      return handle;
    };
    const closeSync: typeof fs.closeSync = (handle) => {
      fs.closeSync(handle);
      const isKept = handles.delete(handle) && ownNames(home, 'conflicts/replaced').length === 2;
      if (isKept) replace(home, 'theirs');
    };
    return withTree(async (tree) => {
      home = tree.home;
      await expectTheirsToStay(tree);
      expect(tree.store.settleReplaced(0)).toEqual([]);
      expect(ownNames(home, 'conflicts/replaced')).toEqual([]);
    }, systemWith({ openSync, closeSync }));
  });

  test('while it gets its second name stays', () => {
    let home = '';
    const linkSync: typeof fs.linkSync = () => {
      replace(home, 'theirs');
      // What the system says of a file that lost its last name in the middle of the call.
      throw Object.assign(new Error('ENOENT'), { code: 'ENOENT', syscall: 'link' });
    };
    return withTree(async (tree) => {
      home = tree.home;
      await expectTheirsToStay(tree);
    }, systemWith({ linkSync }));
  });
});
