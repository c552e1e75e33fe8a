import { afterAll, describe, expect, test } from '@jest/globals';
import Database from 'better-sqlite3';
import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

import { exportTree, migrate, readStatus, verify } from '../src/index.js';
import { generatedTree, migratedTree, removeDirectories, temporaryDirectory } from './support.js';

afterAll(removeDirectories);

describe('A tree that holds something else at a place of ours', () => {
  test.each(['.storage', '.storage/runs', '.storage/processes'])(
    'a link at %s is not written through',
    async (place) => {
      const home = generatedTree();
      const outside = temporaryDirectory();
      mkdirSync(join(outside, 'kept'));
      if (place !== '.storage') mkdirSync(join(home, '.storage'));
      symlinkSync(outside, join(home, place));

      await expect(migrate({ home })).rejects.toMatchObject({ code: 'DATABASE.UNSAFE_LINK' });

      expect(readdirSync(outside)).toEqual(['kept']);
      expect(existsSync(join(home, 'deespec.db'))).toBe(false);
    },
  );

  test.each([
    ['last-scan', () => 'last-scan'],
    ['.gitignore', () => '.gitignore'],
    ['the note of its process', () => `processes/${process.pid}.json`],
  ])('a link at %s is replaced or left, not written through', async (_, name) => {
    const home = generatedTree();
    const outside = join(temporaryDirectory(), 'precious');
    writeFileSync(outside, 'precious');
    mkdirSync(join(home, '.storage/processes'), { recursive: true });
    symlinkSync(outside, join(home, '.storage', name()));

    await migrate({ home });

    expect(readFileSync(outside, 'utf8')).toBe('precious');
  });

  test('a dangling link at .gitignore makes no file outside', async () => {
    const home = generatedTree();
    const outside = join(temporaryDirectory(), 'new');
    mkdirSync(join(home, '.storage'));
    symlinkSync(outside, join(home, '.storage/.gitignore'));

    await migrate({ home });

    expect(existsSync(outside)).toBe(false);
  });

  test.each(['deespec.db-journal', 'deespec.db-wal', '.storage/lock.db'])(
    'a FIFO at %s is not waited for',
    async (place) => {
      const home = await migratedTree();
      rmSync(join(home, place), { force: true });
      execFileSync('mkfifo', [join(home, place)]);

      await expect(verify({ home })).rejects.toMatchObject({ code: 'DATABASE.UNSAFE_LINK' });
      await expect(migrate({ home })).rejects.toMatchObject({ code: 'DATABASE.UNSAFE_LINK' });
    },
  );

  test.each(['null', '{', '{"at":{"x":1},"entries":"a","bytes":null}'])(
    'a last scan of %s is no scan',
    async (text) => {
      const home = await migratedTree();
      writeFileSync(join(home, '.storage/last-scan'), text);

      expect((await readStatus({ home })).lastScan).toBeUndefined();
    },
  );

  test('a link to itself at the first mark is stored as its target', async () => {
    const home = generatedTree();
    rmSync(join(home, 'specs'), { recursive: true });
    symlinkSync('specs', join(home, 'specs'));

    await migrate({ home, quarantine: true });

    expect((await verify({ home, checkAll: true })).ok).toBe(true);
  });

  test('a directory at the place of a note is removed', async () => {
    const home = generatedTree();
    const note = join(home, `.storage/processes/${process.pid}.json`);
    mkdirSync(join(note, 'in the way'), { recursive: true });

    expect((await migrate({ home })).outcome).toBe('created');
  });

  test('a FIFO for setting.json is not waited for', async () => {
    const home = generatedTree();
    rmSync(join(home, 'setting.json'));
    execFileSync('mkfifo', [join(home, 'setting.json')]);

    await expect(migrate({ home })).rejects.toMatchObject({ code: 'FILE.SPECIAL' });
    expect(await readStatus({ home })).toMatchObject({ setting: { code: 'LAYOUT.MALFORMED' } });
  });

  test('a link for setting.json is not followed for the mode, and is a finding', async () => {
    const home = generatedTree();
    rmSync(join(home, 'setting.json'));
    symlinkSync('/etc/hostname', join(home, 'setting.json'));

    await expect(migrate({ home })).rejects.toMatchObject({
      code: 'TREE.INVALID',
      details: { findings: [expect.objectContaining({ rule: 'not-a-regular-file', path: 'setting.json' })] },
    });
  });
});

test('a database with the journal of a killed writer is rolled back and read', async () => {
  const home = await migratedTree();
  const path = join(home, 'deespec.db');
  const driver = createRequire(import.meta.url).resolve('better-sqlite3');
  const program = `
    const db = new (require(${JSON.stringify(driver)}))(${JSON.stringify(path)});
    db.pragma('cache_size = 1');
    db.exec("BEGIN IMMEDIATE; UPDATE tree_entry SET rev = 99; UPDATE sbi SET task_id = 'x'");
    process.kill(process.pid, 'SIGKILL');`;
  spawnSync(process.execPath, ['-e', program]);
  expect(existsSync(`${path}-journal`)).toBe(true);

  expect((await verify({ home, checkAll: true })).ok).toBe(true);

  expect(
    new Database(path, { readonly: true }).prepare('SELECT max(rev) FROM tree_entry').pluck().get(),
  ).not.toBe(99);
});

const asRoot = process.getuid?.() === 0 ? test : test.skip;

describe('A tree that others made', () => {
  test('a setting.json of 600 MB is not read', async () => {
    const home = generatedTree();
    truncateSync(join(home, 'setting.json'), 600_000_000);

    expect(await readStatus({ home })).toMatchObject({ setting: { code: 'LAYOUT.MALFORMED' } });
  });

  test('directories that everybody may write are named, but for sticky ones', async () => {
    const home = generatedTree();
    chmodSync(home, 0o777);
    chmodSync(dirname(home), 0o1777);

    const { unsafeDirectories } = await migrate({ home });

    expect(unsafeDirectories).toEqual([home]);
  });

  asRoot('root leaves nothing in the tree of another user', async () => {
    const home = generatedTree();
    chownSync(home, 65_534, 65_534);

    await expect(migrate({ home })).rejects.toMatchObject({ code: 'PREFLIGHT.FOREIGN_OWNER' });
    await expect(exportTree({ home, output: join(home, '../out') })).rejects.toMatchObject({
      code: 'PREFLIGHT.FOREIGN_OWNER',
    });

    expect(existsSync(join(home, '.storage'))).toBe(false);
  });

  asRoot('another file system below it is refused and named', async () => {
    const home = generatedTree();
    const place = join(home, 'knowledge');
    mkdirSync(place, { recursive: true });
    execFileSync('mount', ['-t', 'tmpfs', 'none', place]);
    try {
      await expect(migrate({ home })).rejects.toMatchObject({
        code: 'PREFLIGHT.OTHER_DEVICE',
        details: { path: 'knowledge' },
      });
    } finally {
      execFileSync('umount', [place]);
    }
  });
});
