import { pathFromText, putIf, removeIf } from '@deespec/domain';
import { describe, expect, test } from '@jest/globals';
import fs from 'node:fs';
import { join } from 'node:path';

import { codeOf, plant, systemError, systemWith, temporary, withTree } from './support.js';

const path = pathFromText('d/f');

/** A file system in which the tree's file changes after each of the first `times` reads. */
function changingSystem(change: (read: number) => void) {
  let reads = 0;
  return systemWith({
    readSync: ((...args: Parameters<typeof fs.readSync>) => {
      const length = fs.readSync(...args);
      change((reads += 1));
      return length;
    }) as typeof fs.readSync,
  });
}

describe('read', () => {
  test('reads a file again when it changed meanwhile', () => {
    let home = '';
    const system = changingSystem((read) => {
      if (read <= 2) fs.writeFileSync(join(home, 'd/f'), `version ${read}`);
    });
    return withTree((tree) => {
      home = tree.home;
      plant(home, { 'd/f': 'version 0' });

      expect(Buffer.concat([...tree.store.read(path)]).toString()).toBe('version 2');
    }, system);
  });

  test('gives up on a file that changes every time', () => {
    let home = '';
    const system = changingSystem((read) => fs.appendFileSync(join(home, 'd/f'), String(read)));
    return withTree(async (tree) => {
      home = tree.home;
      plant(home, { 'd/f': 'x' });

      expect(await codeOf(() => [...tree.store.read(path)])).toBe('FILE.UNSTABLE');
    }, system);
  });

  test.each([
    ['grows', (file: string) => fs.appendFileSync(file, 'x')],
    ['shrinks', (file: string) => fs.truncateSync(file, 1_500_000)],
    ['is rewritten in place', (file: string) => fs.writeFileSync(file, Buffer.alloc(3_000_000, 'y'))],
  ])('fails when a large file %s while it is streamed', (_, change) =>
    withTree(async ({ store, home }) => {
      plant(home, { 'd/f': '' });
      fs.writeFileSync(join(home, 'd/f'), Buffer.alloc(3_000_000, 'x'));

      const read = async (): Promise<void> => {
        let chunks = 0;
        for (const chunk of store.read(path)) {
          expect(chunk.length).toBeLessThanOrEqual(1_048_576);
          if (chunks++ === 0) change(join(home, 'd/f'));
        }
      };

      expect(await codeOf(read)).toBe('FILE.UNSTABLE');
    }),
  );

  test('sees nothing through a parent that became a symlink', async () => {
    const { directory, remove } = temporary();
    plant(directory, { f: 'outside' });
    await withTree(async ({ store, home }) => {
      fs.symlinkSync(directory, join(home, 'd'));

      expect(store.find(path)).toBeUndefined();
      expect(await codeOf(() => [...store.read(path)])).toBe('FILE.NOT_FOUND');
      const put = { path, kind: 'file', mode: 0o644, bytes: Buffer.from('x') } as const;
      expect(await codeOf(() => putIf(store, put, undefined))).toBe('FILE.NOT_FOUND');
      expect(await codeOf(() => removeIf(store, path, ''))).toBe('FILE.NOT_FOUND');
    });
    expect(fs.readFileSync(join(directory, 'f'), 'utf8')).toBe('outside');
    remove();
  });

  test.each([
    ['EACCES', 'FILE.PERMISSION'],
    ['EIO', 'FILE.READ_FAILED'],
    ['ENOENT', 'FILE.NOT_FOUND'],
  ])('turns %s into %s', (code, expected) => {
    const fail = (): never => {
      throw systemError(code);
    };
    return withTree(
      async ({ store, home }) => {
        plant(home, { 'd/f': 'x' });
        expect(await codeOf(() => [...store.read(path)])).toBe(expected);
      },
      systemWith({ openSync: fail }),
    );
  });
});
