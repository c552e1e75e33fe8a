import { afterAll, describe, expect, test } from '@jest/globals';
import Database from 'better-sqlite3';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, symlinkSync } from 'node:fs';
import { join, relative } from 'node:path';

import { digest, exportTree, migrate, verify } from '../src/index.js';
import {
  diff,
  generatedTree,
  microsecondListing,
  migratedTree,
  outcomeOf,
  put,
  removeDirectories,
  runsOf,
  temporaryDirectory,
} from './support.js';

afterAll(removeDirectories);

describe('A program that has the database open', () => {
  test('and reads it goes on reading what it saw, and nothing is left of the run', async () => {
    const home = await migratedTree();
    const reader = new Database(join(home, 'deespec.db'), { readonly: true });
    reader.exec('BEGIN DEFERRED');
    const entries = reader.prepare('SELECT count(*) FROM tree_entry').pluck();
    const before = entries.get();
    put(home, 'specs/added.md', 'new');

    // Refused or published: both are safe for a reader.
    await migrate({ home }).catch(() => undefined);

    expect(entries.get()).toBe(before);
    reader.close();
    expect(runsOf(home)).toEqual([]);
    await migrate({ home });
    expect((await verify({ home, checkAll: true })).differences).toEqual([]);
  });

  test('and has put it in WAL mode changes no answer', async () => {
    const home = await migratedTree();
    const { digest: before } = await digest({ directory: home });
    const other = new Database(join(home, 'deespec.db'));
    other.pragma('journal_mode = WAL');
    other.exec('CREATE TABLE x (y); DROP TABLE x');
    expect(existsSync(join(home, 'deespec.db-wal'))).toBe(true);

    expect((await verify({ home, checkAll: true })).differences).toEqual([]);
    expect((await migrate({ home })).outcome).toBe('unchanged');
    expect((await digest({ directory: home })).digest).toBe(before);
    other.close();
    put(home, 'specs/added.md', 'new');
    expect((await migrate({ home })).outcome).toBe('updated');
    expect((await verify({ home, checkAll: true })).differences).toEqual([]);
  });
});

describe('Entries as other programs leave them', () => {
  test.each([
    '1901-12-14',
    '1969-12-31T23:59:59.999999999Z',
    '1969-12-31T23:59:59.0000005Z',
    '1970-01-01Z',
    '2038-01-19T03:14:08.123456789Z',
    '2106-02-07T06:28:16Z',
  ])('keep the time %s to the microsecond', async (time) => {
    const home = generatedTree('A');
    put(home, 'knowledge/x/y', 'bytes');
    symlinkSync('y', join(home, 'knowledge/x/l'));
    for (const path of ['y', 'l', '.']) {
      execFileSync('touch', ['-h', '-d', time, join(home, 'knowledge/x', path)]);
    }
    const output = join(temporaryDirectory(), 'out');

    await migrate({ home });
    await exportTree({ home, output });

    expect(microsecondListing(output)).toEqual(microsecondListing(home));
    expect(await verify({ home, checkAll: true })).toMatchObject({ ok: true, timeDifferences: 0 });
  });

  test('keep their modes, whatever the mask of the process', async () => {
    const home = await migratedTree();
    const output = join(temporaryDirectory(), 'out');
    const mask = process.umask(0o077);
    try {
      await exportTree({ home, output });
    } finally {
      process.umask(mask);
    }

    expect(microsecondListing(output)).toEqual(microsecondListing(home));
  });

  test('of foreign litter are counted, named and left alone', async () => {
    const home = generatedTree();
    for (const path of ['specs/x.tmp', 'var/.tmp.state', '.tmp-1']) put(home, path, 'half');
    mkdirSync(join(home, 'specs/data.tmp'));
    const before = microsecondListing(home);
    const output = join(temporaryDirectory(), 'out');

    const report = await migrate({ home });
    await exportTree({ home, output });

    expect(report.ignored).toEqual(['.tmp-1', 'specs/x.tmp', 'var/.tmp.state']);
    expect(report.equation).toMatchObject({ holds: true, ignored: { entries: 3, bytes: 12 } });
    expect(microsecondListing(home)).toEqual(before);
    expect(
      diff(home, output)
        .split('\n')
        .filter((line) => line !== ''),
    ).toHaveLength(3);
  });
});

describe('A run', () => {
  test('gives the same database whatever the size of its batches', async () => {
    const homes = [generatedTree(), generatedTree()];

    const [one, many] = await Promise.all(
      homes.map((home, at) => migrate({ home, batchSize: at === 0 ? 1 : 1000 })),
    );

    const { databaseBytes: _, ...left } = outcomeOf(one!) as { databaseBytes: number };
    expect(outcomeOf(many!)).toMatchObject(left);
  });

  test('takes a relative path with a slash at its end', async () => {
    const home = generatedTree();

    const report = await migrate({ home: `${relative(process.cwd(), home)}/` });

    expect(report).toMatchObject({ home, database: join(home, 'deespec.db') });
  });

  test('reports progress that grows and ends at the total', async () => {
    const home = generatedTree();
    const seen: { phase: string; doneBytes: number; totalBytes?: number }[] = [];

    const { equation } = await migrate({ home, batchSize: 2, onProgress: (progress) => seen.push(progress) });

    expect([...new Set(seen.map(({ phase }) => phase))]).toEqual(['load', 'verify', 'publish']);
    for (const phase of ['load', 'verify']) {
      const done = seen.filter((progress) => progress.phase === phase).map(({ doneBytes }) => doneBytes);
      expect(done.toSorted((a, b) => a - b)).toEqual(done);
      const total = seen.find((progress) => progress.phase === phase)?.totalBytes;
      expect(done.at(-1)).toBeLessThanOrEqual(total!);
    }
    expect(seen.find(({ phase }) => phase === 'load')?.totalBytes).toBe(equation.stored.bytes);
  });
});
