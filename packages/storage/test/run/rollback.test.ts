import { afterAll, describe, expect, jest, test } from '@jest/globals';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { collectGarbage, getMode, rollback, setMode, sync, verify, type RunReport } from '../../src/index.js';
import type { Exchanged } from '../../src/run/exchange.js';
import { digestOf as stored } from './stored-digest.js';
import { expectError, put, removeDirectories, sbisWith } from '../support.js';
import { copyOf, digestOf, homeIn, item, leftOver, settingOf, writeSome } from './run-support.js';

// Whole runs, with a process for each check of a backup, on a machine that may be busy.
jest.setTimeout(120_000);
afterAll(removeDirectories);

const stepsOf = ({ steps }: RunReport): string[] => steps.map(({ name }) => name);
const resultOf = ({ steps }: RunReport, name: string) => steps.find((step) => step.name === name)?.result;

const inPlace = ['stop', 'backup', 'dry-run', 'switch', 'start'];
const anew = ['stop', 'backup', 'dry-run', 'sync', 'rebuild', 'exchange', 'switch', 'start'];

function requireWritten(home: string): void {
  expect(readFileSync(join(home, 'specs/sbi', item, 'spec.md'), 'utf8')).toBe('# Made since\n');
  expect(readFileSync(join(home, 'setting.json'), 'utf8')).toContain('"made_since": 1');
}

describe('A rollback', () => {
  test.each(['A', 'B'] as const)('keeps what was written in sqlite, on layout %s', async (layout) => {
    const home = await homeIn('sqlite', layout);
    await writeSome(home);

    const report = await rollback({ home });

    expect(stepsOf(report)).toEqual(inPlace);
    expect(await getMode({ home })).toMatchObject({ mode: 'file' });
    expect(settingOf(home)).toBeUndefined();
    requireWritten(home);
    expect((await verify({ home, checkAll: true })).differences).toEqual([]);
    expect(leftOver(home)).toEqual([]);
    expect(await rollback({ home })).toMatchObject({ outcome: 'nothing' });
  });

  test('keeps the contents of earlier runs that another program overwrote', async () => {
    const home = await homeIn('sqlite', 'B');
    const [sbi] = sbisWith(home, 'implement_2.md');
    const file = `${sbi}/implement_2.md`;
    const earlier = readFileSync(join(home, file), 'utf8');
    const journal = join(home, 'var/journal.ndjson');
    const pick = readFileSync(journal, 'utf8')
      .split('\n')
      .find((line) => line.includes(sbi!.slice('specs/sbi/'.length)) && line.includes('"pick"'));
    put(home, 'var/journal.ndjson', `${readFileSync(journal, 'utf8')}${pick}\n`);
    put(home, file, '# Of a later run\n');
    await sync({ home });
    const inDatabase = stored(home);

    await rollback({ home });

    expect(readFileSync(join(home, file), 'utf8')).toBe('# Of a later run\n');
    expect(inDatabase.holds(earlier)).toBe(true);
    expect(stored(home).holds(earlier)).toBe(true);
  });

  test('from dual_write goes back in place, and does not build anything anew', async () => {
    const home = await homeIn('dual_write');
    await writeSome(home);

    await expectError(rollback({ home, rebuild: true }), 'MODE.REFUSED');
    const report = await rollback({ home });

    expect(stepsOf(report)).toEqual(inPlace);
    requireWritten(home);
  });

  test('that is only tried changes nothing', async () => {
    const home = await homeIn('sqlite');
    await writeSome(home);

    const report = await rollback({ home, dryRun: true });

    expect(report).toMatchObject({ outcome: 'planned', from: 'sqlite' });
    expect(stepsOf(report)).toEqual(inPlace);
    expect(resultOf(report, 'dry-run')).toMatchObject({ different: 0 });
    expect(await getMode({ home })).toMatchObject({ mode: 'sqlite' });
  });

  test('after a hand edit of the mode to file does what the edit asks for', async () => {
    const home = await homeIn('sqlite');
    put(home, 'setting.json', '{"storage_mode": "file"}\n');

    await rollback({ home });

    expect(await getMode({ home })).toMatchObject({ mode: 'file' });
    expect(readFileSync(join(home, 'setting.json'), 'utf8')).toContain('max_turns');
  });
});

describe('A rollback that builds the files anew', () => {
  test('is made when many files vanished, and brings them back with what other programs wrote', async () => {
    const home = await homeIn('sqlite');
    await writeSome(home);
    put(home, 'knowledge/foreign.md', '# By another program\n');
    rmSync(join(home, 'specs'), { recursive: true });

    const report = await rollback({ home });

    expect(stepsOf(report)).toEqual(anew);
    expect(resultOf(report, 'dry-run')).toMatchObject({ rebuild: true });
    requireWritten(home);
    expect(readFileSync(join(home, 'knowledge/foreign.md'), 'utf8')).toBe('# By another program\n');
    expect((await verify({ home, checkAll: true })).differences).toEqual([]);
    expect(leftOver(home)).toEqual([]);
  });

  test('from sqlite_only keeps foreign writes to the files in the trash, and names them', async () => {
    const home = await homeIn('sqlite_only');
    await writeSome(home);
    const lock = put(
      home,
      'var/runlock',
      '{"pid":1,"hostname":"elsewhere","expires_at":"2020-01-01T00:00:00Z"}',
    );
    put(home, 'knowledge/foreign.md', '# Only here\n');
    expect(existsSync(join(home, 'specs/sbi', item))).toBe(false);

    const report = await rollback({ home });

    expect(stepsOf(report)).toEqual(['stop', 'backup', 'rebuild', 'exchange', 'switch', 'start']);
    const { trash, onlyInTrash } = resultOf(report, 'exchange') as unknown as Exchanged;
    expect(onlyInTrash.paths).toContain('knowledge/foreign.md');
    expect(onlyInTrash.paths.filter((path) => path.startsWith('var/'))).toEqual([]);
    expect(readFileSync(join(trash, 'knowledge/foreign.md'), 'utf8')).toBe('# Only here\n');
    expect(existsSync(join(home, 'knowledge/foreign.md'))).toBe(false);
    expect(readFileSync(lock, 'utf8')).toContain('elsewhere');
    requireWritten(home);
    expect((await verify({ home, checkAll: true })).differences).toEqual([]);
  });

  test('continues from wherever it was cut off', async () => {
    const home = await homeIn('sqlite', 'A');
    await writeSome(home);
    const states: { readonly at: string; readonly copy: string }[] = [];
    await rollback({
      home,
      rebuild: true,
      onStep: ({ name, state }) => states.push({ at: `${name} ${state}`, copy: copyOf(home) }),
    });
    const digest = await digestOf(home);

    for (const { at, copy } of states.filter(({ at: step }) => step.endsWith('done'))) {
      const report = await rollback({ home: copy });
      expect({ at, continued: report.continued, digest: await digestOf(copy) }).toEqual({
        at,
        continued: true,
        digest,
      });
      expect(leftOver(copy)).toEqual([]);
    }
  });
});

describe('Mode sqlite_only', () => {
  test('needs a backup, writes no file, and every way out of it brings the files back', async () => {
    const home = await homeIn('sqlite');

    const report = await setMode({ home, mode: 'sqlite_only' });
    await writeSome(home);

    expect(existsSync(report.backup!)).toBe(true);
    expect(settingOf(home)).toBe('sqlite_only');
    expect(existsSync(join(home, 'specs/sbi', item))).toBe(false);
    await expectError(sync({ home }), 'MODE.REFUSED');
    await expectError(verify({ home }), 'MODE.REFUSED');
    expect(await setMode({ home, mode: 'sqlite_only' })).toMatchObject({ changed: false });
    for (const mode of ['sqlite', 'dual_write', 'file'] as const) {
      const copy = copyOf(home);
      expect(await setMode({ home: copy, mode })).toMatchObject({ mode, changed: true });
      requireWritten(copy);
      expect((await verify({ home: copy, checkAll: true })).differences).toEqual([]);
    }
  });

  test('is not reached from where files are the truth', async () => {
    const home = await homeIn('dual_write');

    const error = await expectError(setMode({ home, mode: 'sqlite_only' }), 'MODE.REFUSED');

    expect(error.hint).toContain('deespec mode set sqlite');
  });
});

describe('gc after a rollback', () => {
  test('drops what the files have, and keeps what only the trash has', async () => {
    const home = await homeIn('sqlite_only');
    put(home, 'knowledge/foreign.md', '# Only here\n');
    await rollback({ home });

    const report = await collectGarbage({ home });

    expect(report.dropped.entries).toBeGreaterThan(10);
    const kept = report.keptFiles.map(({ path, why }) => `${path.replace(/^trash\/[^/]+\//u, '')}: ${why}`);
    expect(kept).toContain('knowledge/foreign.md: its bytes are nowhere else');
    expect((await collectGarbage({ home, dryRun: true })).dropped.entries).toBe(0);
  });
});
