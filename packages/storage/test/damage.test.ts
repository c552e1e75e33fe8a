import { afterAll, describe, expect, test } from '@jest/globals';
import Database from 'better-sqlite3';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { exportTree, migrate, openIndex, readStatus, verify } from '../src/index.js';
import { migratedTree, put, removeDirectories, temporaryDirectory } from './support.js';

afterAll(removeDirectories);

async function damagedTree(sql: string): Promise<string> {
  const home = await migratedTree();
  const handle = new Database(join(home, 'deespec.db'));
  handle.pragma('ignore_check_constraints = 1');
  handle.exec(sql);
  handle.close();
  return home;
}

const storedByte =
  "UPDATE execution SET content = CAST('x' || substr(content, 2) AS TEXT) WHERE id = (SELECT id FROM execution WHERE content IS NOT NULL LIMIT 1)";

describe('A database that was damaged', () => {
  test('is built from the files again once a verification found it, and is equal then', async () => {
    const home = await damagedTree(storedByte);
    expect((await verify({ home, checkAll: true })).ok).toBe(false);

    expect((await migrate({ home })).outcome).toBe('updated');

    expect((await verify({ home, checkAll: true })).ok).toBe(true);
  });

  test('is built from the files again when the run finds it', async () => {
    const home = await damagedTree(storedByte);
    put(home, 'knowledge/new.md', 'new');

    expect((await migrate({ home })).outcome).toBe('updated');

    expect((await verify({ home, checkAll: true })).ok).toBe(true);
  });

  test('stays known as damaged after a quick look', async () => {
    const home = await damagedTree(storedByte);
    await verify({ home, checkAll: true });
    await verify({ home });

    const { evidence, nextStep } = await readStatus({ home });

    expect(evidence?.differences).toBeGreaterThan(0);
    expect(nextStep).toContain('found differences');
  });

  test('is named when a row cannot be read', async () => {
    const home = await damagedTree("UPDATE sbi SET metadata = '{'");
    const storage = await openIndex({ home, store: 'sqlite' });

    await expect(storage.index.listSbis()).rejects.toMatchObject({ code: 'DATABASE.CORRUPT' });
    await storage.close();
  });
});

test('An export removes what a process left that ended but was not waited for', async () => {
  const home = await migratedTree();
  const parent = temporaryDirectory();
  // The child outlives the shell that would have waited for it: `exec` makes that a program which never waits.
  const shell = spawn('sh', ['-c', 'sleep 0.1 & echo $!; exec sleep 20'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const [line] = (await once(shell.stdout, 'data')) as [Buffer];
  const left = join(parent, `.deespec-export-${Number(line)}-AbCdEf`);
  mkdirSync(left);
  try {
    await sleep(400);
    expect(() => process.kill(Number(line), 0)).not.toThrow();

    await exportTree({ home, output: join(parent, 'out') });

    expect(existsSync(left)).toBe(false);
  } finally {
    shell.kill();
  }
});

test('An export removes what one that was killed left beside the target, and nothing else', async () => {
  const home = await migratedTree();
  const parent = temporaryDirectory();
  const left = join(parent, '.deespec-export-999999999-AbCdEf');
  const other = join(parent, '.deespec-export-notes');
  mkdirSync(join(left, 'specs'), { recursive: true });
  mkdirSync(other);

  await exportTree({ home, output: join(parent, 'out') });

  expect([existsSync(left), existsSync(other), existsSync(join(dirname(left), 'out/specs'))]).toEqual([
    false,
    true,
    true,
  ]);
});
