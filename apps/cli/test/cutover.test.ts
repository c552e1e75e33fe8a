import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, describe, expect, jest, test } from '@jest/globals';
import {
  deespec,
  documentOf,
  homeIn,
  removeDirectories,
  runInProcess,
  sbiIds,
  startDeespec,
} from './support.js';

// Many processes, each of which loads the whole program.
jest.setTimeout(180_000);
afterAll(removeDirectories);

const ask = async (home: string, ...words: string[]) =>
  documentOf(await runInProcess([...words, '--home', home, '--json']));

describe('cutover and rollback', () => {
  test('go there and back, and lose nothing that was written between', async () => {
    const home = await homeIn('file');
    const settings = readFileSync(join(home, 'setting.json'), 'utf8');
    const [sbi] = sbiIds(home);

    const there = await deespec(['cutover', '--yes', '--home', home]);
    const label = await deespec(['sbi', 'label', sbi!, 'between', '--home', home]);
    const back = await deespec(['rollback', '--yes', '--home', home]);

    expect([there.exitCode, label.exitCode, back.exitCode]).toEqual([0, 0, 0]);
    expect(there.stdout.toString()).toMatch(/^the mode is sqlite now; it was file \(/u);
    expect(there.stdout.toString()).toMatch(/^rehearsal +none on record$/mu);
    expect(there.stderr).toMatch(/^stop: .*\.\.\.\nstop: done \(/u);
    expect(there.stderr).toContain('no rehearsal is on record: "deespec rehearse"');
    expect(back.stdout.toString()).toMatch(/^the mode is file now; it was sqlite \(/u);
    expect(readFileSync(join(home, 'setting.json'), 'utf8')).toBe(settings);
    expect(readFileSync(join(home, 'specs/sbi', sbi!, 'state.json'), 'utf8')).toContain('between');
    expect((await ask(home, 'verify', '--check-all')).exitCode).toBe(0);
  });

  test('ask nobody where there is no terminal', async () => {
    const home = await homeIn('file');

    const { error } = await ask(home, 'cutover');

    expect(error?.code).toBe('USAGE.INVALID');
    expect(error?.hint).toContain('--yes');
    expect(existsSync(join(home, '.storage/run'))).toBe(false);
  });

  test('name the step that failed, and leave the mode', async () => {
    const home = await homeIn('file');
    writeFileSync(join(home, 'specs/sbi', sbiIds(home)[0]!, 'state.json'), 'torn');

    const { error, exitCode } = await ask(home, 'cutover', '--yes');

    expect(exitCode).toBe(65);
    expect(error).toMatchObject({ code: 'TREE.INVALID', details: { step: 'dry-run', undone: true } });
    expect((await ask(home, 'status')).data.mode).toBe('file');
  });

  test('are continued after a kill', async () => {
    const home = await homeIn('file');
    const digest = (await ask(home, 'digest')).data.digest;

    for (const [command, mode, afterMs] of [
      ['cutover', 'sqlite', 1_600],
      ['rollback', 'file', 900],
    ] as const) {
      const run = startDeespec([command, '--yes', '--home', home]);
      await sleep(afterMs);
      run.kill('SIGKILL');
      await run;
      expect((await ask(home, 'status')).exitCode).toBe(0);
      const { exitCode, error } = await ask(home, command, '--yes');
      expect({ command, exitCode, error }).toEqual({ command, exitCode: 0, error: null });
      expect((await ask(home, 'status')).data).toMatchObject({ mode });
    }

    expect((await ask(home, 'verify', '--check-all')).exitCode).toBe(0);
    expect((await ask(home, 'digest')).data.digest).toBe(digest);
  });
});

describe('gc', () => {
  test('says what would go and what would stay', async () => {
    const home = await homeIn('sqlite');
    await runInProcess(['rollback', '--rebuild', '--yes', '--home', home]);

    const { stdout } = await runInProcess(['gc', '--dry-run', '--home', home]);

    expect(stdout.toString()).toMatch(/^would drop \d+ entries, /u);
    expect(existsSync(join(home, '.storage/trash'))).toBe(true);
  });
});
