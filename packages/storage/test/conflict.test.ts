import { pathFromText } from '@deespec/domain';
import { openFileStorage } from '@deespec/file-adapter';
import { afterEach, expect, test } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { listConflicts, openPresent, resolveConflict, setMode, sync } from '../src/index.js';
import { migratedTree, put, removeDirectories } from './support.js';

afterEach(removeDirectories);

const PATH = 'knowledge/both.md';

/** A tree in mode sqlite with a conflict: the database's version stands, the files' one was kept. */
async function withConflict(): Promise<string> {
  const home = await migratedTree();
  put(home, PATH, 'at first\n');
  await setMode({ home, mode: 'sqlite' });
  const { openSqliteStorage } = await import('@deespec/sqlite-adapter');
  const database = await openSqliteStorage({ path: join(home, 'deespec.db'), owes: true });
  const path = pathFromText(PATH);
  const version = { path, kind: 'file', mode: 0o644, bytes: Buffer.from('by the database\n') } as const;
  await database.store.edit((tree) => ({
    edits: [{ op: 'put', version, expected: tree.find(path)!.sha256 }],
  }));
  await database.close();
  writeFileSync(join(home, PATH), 'by the files\n');
  await sync({ home });
  return home;
}

test.each([
  ['file', 'by the files\n', 'by the database\n'],
  ['db', 'by the database\n', 'by the files\n'],
] as const)(
  'resolving with --take %s lets that version stand in both stores, and keeps the other in the trash',
  async (take, stands, other) => {
    const home = await withConflict();
    const [conflict] = await listConflicts({ home });

    const { written } = await resolveConflict({ home, id: conflict!.id, take, user: 'ops' });

    const audit = [...openFileStorage({ home }).store.auditSince(0)].map(({ action, user }) => [
      action,
      user,
    ]);
    expect(audit).toEqual(written ? [['resolve', 'ops']] : []);
    expect(written).toBe(take === 'file');
    expect(readFileSync(join(home, PATH), 'utf8')).toBe(stands);
    expect(await listConflicts({ home })).toEqual([]);
    expect(await sync({ home })).toMatchObject({ wrote: 0, conflicts: [] });
    const found = execFileSync('grep', ['-rlF', other.trim(), join(home, '.storage/trash')], {
      encoding: 'utf8',
    });
    expect(found.trim()).not.toBe('');
    expect([...openFileStorage({ home }).store.read(pathFromText(PATH))].join('')).toBe(stands);
  },
);

test('what stands at the path of a conflict is shown as the truth has it, also when nothing does', async () => {
  const home = await withConflict();
  const [conflict] = await listConflicts({ home });
  const chunks: Buffer[] = [];

  const present = await openPresent({ home, id: conflict!.id });
  await present.read(async (chunk) => void chunks.push(Buffer.from(chunk)));

  expect(present.entry).toMatchObject({ kind: 'file', size: 16 });
  expect(Buffer.concat(chunks).toString()).toBe('by the database\n');
  await expect(openPresent({ home, id: 'none' })).rejects.toMatchObject({ code: 'CONFLICT.NOT_FOUND' });
});
