import { afterAll, describe, expect, test } from '@jest/globals';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { cutover, readStatus, rollback, setMode } from '../../src/index.js';
import { homePaths } from '../../src/home.js';
import { readRun, writeRun, type RunRecord } from '../../src/run/journal.js';
import { takeRunLock } from '../../src/run/lock.js';
import { expectError, removeDirectories } from '../support.js';
import { homeIn, leftOver } from './run-support.js';

afterAll(removeDirectories);

const unfinished: RunRecord = {
  kind: 'cutover',
  id: '01M810CC01J2AAPQZVYRK1YMJR',
  from: 'file',
  to: 'sqlite',
  startedAt: '2026-01-01T00:00:00.000Z',
  wasStopped: false,
  hadService: false,
  how: 'plain',
  done: [{ name: 'stop', at: '2026-01-01T00:00:01.000Z', ms: 5, result: { processes: [] } }],
  begun: 'backup',
};

describe('The journal of a run', () => {
  test('is read as it was written, and named when it is damaged', async () => {
    const paths = homePaths(await homeIn('file'));
    mkdirSync(paths.own);
    writeRun(paths, unfinished);

    expect(readRun(paths)).toEqual(unfinished);
    for (const text of ['{}', '{"kind":"cutover"', JSON.stringify({ ...unfinished, id: '../../etc' })]) {
      writeFileSync(paths.run, text);
      await expectError(readStatus({ home: paths.home }), 'FILE.READ_FAILED');
    }
  });

  test('shows in status how a run that was cut off goes on, and keeps changes of mode out', async () => {
    const paths = homePaths(await homeIn('file'));
    mkdirSync(paths.own);
    writeRun(paths, unfinished);

    const status = await readStatus({ home: paths.home });

    expect(status.run).toMatchObject({ kind: 'cutover', done: ['stop'], begun: 'backup' });
    expect(status.nextStep).toContain('"deespec cutover" continues it; "deespec rollback" takes it back');
    await expectError(setMode({ home: paths.home, mode: 'sqlite' }), 'RUN.UNFINISHED');
  });

  test('of a cut-over that had not switched is taken back by a rollback', async () => {
    const paths = homePaths(await homeIn('file'));
    mkdirSync(paths.own);
    writeRun(paths, unfinished);

    const report = await rollback({ home: paths.home });

    expect(report).toMatchObject({ outcome: 'undone', to: 'file' });
    expect(leftOver(paths.home)).toEqual([]);
  });

  test('of a rollback is not continued by a cut-over', async () => {
    const paths = homePaths(await homeIn('sqlite'));
    writeRun(paths, { ...unfinished, kind: 'rollback', from: 'sqlite', to: 'file' });

    const error = await expectError(cutover({ home: paths.home }), 'RUN.UNFINISHED');

    expect(error.hint).toContain('"deespec rollback" continues it');
  });
});

describe('The lock of runs', () => {
  test('lets one at a time work, and names who it is', async () => {
    const home = await homeIn('file');
    const release = takeRunLock(homePaths(home));

    const error = await expectError(cutover({ home }), 'LOCK.HELD');
    release();

    expect(error.message).toContain(`pid ${process.pid}`);
    expect(existsSync(join(home, 'deespec.db'))).toBe(false);
  });
});
