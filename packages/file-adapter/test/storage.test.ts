import { pathFromText, putIf } from '@deespec/domain';
import { describe, expect, test } from '@jest/globals';
import fs from 'node:fs';
import { join } from 'node:path';

import { openFileStorage } from '../src/index.js';
import { codeOf, plant, temporary, withTree } from './support.js';

describe('openFileStorage', () => {
  test('refuses what is no directory', async () => {
    const { directory, remove } = temporary();
    plant(directory, { f: 'x' });

    expect(await codeOf(() => openFileStorage({ home: join(directory, 'none') }))).toBe('TREE.NOT_FOUND');
    expect(await codeOf(() => openFileStorage({ home: join(directory, 'f') }))).toBe('TREE.NOT_FOUND');
    expect(await codeOf(() => openFileStorage({ home: join(directory, 'f/below') }))).toBe('TREE.NOT_FOUND');
    remove();
  });

  test('resolves a symlinked home once', () => {
    const { directory, remove } = temporary();
    plant(directory, { 'one/f': '1', 'two/g': '2' });
    fs.symlinkSync('one', join(directory, 'home'));
    const { store } = openFileStorage({ home: join(directory, 'home') });
    fs.unlinkSync(join(directory, 'home'));
    fs.symlinkSync('two', join(directory, 'home'));

    expect([...store.scan()].map(({ path }) => path)).toEqual(['f']);
    remove();
  });

  test('reads a home whose name is no ASCII', async () => {
    const { directory, remove } = temporary();
    const home = join(directory, 'größe あ');
    plant(home, { é: 'x', plain: 'y' });
    const { store } = openFileStorage({ home });

    expect([...store.scan()].map(({ path }) => Buffer.concat([...store.read(path)]).toString())).toEqual([
      'y',
      'x',
    ]);
    remove();
  });

  test('takes the clock it is given for versions without a time', async () => {
    const { directory, remove } = temporary();
    const { store } = openFileStorage({ home: directory, now: () => new Date(1_700_000_000_123) });

    const version = { path: pathFromText('f'), kind: 'file', mode: 0o644, bytes: Buffer.from('x') } as const;

    expect((await putIf(store, version, undefined)).mtimeNs).toBe(1_700_000_000_123_000_000n);
    remove();
  });

  test('answers queries from the first scan, and again after a write of its own', () =>
    withTree(async ({ store, index, home }) => {
      plant(home, { 'setting.json': '{"a":1}' });
      expect((await index.getConfig('setting.a')).valueJson).toBe('1');

      const path = pathFromText('setting.json');
      const version = { path, kind: 'file', mode: 0o644, bytes: Buffer.from('{"a":2}') } as const;
      await putIf(store, version, store.find(path)!.sha256);

      expect((await index.getConfig('setting.a')).valueJson).toBe('2');
    }));
});
