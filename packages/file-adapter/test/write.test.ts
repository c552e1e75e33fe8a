import { pathFromText, putIf, removeIf, type TreeVersion } from '@deespec/domain';
import { describe, expect, test } from '@jest/globals';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { join } from 'node:path';

import { writeFileDurably, type FileSystem } from '../src/index.js';
import { codeOf, pathsOf, plant, systemError, systemWith, temporary, withTree } from './support.js';

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const put = (values: Partial<TreeVersion> = {}): TreeVersion => ({
  path: pathFromText('d/f'),
  kind: 'file',
  mode: 0o640,
  bytes: Buffer.from('new'),
  ...values,
});

/** Replaces a file while some calls fail: the code, and what stands there then. */
async function failing(
  calls: Partial<FileSystem>,
): Promise<{ code: string; content: string; names: string[] }> {
  const { directory, remove } = temporary();
  plant(directory, { f: 'old' });
  const target = join(directory, 'f');
  const file = { target, kind: 'file', bytes: Buffer.from('new'), mode: 0o640 } as const;
  const code = await codeOf(() => writeFileDurably(file, systemWith(calls)));
  const result = { code, content: fs.readFileSync(target, 'utf8'), names: fs.readdirSync(directory) };
  remove();
  return result;
}

function failWith(code: string): () => never {
  return () => {
    throw systemError(code);
  };
}

describe('durable write', () => {
  test.each<[string, string, Partial<FileSystem>]>([
    ['FILE.NO_SPACE', 'a write finds no space', { writeSync: failWith('ENOSPC') }],
    ['FILE.NO_SPACE', 'a write is over quota', { writeSync: failWith('EDQUOT') }],
    ['FILE.NO_SPACE', 'the sync finds no space', { fsyncSync: failWith('ENOSPC') }],
    ['FILE.WRITE_FAILED', 'a write fails', { writeSync: failWith('EIO') }],
    ['FILE.WRITE_FAILED', 'the mode cannot be set', { fchmodSync: failWith('EINVAL') }],
    ['FILE.PERMISSION', 'the rename is forbidden', { renameSync: failWith('EACCES') }],
    ['FILE.OUTCOME_UNKNOWN', 'the sync fails', { fsyncSync: failWith('EIO') }],
    ['FILE.OUTCOME_UNKNOWN', 'the rename fails', { renameSync: failWith('EIO') }],
  ])('says %s when %s, leaves the old content and no temporary file', async (code, _, calls) => {
    expect(await failing(calls)).toEqual({ code, content: 'old', names: ['f'] });
  });

  test('says FILE.OUTCOME_UNKNOWN when the directory cannot be synced after the rename', async () => {
    let syncs = 0;
    const fsyncSync = (handle: number): void => {
      if ((syncs += 1) === 2) throw systemError('ENOSPC');
      fs.fsyncSync(handle);
    };

    expect(await failing({ fsyncSync })).toEqual({
      code: 'FILE.OUTCOME_UNKNOWN',
      content: 'new',
      names: ['f'],
    });
  });

  test('keeps the first error when the temporary file cannot be removed either', async () => {
    const calls = { writeSync: failWith('ENOSPC'), unlinkSync: failWith('EIO') };

    const { code, content, names } = await failing(calls);

    expect([code, content, names.length]).toEqual(['FILE.NO_SPACE', 'old', 2]);
  });

  test('syncs the file before the rename and the directory after it', async () => {
    const calls: string[] = [];
    const traced = (name: 'writeSync' | 'fsyncSync' | 'renameSync' | 'fchmodSync') => ({
      [name]: (...args: never[]) => {
        calls.push(name);
        return (fs[name] as (...all: never[]) => unknown)(...args);
      },
    });
    await failing({
      ...traced('writeSync'),
      ...traced('fchmodSync'),
      ...traced('fsyncSync'),
      ...traced('renameSync'),
    });

    expect(calls).toEqual(['writeSync', 'fchmodSync', 'fsyncSync', 'renameSync', 'fsyncSync']);
  });

  test('writes on when the system takes a part only', async () => {
    const writeSync = ((handle: number, bytes: Uint8Array, offset: number) =>
      fs.writeSync(handle, bytes, offset, 1)) as typeof fs.writeSync;

    expect(await failing({ writeSync })).toMatchObject({ code: 'no error', content: 'new' });
  });

  test('changes nothing when somebody wrote in between', () => {
    let home = '';
    const fsyncSync = (handle: number): void => {
      fs.fsyncSync(handle);
      fs.writeFileSync(join(home, 'd/f'), 'from elsewhere');
    };
    return withTree(async (tree) => {
      home = tree.home;
      plant(home, { 'd/f': 'old' });

      expect(await codeOf(() => putIf(tree.store, put(), sha256('old')))).toBe('FILE.CHANGED');
      expect(fs.readFileSync(join(home, 'd/f'), 'utf8')).toBe('from elsewhere');
      expect(fs.readdirSync(join(home, 'd'))).toEqual(['f']);
    }, systemWith({ fsyncSync }));
  });

  test('replaces a symlink itself, not what it points to', () => {
    const { directory, remove } = temporary();
    plant(directory, { target: 'kept' });
    fs.symlinkSync('target', join(directory, 'link'));

    writeFileDurably({
      target: join(directory, 'link'),
      kind: 'file',
      bytes: Buffer.from('new'),
      mode: 0o600,
    });

    expect(fs.readFileSync(join(directory, 'target'), 'utf8')).toBe('kept');
    expect(fs.lstatSync(join(directory, 'link')).mode & 0o170777).toBe(0o100600);
    remove();
  });

  test.each([0o022, 0o077])('gives the exact mode under umask %o', (umask) =>
    withTree(async ({ store, home }) => {
      plant(home, { 'd/': '' });
      const before = process.umask(umask);
      try {
        await putIf(store, put({ mode: 0o666 }), undefined);
        await putIf(
          store,
          put({ path: pathFromText('d/e'), kind: 'directory', mode: 0o777, bytes: Buffer.alloc(0) }),
          undefined,
        );
      } finally {
        process.umask(before);
      }

      expect(fs.statSync(join(home, 'd/f')).mode & 0o7777).toBe(0o666);
      expect(fs.statSync(join(home, 'd/e')).mode & 0o7777).toBe(0o777);
    }),
  );
});

describe('removeIf', () => {
  test('moves content to the trash, which scans and git ignore', () =>
    withTree(async ({ store, home }) => {
      plant(home, { 'd/f': 'one', 'e/f': 'two' });

      await removeIf(store, pathFromText('d/f'), sha256('one'));
      await removeIf(store, pathFromText('e/f'), sha256('two'));

      const trash = join(home, '.storage/trash');
      const kept = fs.readdirSync(trash).map((id) => fs.readFileSync(join(trash, id, 'f'), 'utf8'));
      expect(kept.sort()).toEqual(['one', 'two']);
      expect(fs.readFileSync(join(home, '.storage/.gitignore'), 'utf8')).toBe('*\n');
      expect(pathsOf(store.scan())).toEqual(['d', 'e']);
    }));

  test('refuses to use a .storage that leads elsewhere', () =>
    withTree(async ({ store, home }) => {
      plant(home, { 'd/f': 'one' });
      fs.symlinkSync('d', join(home, '.storage'));

      expect(await codeOf(() => removeIf(store, pathFromText('d/f'), sha256('one')))).toBe(
        'TREE.PATH_UNSAFE',
      );
      expect(fs.readFileSync(join(home, 'd/f'), 'utf8')).toBe('one');
    }));
});
