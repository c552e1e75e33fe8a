import { afterAll, describe, expect, test } from '@jest/globals';
import Database from 'better-sqlite3';
import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';

import { migrate, readStatus, verify } from '../src/index.js';
import { startHolder } from './holder.js';
import { expectError, generatedTree, migratedTree, put, removeDirectories, sbisWith } from './support.js';

afterAll(removeDirectories);

describe('A second run', () => {
  test.each([
    ['an SBI', (home: string) => sbisWith(home, 'state.json')[0]!],
    ['a transaction', (home: string) => findTransaction(home)],
  ])('removes the rows of %s whose directory became a file', async (_, find) => {
    const home = await migratedTree('A');
    const path = find(home);
    rmSync(join(home, path), { recursive: true });
    put(home, path, 'a file now\n');

    await migrate({ home, quarantine: true });

    expect((await verify({ home, checkAll: true })).differences).toEqual([]);
  });

  test.each([
    ['is removed', (home: string) => rmSync(join(home, 'workflow.json'))],
    ['is broken', (home: string) => put(home, 'workflow.json', '{')],
  ])('takes the settings of etc/workflow.yaml when workflow.json %s', async (_, change) => {
    const home = generatedTree('B');
    put(home, 'workflow.json', '{"name":"of layout A"}');
    await migrate({ home });
    change(home);

    await migrate({ home, quarantine: true });

    expect((await verify({ home, checkAll: true })).differences).toEqual([]);
  });

  test('does not replace a database that another program has open for writing', async () => {
    const home = await migratedTree();
    const writer = new Database(join(home, 'deespec.db'));
    writer.exec('BEGIN IMMEDIATE');
    put(home, 'specs/added.md', 'new');

    try {
      await expectError(migrate({ home }), 'SQLITE.BUSY');
    } finally {
      writer.close();
    }
    expect((await migrate({ home })).outcome).toBe('updated');
  });
});

test('Status says who holds the barrier exclusively', async () => {
  const home = await migratedTree();
  const holder = await startHolder(home, 'exclusive', 'migrate');
  try {
    expect(await readStatus({ home })).toMatchObject({
      lock: { held: true, holder: { pid: holder.pid, command: 'migrate' } },
      nextStep: 'wait: a command works on the tree',
    });
  } finally {
    await holder.kill();
  }
});

test('A file whose time does not fit the database is refused by name, and nothing is published', async () => {
  const home = generatedTree('A');
  execFileSync('touch', ['-d', '2400-01-01', put(home, 'knowledge/old.md', 'bytes')]);

  const error = await expectError(migrate({ home }), 'FILE.TIME_RANGE');

  expect(error.message).toContain('knowledge/old.md');
  expect((await readStatus({ home })).database).toEqual({ state: 'absent' });
});

function findTransaction(home: string): string {
  const options = { cwd: home, encoding: 'utf8' } as const;
  return execFileSync('find', ['journal', '-mindepth', '2', '-maxdepth', '2'], options).split('\n')[0]!;
}
