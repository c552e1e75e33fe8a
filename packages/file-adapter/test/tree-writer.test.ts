import { pathFromText, type TreeStat } from '@deespec/domain';
import { describe, expect, test } from '@jest/globals';
import fs from 'node:fs';
import { join } from 'node:path';

import { openFileStorage, TreeWriter, type Durability } from '../src/index.js';
import { codeOf, plant, systemError, systemWith, temporary } from './support.js';

const stat = (text: string, values: Partial<TreeStat> = {}): TreeStat => ({
  path: pathFromText(text),
  kind: 'file',
  mode: 0o644,
  mtimeNs: 1_767_323_045_123_456_000n,
  size: 1,
  ...values,
});

describe('TreeWriter', () => {
  test.each<Durability>(['filesystem', 'each'])(
    'copies a tree exactly, durable by %s',
    async (durability) => {
      const { directory, remove } = temporary();
      const from = join(directory, 'from');
      plant(from, {
        'a/b/c.md': 'x',
        'a/empty/': '',
        'a/ro/f': 'ro',
        'z\n\\': '\0',
        big: 'y'.repeat(2_500_000),
      });
      fs.symlinkSync('/nowhere', join(from, 'a/link'));
      fs.writeFileSync(Buffer.concat([Buffer.from(`${from}/`), Buffer.from([0xff])]), Buffer.from([0xff, 0]));
      fs.chmodSync(join(from, 'a/ro/f'), 0o444);
      fs.chmodSync(join(from, 'a/b/c.md'), 0o400);
      fs.chmodSync(join(from, 'a/empty'), 0o500);
      fs.chmodSync(join(from, 'a/ro'), 0o555);
      fs.lutimesSync(join(from, 'a/link'), 1.5, 1_600_000_000.123456);
      fs.utimesSync(join(from, 'a/ro'), 1.5, 1_600_000_000.654321);
      const source = openFileStorage({ home: from }).store;

      const writer = new TreeWriter(join(directory, 'to'), { durability });
      for (const entry of source.scan()) writer.put(entry, source.read(entry.path));
      writer.finish();
      await writer.sync();

      const versions = (home: string) => {
        const { store } = openFileStorage({ home });
        return [...store.scan()].map((entry) => ({
          ...store.find(entry.path),
          mtimeNs: entry.mtimeNs / 1000n,
          ino: 0,
          ctimeNs: 0,
        }));
      };
      expect(versions(join(directory, 'to'))).toEqual(versions(from));
      expect(versions(from)).toHaveLength(10);
      remove();
    },
  );

  test('keeps the modes of entries in a directory that ends up unreadable', () => {
    const { directory, remove } = temporary();
    const writer = new TreeWriter(join(directory, 'to'));
    writer.put(stat('d', { kind: 'directory', mode: 0o000 }), []);
    writer.put(stat('d/e', { kind: 'directory', mode: 0o500 }), []);
    writer.put(stat('d/e/f', { mode: 0o400 }), [Buffer.from('x')]);
    writer.finish();

    expect(fs.statSync(join(directory, 'to/d')).mode & 0o777).toBe(0);
    fs.chmodSync(join(directory, 'to/d'), 0o700);
    expect(fs.statSync(join(directory, 'to/d/e')).mode & 0o777).toBe(0o500);
    expect(fs.statSync(join(directory, 'to/d/e/f')).mode & 0o777).toBe(0o400);
    remove();
  });

  test('is done with a directory once its content is behind, but for those that await a symlink', async () => {
    const { directory, remove } = temporary();
    const to = join(directory, 'to');
    const writer = new TreeWriter(to);
    const mode = (path: string): number => fs.statSync(join(to, path)).mode & 0o777;
    for (const path of ['a', 'a/b', 'l', 'l/m']) {
      writer.put(stat(path, { kind: 'directory', mode: 0o555 }), []);
      if (path === 'a/b') writer.put(stat('a/b/f'), []);
      if (path === 'l/m') writer.put(stat('l/m/link', { kind: 'symlink' }), [Buffer.from('x')]);
    }
    writer.put(stat('z'), []);

    expect([mode('a'), mode('a/b')]).toEqual([0o555, 0o555]);
    expect([mode('l'), mode('l/m')]).toEqual([0o700, 0o700]);
    expect(await codeOf(() => writer.put(stat('a/late'), []))).toBe('FILE.NOT_FOUND');
    writer.finish();

    const times = ['a', 'a/b', 'l', 'l/m'].map((path) => fs.statSync(join(to, path)).mtimeMs);
    expect(new Set(times.map((ms) => Math.round(ms)))).toEqual(new Set([1_767_323_045_123]));
    expect([mode('l'), mode('l/m')]).toEqual([0o555, 0o555]);
    expect(fs.readlinkSync(join(to, 'l/m/link'))).toBe('x');
    remove();
  });

  test('refuses a target with content, and takes an empty one', async () => {
    const { directory, remove } = temporary();
    plant(directory, { 'full/f': 'x', 'empty/': '' });

    expect(await codeOf(() => new TreeWriter(join(directory, 'full')))).toBe('EXPORT.TARGET_NOT_EMPTY');
    expect(await codeOf(() => new TreeWriter(join(directory, 'no/parent')))).toBe('FILE.NOT_FOUND');
    expect(await codeOf(() => new TreeWriter(join(directory, 'empty')))).toBe('no error');
    remove();
  });

  test('never writes through a symlink of the tree', async () => {
    const { directory, remove } = temporary();
    plant(directory, { 'outside/': '' });
    const writer = new TreeWriter(join(directory, 'to'));
    writer.put(stat('l', { kind: 'symlink' }), [Buffer.from('../outside')]);

    expect(await codeOf(() => writer.put(stat('l/f'), [Buffer.from('x')]))).toBe('FILE.NOT_FOUND');
    writer.put(stat('l'), [Buffer.from('x')]);
    expect(await codeOf(() => writer.finish())).toBe('FILE.CHANGED');
    expect(fs.readdirSync(join(directory, 'outside'))).toEqual([]);
    remove();
  });

  test.each([
    ['an entry put twice', 'f', 'FILE.CHANGED'],
    ['an entry whose directory was not put', 'no/f', 'FILE.NOT_FOUND'],
    ['a path that climbs', '../f', 'TREE.PATH_UNSAFE'],
  ])('refuses %s', async (_, text, code) => {
    const { directory, remove } = temporary();
    const writer = new TreeWriter(join(directory, 'to'));
    writer.put(stat('f'), []);

    expect(await codeOf(() => writer.put({ ...stat('f'), path: text as TreeStat['path'] }, []))).toBe(code);
    remove();
  });

  test('says that space ran out, and that a sync failed', async () => {
    const { directory, remove } = temporary();
    const full = systemWith({
      writeSync: () => {
        throw systemError('ENOSPC');
      },
    });
    const unsynced = systemWith({
      openSync: ((path: string, ...rest: [number, number]) => {
        if (path.endsWith('/unsynced')) throw systemError('EIO');
        return fs.openSync(path, ...rest);
      }) as typeof fs.openSync,
    });

    const one = new TreeWriter(join(directory, 'full'), { system: full });
    expect(await codeOf(() => one.put(stat('f'), [Buffer.from('x')]))).toBe('FILE.NO_SPACE');
    const two = new TreeWriter(join(directory, 'unsynced'), { system: unsynced, durability: 'each' });
    two.finish();
    expect(await codeOf(() => two.sync())).toBe('FILE.OUTCOME_UNKNOWN');
    remove();
  });
});
