import { afterAll, describe, expect, jest, test } from '@jest/globals';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

import { cutover, readStatus, rehearse } from '../../src/index.js';
import { removeDirectories } from '../support.js';
import { digestOf, homeIn } from './run-support.js';

// Whole runs, with a process for each check of a backup, on a machine that may be busy.
jest.setTimeout(120_000);
afterAll(removeDirectories);

describe('A rehearsal', () => {
  test.each(['A', 'B', 'mixed'] as const)('proves the way there and back on layout %s', async (layout) => {
    const home = await homeIn('file', layout);
    const digest = await digestOf(home);

    const report = await rehearse({ home, writes: 60, seed: 7 });

    expect(report.problems).toEqual([]);
    expect(report).toMatchObject({ ok: true, digest: report.expected, refused: 0 });
    expect(report.writes.api + report.writes.foreign).toBe(60);
    expect(report.writes.foreign).toBeGreaterThan(5);
    expect(report.digest).not.toBe(digest);
    expect(await digestOf(home)).toBe(digest);
    expect(readdirSync(join(home, '.storage/rehearsal'))).toEqual([]);
    expect((await readStatus({ home })).rehearsal).toMatchObject({ ok: true, writes: 60 });
    expect((await cutover({ home, dryRun: true })).rehearsal).toMatchObject({ ok: true });
  });

  test('is made in every mode, and leaves the copies when it is asked to', async () => {
    const home = await homeIn('sqlite');

    const report = await rehearse({ home, writes: 10, seed: 1, keep: true });

    expect(report).toMatchObject({ ok: true, problems: [] });
    expect(existsSync(join(report.kept!, 'tried/.deespec/setting.json'))).toBe(true);
  });
});
