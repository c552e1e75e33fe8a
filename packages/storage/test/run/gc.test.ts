import { afterAll, describe, expect, jest, test } from '@jest/globals';
import { existsSync, mkdirSync, readFileSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { collectGarbage } from '../../src/index.js';
import { createBackup } from '../../src/backup/create.js';
import { homePaths } from '../../src/home.js';
import { writeRun } from '../../src/run/journal.js';
import { expectError, put, removeDirectories, temporaryDirectory } from '../support.js';
import { homeIn } from './run-support.js';

// Whole runs, with a process for each check of a backup, on a machine that may be busy.
jest.setTimeout(120_000);
afterAll(removeDirectories);

const removed = '0mk3abcde-0123456789abcdef';

describe('gc', () => {
  test('keeps bytes that are nowhere else, and drops what the files have, with the note beside it', async () => {
    const home = await homeIn('file');
    const known = readFileSync(join(home, 'setting.json'));
    put(home, `.storage/trash/${removed}/content`, known);
    put(home, `.storage/trash/${removed}/path`, 'setting.json\n');
    put(home, '.storage/trash/a/b/unknown.md', 'nowhere else\n');
    put(home, '.storage/trash/conflict-0mk3abcde-0123456789abcdea/content', 'of a conflict\n');
    put(home, '.storage/trash/conflict-0mk3abcde-0123456789abcdea/about.json', '{}\n');

    const report = await collectGarbage({ home });

    expect(report.dropped).toEqual({ entries: 2, bytes: known.length + 13 });
    expect(report.keptFiles).toEqual([
      { path: 'trash/a/b/unknown.md', bytes: 13, why: 'its bytes are nowhere else' },
      {
        path: 'trash/conflict-0mk3abcde-0123456789abcdea/about.json',
        bytes: 3,
        why: 'it says where the content beside it is from',
      },
      {
        path: 'trash/conflict-0mk3abcde-0123456789abcdea/content',
        bytes: 14,
        why: 'its bytes are nowhere else',
      },
    ]);
    expect(existsSync(join(home, `.storage/trash/${removed}`))).toBe(false);
  });

  test('drops what only a backup has, once that is proven, and keeps it when the backup is damaged', async () => {
    const home = await homeIn('sqlite');
    put(home, 'knowledge/passing.md', 'backed up\n');
    const { rollback, sync } = await import('../../src/index.js');
    await sync({ home });
    const { id, path } = await createBackup({ home });
    put(home, 'knowledge/passing.md', 'changed since\n');
    await sync({ home });
    put(home, '.storage/trash/x/passing.md', 'backed up\n');
    const whole = readFileSync(path);

    writeFileSync(path, Buffer.concat([whole.subarray(0, -4096), Buffer.alloc(4096)]));
    const damaged = await collectGarbage({ home });
    writeFileSync(path, whole);
    const { verifyBackup } = await import('../../src/backup/verify.js');
    await verifyBackup({ home, id });
    const report = await collectGarbage({ home });

    expect(damaged).toMatchObject({ dropped: { entries: 0 }, backups: [] });
    expect(report).toMatchObject({ dropped: { entries: 1, bytes: 10 }, backups: [id] });
    await rollback({ home });
  });

  test('drops a copy of the database only when a verified backup is newer, and never the newest copy', async () => {
    const home = await homeIn('file');
    const { migrate } = await import('../../src/index.js');
    await migrate({ home });
    const database = readFileSync(join(home, 'deespec.db'));
    const names = ['20260101T000000000Z-repair.db', '20260102T000000000Z-repair.db'];
    for (const name of names)
      utimesSync(put(home, `.storage/copies/${name}`, database), 1_767_000_000, 1_767_000_000);

    const before = await collectGarbage({ home });
    await createBackup({ home });
    const after = await collectGarbage({ home });

    expect(before.dropped.entries).toBe(0);
    expect(before.keptFiles.map(({ why }) => why)).toEqual([
      'no verified backup is newer than this database',
      'the newest copy of the database',
    ]);
    expect(after.dropped).toEqual({ entries: 1, bytes: database.length });
    expect(existsSync(join(home, '.storage/copies', names[1]!))).toBe(true);
  });

  test('keeps databases in the trash, also when a verified backup is newer: that need not have what is in them', async () => {
    const home = await homeIn('file');
    const { migrate } = await import('../../src/index.js');
    await migrate({ home });
    const database = readFileSync(join(home, 'deespec.db'));
    const names = ['01M810CC01J2AAPQZVYRK1YMJR/deespec.db', '01M810CC01J2AAPQZVYRK1YMJR/tree/mine.db'];
    for (const name of names)
      utimesSync(put(home, `.storage/trash/${name}`, database), 1_767_000_000, 1_767_000_000);
    await createBackup({ home });

    const report = await collectGarbage({ home });

    expect(report.dropped.entries).toBe(0);
    expect(report.keptFiles.map(({ path, why }) => `${path}: ${why}`)).toEqual(
      names.map((name) => `trash/${name}: its bytes are nowhere else`),
    );
  });

  test('follows nothing out of .storage', async () => {
    const home = await homeIn('file');
    const outside = put(
      temporaryDirectory(),
      'precious/setting.json',
      readFileSync(join(home, 'setting.json')),
    );
    mkdirSync(join(home, '.storage/trash'), { recursive: true, mode: 0o700 });
    symlinkSync(join(outside, '..'), join(home, '.storage/trash/link'));
    symlinkSync(join(outside, '..'), join(home, '.storage/reports'));

    await expectError(collectGarbage({ home }), 'DATABASE.UNSAFE_LINK');

    expect(existsSync(outside)).toBe(true);
  });

  test('waits for a run that is not over', async () => {
    const home = await homeIn('sqlite');
    const paths = homePaths(home);
    writeRun(paths, {
      kind: 'rollback',
      id: '01M810CC01J2AAPQZVYRK1YMJR',
      from: 'sqlite',
      to: 'file',
      startedAt: '2026-01-01T00:00:00.000Z',
      wasStopped: false,
      hadService: false,
      how: 'plain',
      done: [],
    });

    await expectError(collectGarbage({ home }), 'RUN.UNFINISHED');
  });
});
