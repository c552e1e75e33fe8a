import { afterAll, describe, expect, jest, test } from '@jest/globals';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { cutover, getMode, openStorage, rollback, setMode, type StepEvent } from '../../src/index.js';
import { stopTree } from '../../src/service/stop.js';
import { readStopped } from '../../src/service/stopped.js';
import { homePaths } from '../../src/home.js';
import { expectError, put, removeDirectories } from '../support.js';
import { copyOf, differences, digestOf, homeIn, leftOver, settingOf } from './run-support.js';

// Whole runs, with a process for each check of a backup, on a machine that may be busy.
jest.setTimeout(120_000);
afterAll(removeDirectories);

const document = ['stop', 'backup', 'dry-run', 'migrate', 'verify', 'switch', 'start'];

/** At the beginning of the first step, and when the work of others is done and not written down yet. */
const crashes = [
  'stop begun',
  ...['stop', 'backup', 'migrate', 'switch', 'start'].map((name) => `${name} done`),
];

describe('A cut-over', () => {
  test.each(['A', 'B'] as const)('takes the seven steps on layout %s', async (layout) => {
    const home = await homeIn('file', layout);
    const digest = await digestOf(home);
    const seen: StepEvent[] = [];

    const report = await cutover({ home, onStep: (event) => seen.push(event) });

    expect(report).toMatchObject({ outcome: 'done', from: 'file', to: 'sqlite', continued: false });
    expect(report.steps.map(({ name }) => name)).toEqual(document);
    expect(report.steps.find(({ name }) => name === 'verify')?.result).toMatchObject({ digest });
    expect(seen.map(({ name, state }) => `${name} ${state}`)).toEqual(
      document.flatMap((name) => [`${name} begun`, `${name} done`]),
    );
    expect(await getMode({ home })).toMatchObject({ mode: 'sqlite', epoch: 2 });
    expect(await differences(home)).toEqual([]);
    expect(leftOver(home)).toEqual([]);
    expect(readdirSync(join(home, '.storage/reports'))).toEqual([`${report.runId}.json`]);
    expect(await cutover({ home })).toMatchObject({ outcome: 'nothing' });
  });

  test('from dual_write brings both stores into step instead of migrating', async () => {
    const home = await homeIn('dual_write');
    put(home, 'knowledge/foreign.md', '# By another program\n');

    const report = await cutover({ home });

    expect(report.steps.map(({ name }) => name)).toEqual(
      document.map((name) => (name === 'migrate' ? 'sync' : name)),
    );
    expect(report.steps[3]?.result).toHaveProperty('imported');
    expect(await differences(home)).toEqual([]);
  });

  test('that is only tried stops nobody and changes nothing', async () => {
    const home = await homeIn('file');
    const storage = await openStorage({ home });

    const report = await cutover({ home, dryRun: true });
    await storage.setConfig('setting.still_running', '1');
    await storage.close();

    expect(report).toMatchObject({ outcome: 'planned', dryRun: true });
    expect(report.steps.map(({ name, ms }) => `${name} ${ms === undefined ? 'named' : 'tried'}`)).toEqual(
      document.map((name) => `${name} ${name === 'dry-run' ? 'tried' : 'named'}`),
    );
    expect(existsSync(join(home, 'deespec.db'))).toBe(false);
  });

  test('that fails before the switch leaves everything as it was', async () => {
    const home = await homeIn('file');
    put(home, 'specs/sbi/SBI-not-an-id/meta.yml', 'id: x\n');
    const digest = await digestOf(home);

    const error = await expectError(cutover({ home }), 'TREE.INVALID');

    expect(error.message).toMatch(/^cutover, step "dry-run": /u);
    expect(error.details).toMatchObject({ step: 'dry-run', done: ['stop', 'backup'], undone: true });
    expect(await digestOf(home)).toBe(digest);
    expect(await getMode({ home })).toMatchObject({ mode: 'file' });
    expect(leftOver(home)).toEqual([]);
  });

  test('leaves a tree stopped that was stopped before', async () => {
    const home = await homeIn('file');
    await stopTree({ home, all: true });

    await cutover({ home });

    expect(readStopped(homePaths(home))).toBeDefined();
  });

  test('continues from wherever it was cut off', async () => {
    const home = await homeIn('file', 'B');
    const states: { readonly at: string; readonly copy: string }[] = [];
    const digest = await digestOf(home);
    await cutover({
      home,
      onStep: ({ name, state }) => states.push({ at: `${name} ${state}`, copy: copyOf(home) }),
    });

    for (const { at, copy } of states.filter(({ at: step }) => crashes.includes(step))) {
      const half = put(copy, '.storage/reports/.tmp-deespec-0123456789abcdef01234567', 'half a report');
      const report = await cutover({ home: copy });
      expect(existsSync(half)).toBe(false);
      const after = { at, outcome: report.outcome, continued: report.continued, mode: settingOf(copy) };
      expect(after).toEqual({ at, outcome: 'done', continued: true, mode: 'sqlite' });
      expect(leftOver(copy)).toEqual([]);
      expect(await differences(copy)).toEqual([]);
    }
    const [last] = states.slice(-1);
    await rollback({ home: last!.copy });
    expect(await digestOf(last!.copy)).toBe(digest);
  });
});

describe('A change of mode', () => {
  test('by hand works again after a cut-over', async () => {
    const home = await homeIn('file');
    const before = readFileSync(join(home, 'setting.json'));
    await cutover({ home });

    await setMode({ home, mode: 'file' });

    expect(readFileSync(join(home, 'setting.json')).equals(before)).toBe(true);
  });
});
