import { pathFromText, putIf } from '@deespec/domain';
import { describe, expect, test } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';

import { codeOf, pathsOf, plant, systemError, systemWith, withTree } from './support.js';

describe('scan', () => {
  test('lists raw names in byte order, with what tells versions apart', () =>
    withTree(({ store, home }) => {
      plant(home, { 'a/x': '1', 'a.b': '2', 'a b/': '', é: '3' });
      fs.writeFileSync(Buffer.concat([Buffer.from(`${home}/`), Buffer.from([0xff, 0x0a])]), '4');

      expect(pathsOf(store.scan())).toEqual(['a', 'a/x', 'a b', 'a.b', 'Ã©', 'ÿ\n']);
      const stat = fs.lstatSync(join(home, 'a.b'), { bigint: true });
      expect([...store.scan()].find(({ path }) => path === 'a.b')).toEqual({
        path: 'a.b',
        kind: 'file',
        mode: 0o644,
        mtimeNs: stat.mtimeNs,
        size: 1,
        ctimeNs: stat.ctimeNs,
        ino: stat.ino,
      });
    }));

  test('leaves out what is ours without a word', () =>
    withTree(({ store, home, ignored }) => {
      plant(home, {
        'deespec.db': 'x',
        'deespec.db-wal': 'x',
        'deespec.db-shm': 'x',
        'deespec.db-journal': 'x',
        '.storage/trash/1/x': 'x',
        'backups/one.db': 'x',
        'backups/one.db.manifest.json': 'x',
        kept: 'x',
        'specs/deespec.db': 'x',
        'specs/.storage/y': 'x',
      });

      expect(pathsOf(store.scan())).toEqual([
        'kept',
        'specs',
        'specs/.storage',
        'specs/.storage/y',
        'specs/deespec.db',
      ]);
      expect(ignored).toEqual([]);
    }));

  test('keeps everything in backups that has no manifest of ours', () =>
    withTree(({ store, home }) => {
      plant(home, {
        'backups/one.db': 'x',
        'backups/one.db.manifest.json': 'x',
        'backups/lonely.manifest.json': 'x',
        'backups/notes.md': 'x',
        'backups/dir/': '',
        'backups/dir.manifest.json': 'x',
        'backups/deeper/two.db': 'x',
        'backups/deeper/two.db.manifest.json': 'x',
      });

      expect(pathsOf(store.scan())).toEqual([
        'backups',
        'backups/deeper',
        'backups/deeper/two.db',
        'backups/deeper/two.db.manifest.json',
        'backups/dir',
        'backups/dir.manifest.json',
        'backups/lonely.manifest.json',
        'backups/notes.md',
      ]);
    }));

  test('keeps an empty backups directory', () =>
    withTree(({ store, home }) => {
      plant(home, { 'backups/': '' });

      expect(pathsOf(store.scan())).toEqual(['backups']);
    }));

  test('reports each ignored entry of other programs', () =>
    withTree(({ store, home, ignored }) => {
      plant(home, {
        'var/state.lock/held/by': 'abc',
        'var/runlock': '12345',
        'specs/.tmp.1': 'a',
        'specs/.tmp-2': 'bb',
        'specs/x.tmp': 'ccc',
        'specs/.tmpx': 'data',
        'specs/x.tmp.md': 'data',
        'specs/dir.tmp/f': 'data',
        'backups/b': 'x',
        'backups/b.manifest.json': 'x',
        'backups/half.tmp': '7',
      });
      fs.symlinkSync('nowhere', join(home, 'specs/link.tmp'));

      expect(pathsOf(store.scan())).toEqual([
        'specs',
        'specs/.tmpx',
        'specs/dir.tmp',
        'specs/dir.tmp/f',
        'specs/link.tmp',
        'specs/x.tmp.md',
        'var',
      ]);
      expect(ignored.map(({ path, kind, bytes }) => `${kind} ${bytes} ${path}`)).toEqual([
        'file 1 backups/half.tmp',
        'file 2 specs/.tmp-2',
        'file 1 specs/.tmp.1',
        'file 3 specs/x.tmp',
        'file 5 var/runlock',
        'directory 0 var/state.lock',
        'directory 0 var/state.lock/held',
        'file 3 var/state.lock/held/by',
      ]);
    }));

  test('agrees with find and read on what is ignored', () =>
    withTree(async ({ store, home }) => {
      plant(home, {
        'deespec.db': 'x',
        '.storage/f': 'x',
        'var/runlock': 'x',
        'a.tmp': 'x',
        'backups/b': 'x',
      });
      plant(home, { 'backups/b.manifest.json': 'x' });

      for (const text of [
        'deespec.db',
        '.storage',
        '.storage/f',
        'var/runlock',
        'a.tmp',
        'backups',
        'backups/b',
      ]) {
        const path = pathFromText(text);
        expect(store.find(path)).toBeUndefined();
        expect(await codeOf(() => [...store.read(path)])).toBe('FILE.NOT_FOUND');
        const kind = text === '.storage' || text === 'backups' ? 'directory' : 'file';
        const put = { path, kind, mode: 0o755, bytes: Buffer.alloc(0) } as const;
        expect(await codeOf(() => putIf(store, put, undefined))).toBe('TREE.PATH_UNSAFE');
      }
      expect(fs.readFileSync(join(home, 'deespec.db'), 'utf8')).toBe('x');
    }));

  test('names a FIFO, and a socket, instead of waiting for it', () =>
    withTree(async ({ store, home }) => {
      plant(home, { 'a/f': 'x' });
      execFileSync('mkfifo', [join(home, 'a/pipe')]);
      const path = pathFromText('a/pipe');

      expect(await codeOf(() => [...store.scan()])).toBe('FILE.SPECIAL');
      expect(() => [...store.scan()]).toThrow(/"a\/pipe"/);
      expect(await codeOf(() => [...store.read(path)])).toBe('FILE.SPECIAL');
      expect(await codeOf(() => store.find(path))).toBe('FILE.SPECIAL');

      fs.unlinkSync(join(home, 'a/pipe'));
      const server = createServer();
      await new Promise<void>((resolve) => server.listen(join(home, 'a/pipe'), resolve));
      expect(await codeOf(() => [...store.read(path)])).toBe('FILE.SPECIAL');
      await new Promise((resolve) => server.close(resolve));
    }));

  test.each([
    ['EACCES', 'FILE.PERMISSION'],
    ['EIO', 'FILE.READ_FAILED'],
    ['ENOTDIR', 'FILE.READ_FAILED'],
  ])('turns %s of a directory into %s', (code, expected) => {
    const fail = (): never => {
      throw systemError(code);
    };
    const system = systemWith({ readdirSync: fail });
    return withTree(
      async ({ store }) => expect(await codeOf(() => [...store.scan()])).toBe(expected),
      system,
    );
  });

  test('does not list an entry that vanishes while its directory is read', () => {
    const system = systemWith({
      readdirSync: ((...args: Parameters<typeof fs.readdirSync>) => {
        const names = fs.readdirSync(...args) as unknown as string[];
        return [...names, 'vanished'];
      }) as unknown as typeof fs.readdirSync,
    });
    return withTree(({ store, home }) => {
      plant(home, { f: 'x' });
      expect(pathsOf(store.scan())).toEqual(['f']);
    }, system);
  });

  test('holds 1,000 names of one directory in order', () =>
    withTree(({ store, home }) => {
      fs.mkdirSync(join(home, 'd'));
      for (let at = 0; at < 1_000; at += 1) fs.closeSync(fs.openSync(join(home, 'd', String(at)), 'w'));

      const paths = pathsOf(store.scan()).slice(1);

      expect(paths).toHaveLength(1_000);
      expect(paths).toEqual([...paths].sort());
    }));
});
