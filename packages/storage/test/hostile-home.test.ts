import { afterAll, describe, expect, test } from '@jest/globals';
import Database from 'better-sqlite3';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

import { migrate, readStatus, verify } from '../src/index.js';
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

  test('a FIFO for setting.json is not waited for', async () => {
    const home = generatedTree();
    rmSync(join(home, 'setting.json'));
    execFileSync('mkfifo', [join(home, 'setting.json')]);

    await expect(migrate({ home })).rejects.toMatchObject({ code: 'FILE.SPECIAL' });
    await expect(readStatus({ home })).rejects.toMatchObject({ code: 'LAYOUT.MALFORMED' });
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
