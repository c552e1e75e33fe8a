import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, jest, test } from '@jest/globals';
import { deespec, documentOf, homeIn, homeWithConflict, removeDirectories, runInProcess } from './support.js';

// Many processes, each of which loads the whole program.
jest.setTimeout(120_000);
afterAll(removeDirectories);

const look = async (home: string, ...args: string[]) =>
  documentOf(await runInProcess([...args, '--home', home, '--json']));

/** Contents that are kept in the trash. */
function trashOf(home: string): string[] {
  const trash = join(home, '.storage/trash');
  return readdirSync(trash).map((name) => readFileSync(join(trash, name, 'content'), 'utf8'));
}

describe('a file that was edited by hand while the database moved too', () => {
  test('is kept as a conflict that list and show name', async () => {
    const { home, id, path, byHand, byApi, file } = await homeWithConflict();

    const list = await deespec(['conflict', 'list', '--home', home]);
    const { data } = await look(home, 'conflict', 'list');
    const show = await runInProcess(['conflict', 'show', id, '--home', home]);
    const status = await runInProcess(['status', '--home', home]);

    expect(list.exitCode).toBe(0);
    expect(list.stdout.toString()).toMatch(new RegExp(`^${id} +${path} +files +\\d{4}-`, 'mu'));
    expect(list.stderr).toContain('deespec conflict show <id> --content');
    expect(data.items).toEqual([
      expect.objectContaining({
        id,
        path,
        store: 'files',
        kind: 'file',
        sizeBytes: Buffer.byteLength(byHand),
      }),
    ]);
    expect(show.stdout.toString()).toMatch(/^stood in +files$/mu);
    expect(show.stdout.toString()).toMatch(/^why +changed in both: the database counts$/mu);
    expect(status.stdout.toString()).toMatch(/^conflicts +1 version is kept$/mu);
    expect(byApi).toContain('moved');
    expect(readFileSync(file, 'utf8')).toBe(byApi);
  });

  test('is printed by show --content: bytes in a pipe, escaped on a terminal, text in JSON', async () => {
    const { home, id, byHand } = await homeWithConflict();
    const words = ['conflict', 'show', id, '--content', '--home', home];

    const piped = await deespec(words);
    const onTerminal = await runInProcess(words, true);

    expect(piped.stdout.toString()).toBe(byHand);
    expect(onTerminal.stdout.toString()).toBe(byHand);
    expect((await look(home, 'conflict', 'show', id, '--content')).data.content).toBe(byHand);
  });

  test('stands after resolve --take file, in both stores; what it replaces is in the trash', async () => {
    const { home, id, file, byHand, byApi, sbi } = await homeWithConflict();

    const resolved = await deespec(['conflict', 'resolve', id, '--take', 'file', '--home', home]);

    expect({ exitCode: resolved.exitCode, stderr: resolved.stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(resolved.stdout.toString()).toMatch(/^stands +the version of the files, put back$/mu);
    expect(readFileSync(file, 'utf8')).toBe(byHand);
    expect(trashOf(home)).toContain(byApi);
    expect((await look(home, 'sbi', 'show', sbi, '--store', 'sqlite')).data.sbi.metadata.note).toBe(
      'by hand',
    );
    expect((await look(home, 'conflict', 'list')).data.items).toEqual([]);
    expect((await look(home, 'verify', '--check-all')).exitCode).toBe(0);
  });

  test('goes after resolve --take db, and what stood there stays', async () => {
    const { home, id, file, byApi, sbi } = await homeWithConflict();

    const { data } = await look(home, 'conflict', 'resolve', id, '--take', 'db');

    expect(data).toMatchObject({ take: 'db', written: false, conflict: { id } });
    expect(readFileSync(file, 'utf8')).toBe(byApi);
    expect((await look(home, 'sbi', 'show', sbi, '--store', 'sqlite')).data.sbi.label).toBe('moved');
    expect((await look(home, 'conflict', 'list')).data.items).toEqual([]);
    expect(await look(home, 'conflict', 'show', id)).toMatchObject({
      exitCode: 66,
      error: { code: 'CONFLICT.NOT_FOUND' },
    });
  });
});

test('conflict list without one says so', async () => {
  const { exitCode, stdout, stderr } = await runInProcess([
    'conflict',
    'list',
    '--home',
    await homeIn('file'),
  ]);

  expect({ exitCode, stdout: stdout.toString(), stderr }).toEqual({
    exitCode: 0,
    stdout: 'no version is kept\n',
    stderr: '',
  });
});
