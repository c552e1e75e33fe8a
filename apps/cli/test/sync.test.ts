import { chmodSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, describe, expect, jest, test } from '@jest/globals';
import {
  dangerous,
  deespec,
  documentOf,
  homeIn,
  ordinaryAccount,
  removeDirectories,
  runInProcess,
  sbiIds,
  startDeespec,
} from './support.js';

// Many processes, each of which loads the whole program.
jest.setTimeout(120_000);
afterAll(removeDirectories);

const look = async (home: string, ...args: string[]) =>
  documentOf(await runInProcess([...args, '--home', home, '--json']));

describe('sync --dry-run', () => {
  test('lists direction, path and reason of what is not in step, and does nothing', async () => {
    const home = await homeIn('dual_write');
    await look(home, 'sync');
    const sbi = sbiIds(home)[0]!;
    writeFileSync(join(home, `specs/sbi/${sbi}/spec.md`), 'by hand\n');
    writeFileSync(Buffer.from(`${home}/caf\xe9\x1b[2J.md`, 'latin1'), 'new\n');

    const { exitCode, stdout } = await deespec(['sync', '--dry-run', '--home', home]);
    const { data } = await look(home, 'sync', '--dry-run');

    expect(exitCode).toBe(0);
    expect(stdout.toString()).toContain(
      `files -> database  specs/sbi/${sbi}/spec.md: changed in the files\n`,
    );
    expect(stdout.toString()).toContain('files -> database  caf\\xe9\\x1b[2J.md: new in the files\n');
    expect(stdout.toString()).not.toMatch(dangerous);
    expect(data.actions).toContainEqual({
      path: 'caf\\xe9\\x1b[2J.md',
      direction: 'to-database',
      action: 'import',
      reason: 'new in the files',
      conflict: null,
    });
    expect(data.actions.map(({ direction }: { direction: string }) => direction)).not.toContain('none');
    expect((await look(home, 'verify', '--check-all')).exitCode).toBe(2);
  });

  test('of stores that are in step says so', async () => {
    const home = await homeIn('sqlite');
    await look(home, 'sync');

    const { exitCode, stdout } = await runInProcess(['sync', '--dry-run', '--home', home]);

    expect(exitCode).toBe(0);
    expect(stdout.toString()).toBe('dry run: both stores are in step\n');
  });
});

describe('sync', () => {
  test('in mode file is 78 and names migrate', async () => {
    const { exitCode, error } = await look(await homeIn('file'), 'sync');

    expect(exitCode).toBe(78);
    expect(error).toMatchObject({ code: 'MODE.REFUSED', hint: expect.stringContaining('deespec migrate') });
  });

  test('brings a change of the files into the database, and a second one writes nothing', async () => {
    const home = await homeIn('dual_write');
    const sbi = sbiIds(home)[0]!;
    writeFileSync(join(home, `specs/sbi/${sbi}/spec.md`), 'by hand\n');

    const first = await deespec(['sync', '--home', home]);
    const second = await look(home, 'sync');

    expect({ exitCode: first.exitCode, stderr: first.stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(first.stdout.toString()).toMatch(/^both stores are in step \(mode dual_write\)\n/u);
    expect(first.stdout.toString()).toMatch(/^into the database +1$/mu);
    expect(second.data).toMatchObject({ wrote: 0, imported: 0, conflicts: [], failed: [], debts: 0 });
    expect((await look(home, 'verify', '--check-all')).exitCode).toBe(0);
  });

  test('with a path that fails is 3, names it and goes on with the others', async () => {
    const home = await homeIn('dual_write');
    const [one, other] = sbiIds(home).map((sbi) => `specs/sbi/${sbi}/spec.md`) as [string, string];
    for (const path of [one, other]) writeFileSync(join(home, path), 'by hand\n');
    const account = ordinaryAccount(home);
    chmodSync(join(home, one), 0o000);

    const failed = await deespec(['sync', '--home', home], account);
    const document = documentOf(await deespec(['sync', '--home', home, '--json'], account));

    expect(failed.exitCode).toBe(3);
    expect(failed.stdout.toString()).toMatch(/^not everything is in step /u);
    expect(failed.stdout.toString()).toMatch(new RegExp(`^ {2}${one}: .*\\(FILE\\.PERMISSION\\)$`, 'mu'));
    expect(failed.stdout.toString()).toMatch(/^into the database +1$/mu);
    expect(document).toMatchObject({ ok: false, exitCode: 3, error: null });
    expect(document.data.failed).toMatchObject([{ path: one, code: 'FILE.PERMISSION' }]);
    expect(document.warnings).toEqual([expect.stringContaining('1 path could not be brought into step')]);
  });

  test('with a new conflict is 2 and names conflict list', async () => {
    const home = await homeIn('sqlite');
    const sbi = sbiIds(home)[0]!;
    const file = join(home, `specs/sbi/${sbi}/state.json`);
    const account = ordinaryAccount(home);
    // The database moves on while the files cannot follow, and somebody edits the file meanwhile.
    chmodSync(join(home, `specs/sbi/${sbi}`), 0o500);
    const owed = await deespec(['sbi', 'label', sbi, 'moved', '--home', home], account);
    writeFileSync(file, readFileSync(file, 'utf8').replace('{', '{ '));
    chmodSync(join(home, `specs/sbi/${sbi}`), 0o700);

    const predicted = await deespec(['sync', '--dry-run', '--home', home], account);
    const { exitCode, stderr, stdout } = await deespec(['sync', '--home', home], account);

    expect([owed.exitCode, predicted.exitCode, exitCode]).toEqual([0, 0, 2]);
    expect(owed.stderr).toContain('still owed to the files');
    expect(predicted.stdout.toString()).toContain('the version of the files is kept as a conflict');
    expect(stdout.toString()).toMatch(/^new conflicts +1$/mu);
    expect(stderr).toMatch(/^warning: 1 new conflict: .*"deespec conflict list" shows it$/mu);
    expect(readFileSync(file, 'utf8')).toContain('moved');
  });

  test('stops before it deletes many, says how many, and takes them over when told to', async () => {
    const home = await homeIn('dual_write');
    for (const sbi of sbiIds(home)) rmSync(join(home, `specs/sbi/${sbi}`), { recursive: true });

    const stopped = await look(home, 'sync');
    const allowed = await look(home, 'sync', '--allow-deletions');

    expect(stopped).toMatchObject({ exitCode: 73, error: { code: 'SYNC.MASS_DELETION' } });
    expect(stopped.error?.hint).toContain('deespec sync --allow-deletions');
    expect(stopped.error?.details.deleted).toBeGreaterThan(20);
    expect(stopped.data).toMatchObject({ removedFromDatabase: 0 });
    expect(allowed).toMatchObject({
      exitCode: 0,
      data: { removedFromDatabase: stopped.error?.details.deleted },
    });
  });
});

describe('sync --watch', () => {
  test('has a line for each pass that did something and ends with 130 and the totals', async () => {
    const home = await homeIn('dual_write');
    const child = startDeespec(['sync', '--watch', '--home', home]);
    let shown = '';
    child.stderr.on('data', (chunk: Buffer) => (shown += chunk.toString()));
    while (!shown.includes('sync: ')) await sleep(50);
    writeFileSync(join(home, 'one.md'), 'one\n');
    while (!shown.includes('1 into the database')) await sleep(50);
    rmSync(join(home, 'one.md'));
    while (!shown.includes('1 removed from the database')) await sleep(50);

    child.kill('SIGINT');
    const { exitCode, stdout, stderr } = await child;

    expect(exitCode).toBe(130);
    expect(Buffer.from(stderr).toString()).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d sync: /u);
    expect(Buffer.from(stderr).toString()).toMatch(/^error: stopped by SIGINT \(INTERRUPTED\)$/mu);
    expect(Buffer.from(stdout).toString()).toMatch(/^into the database +1$/mu);
    expect(Buffer.from(stdout).toString()).toMatch(/^removed from the database +1$/mu);
    expect((await look(home, 'verify', '--check-all')).exitCode).toBe(0);
  });

  test('in mode file is 78', async () => {
    const { exitCode, error } = await look(await homeIn('file'), 'sync', '--watch');

    expect({ exitCode, code: error?.code }).toEqual({ exitCode: 78, code: 'MODE.REFUSED' });
  });
});
