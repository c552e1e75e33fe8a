import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { generateTree } from '@deespec/trees';
import { afterAll, describe, expect, jest, test } from '@jest/globals';
import {
  deespec,
  documentOf,
  homeIn,
  homeWithConflict,
  removeDirectories,
  runInProcess,
  temporaryDirectory,
} from './support.js';

// Many processes, each of which loads the whole program.
jest.setTimeout(120_000);
afterAll(removeDirectories);

const look = async (home: string, ...args: string[]) =>
  documentOf(await runInProcess([...args, '--home', home, '--json']));

describe('mode get', () => {
  test('prints the table with the row in force marked, and so does mode alone', async () => {
    const home = await homeIn('dual_write');

    const get = await runInProcess(['mode', 'get', '--home', home]);
    const alone = await runInProcess(['mode', '--home', home]);

    const text = get.stdout.toString();
    expect(text).toMatch(/^ +MODE +ALSO +READS +A WRITE, IN ORDER +FIRST FAILS +SECOND FAILS$/mu);
    expect(text.match(/^\*.*$/gmu)).toEqual([
      expect.stringMatching(/^\* +dual_write +DUAL_WRITE, dual +files /u),
    ]);
    expect(text).toMatch(
      /^ +sqlite +SQLITE_PRIMARY +SQLite +SQLite with debt, done; files, debt paid +error +debt stays$/mu,
    );
    expect(text).not.toContain('requested');
    expect(alone.stdout.toString()).toBe(text);
  });

  test('says what setting.json asks for when that is another mode', async () => {
    const home = await homeIn('file');
    writeFileSync(join(home, 'setting.json'), '{"storage_mode": "SQLITE_PRIMARY"}\n');

    const { stdout } = await runInProcess(['mode', '--home', home]);
    const { data } = await look(home, 'mode', 'get');

    expect(stdout.toString()).toMatch(
      /^requested +setting\.json asks for sqlite: grant it with "deespec start"/mu,
    );
    expect(data).toMatchObject({ mode: 'file', requested: 'sqlite' });
    expect(data.modes).toHaveLength(4);
  });

  test('says that a change was cut off', async () => {
    const home = await homeIn('dual_write');
    const change = { from: 'dual_write', to: 'sqlite', epoch: 3, original: 'absent' };
    writeFileSync(join(home, '.storage/mode-change'), `${JSON.stringify(change)}\n`);

    const { stdout } = await runInProcess(['mode', '--home', home]);

    expect(stdout.toString()).toMatch(/^interrupted +.*finish it with "deespec mode set sqlite"$/mu);
  });
});

describe('mode set', () => {
  test('goes up and down, says what was proven and keeps the other bytes of setting.json', async () => {
    const home = join(temporaryDirectory(), '.deespec');
    generateTree(home, { layout: 'A', sbis: 2, seed: 3 });
    const original = readFileSync(join(home, 'setting.json'));
    await deespec(['migrate', '--home', home]);

    const up = await deespec(['mode', 'set', 'DUAL_WRITE', '--home', home]);
    const top = await look(home, 'mode', 'set', 'sqlite');
    const down = await look(home, 'mode', 'set', 'file');

    expect({ exitCode: up.exitCode, stderr: up.stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(up.stdout.toString()).toMatch(/^the mode is dual_write now; it was file \(/u);
    expect(up.stdout.toString()).toMatch(/^in step +both stores; \d+ paths? went into the database/mu);
    expect(up.stdout.toString()).toMatch(/^digest +[0-9a-f]{64}, the same on both sides/mu);
    expect(top).toMatchObject({ ok: true, data: { mode: 'sqlite', from: 'dual_write', changed: true } });
    expect(top.data).toMatchObject({
      sync: { conflicts: [] },
      digest: expect.stringMatching(/^[0-9a-f]{64}$/u),
    });
    expect(down).toMatchObject({ ok: true, data: { mode: 'file', from: 'sqlite', changed: true } });
    expect(readFileSync(join(home, 'setting.json'))).toEqual(original);
  });

  test('is refused without a database, to sqlite_only, and with an open conflict', async () => {
    const bare = join(temporaryDirectory(), '.deespec');
    generateTree(bare, { layout: 'A', sbis: 1, seed: 3 });
    const { home } = await homeWithConflict();

    const absent = await look(bare, 'mode', 'set', 'dual_write');
    const only = await look(home, 'mode', 'set', 'sqlite_only');
    await look(home, 'mode', 'set', 'dual_write');
    const open = await look(home, 'mode', 'set', 'sqlite');

    expect(absent).toMatchObject({ exitCode: 66, error: { code: 'DATABASE.NOT_FOUND' } });
    expect(only).toMatchObject({ exitCode: 78, error: { code: 'MODE.REFUSED' } });
    expect(open).toMatchObject({ exitCode: 78, error: { code: 'MODE.REFUSED' } });
    expect(open.error?.hint).toContain('deespec conflict list');
    expect((await look(home, 'mode')).data.mode).toBe('dual_write');
  });
});

describe('a mode that was written into setting.json by hand', () => {
  test('stops every command but those that grant it; start grants it and loses no key', async () => {
    const home = await homeIn('file');
    const setting = join(home, 'setting.json');
    const keys = Object.keys(JSON.parse(readFileSync(setting, 'utf8')) as object);
    const byHand = '{"storage_mode":"dual_write"}\n';
    writeFileSync(setting, byHand);

    const list = await deespec(['sbi', 'list', '--home', home]);
    const create = await look(home, 'sbi', 'create', '--title', 'x');
    const status = await runInProcess(['status', '--home', home]);
    const started = await deespec(['start', '--no-watch', '--home', home]);
    const again = await look(home, 'start', '--no-watch');

    expect(list.exitCode).toBe(78);
    expect(list.stderr).toMatch(/^error: .*\(MODE\.NOT_GRANTED\)\nhint: .*deespec mode set dual_write/u);
    expect(create).toMatchObject({ exitCode: 78, error: { code: 'MODE.NOT_GRANTED' } });
    expect(status.stdout.toString()).toMatch(/^requested +dual_write, by setting\.json$/mu);
    expect(started.exitCode).toBe(0);
    expect(started.stdout.toString()).toMatch(/^the mode is dual_write now; it was file \(/u);
    expect(started.stderr).toMatch(/^warning: an edit of setting\.json had lost .*agent_bin.*put back/u);
    const restored = JSON.parse(readFileSync(setting, 'utf8')) as object;
    expect(Object.keys(restored).sort()).toEqual([...new Set([...keys, 'storage_mode'])].sort());
    const kept = /"deespec conflict show (\S+) --content"/u.exec(started.stderr)?.[1] ?? '';
    const shown = await runInProcess(['conflict', 'show', kept, '--content', '--home', home]);
    expect(shown.stdout.toString()).toBe(byHand);
    expect(again).toMatchObject({ ok: true, warnings: [], data: { mode: { changed: false }, watch: null } });
  });
});
