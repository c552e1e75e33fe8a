import { describe, expect, test } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { placeIn } from '../src/place.js';
import { changesBelow, readTrace, type Trace } from '../src/trace.js';
import { checkTrace } from '../src/trace-rules.js';

const place = placeIn('/place');
const { home } = place;
const run = `${home}/.storage/runs/1/deespec.db`;

/** A trace as strace writes it. */
function traceOf(lines: readonly string[]): Trace {
  const directory = mkdtempSync(join(tmpdir(), 'deespec-trace-'));
  const file = join(directory, 'trace');
  writeFileSync(file, lines.map((line) => `${line}\n`).join(''));
  try {
    return readTrace(file);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

describe('A trace', () => {
  test('counts calls by name and thread, as an injection does', () => {
    const { calls } = traceOf([
      '10 write(1<pipe:[1]>, ""..., 3) = 3',
      '11 write(1<pipe:[1]>, ""..., 3) = 3',
      '10 fsync(5</place/a>) = 0',
      '10 write(6</place/a>, ""..., 3) = 3',
    ]);

    expect(calls.map(({ name, ordinal }) => `${name} ${ordinal}`)).toEqual([
      'write 1',
      'write 1',
      'fsync 1',
      'write 2',
    ]);
  });

  test('joins a call that another thread interrupted', () => {
    const { calls } = traceOf([
      '10 rename("/place/a", "/place/b" <unfinished ...>',
      '11 close(3) = 0',
      '10 <... rename resumed>) = -1 EIO (Input/output error) (INJECTED)',
    ]);

    expect(calls[0]).toMatchObject({ name: 'rename', result: '-1 EIO (Input/output error) (INJECTED)' });
  });

  test('says that a killed call never came back', () => {
    const { calls } = traceOf(['10 rename("/place/a", "/place/b") = ?', '10 +++ killed by SIGKILL +++']);

    expect(calls[0]?.result).toBe('?');
  });

  test('knows which calls change something in the place', () => {
    const trace = traceOf([
      '10 openat(AT_FDCWD, "/place/a", O_RDONLY|O_CLOEXEC) = 5</place/a>',
      '10 openat(AT_FDCWD, "/place/b", O_WRONLY|O_CREAT|O_CLOEXEC, 0600) = 5</place/b>',
      '10 write(5</place/b>, ""..., 3) = 3',
      '10 write(7<anon_inode:[eventfd]>, ""..., 8) = 8',
      '10 mkdir("/elsewhere/c", 0700) = 0',
      '11 mkdir("/place/d", 0700) = 0',
    ]);

    expect(changesBelow(trace, ['/place']).map(({ name }) => name)).toEqual(['openat', 'write']);
  });
});

describe('The rules of a trace', () => {
  const created = [
    `10 mkdir("${home}/.storage", 0700) = 0`,
    `10 openat(AT_FDCWD, "${home}/.storage/epoch", O_WRONLY|O_CREAT|O_EXCL|O_NOFOLLOW, 0600) = 5<x>`,
    `10 write(5<${home}/.storage/epoch>, ""..., 3) = 3`,
    `10 fsync(5<${home}/.storage/epoch>) = 0`,
    `10 fsync(5<${home}/.storage>) = 0`,
    `10 fsync(5<${home}>) = 0`,
  ];
  const built = [
    `10 openat(AT_FDCWD, "${run}", O_RDWR|O_CREAT|O_NOFOLLOW|O_CLOEXEC, 0600) = 6<${run}>`,
    `10 pwrite64(6<${run}>, ""..., 4096, 0) = 4096`,
    `10 close(6<${run}>) = 0`,
    `10 openat(AT_FDCWD, "${run}", O_RDONLY|O_CLOEXEC) = 6<${run}>`,
    `10 fsync(6<${run}>) = 0`,
    `10 close(6<${run}>) = 0`,
  ];
  const published = [`10 link("${run}", "${home}/deespec.db") = 0`, `10 fsync(6<${home}>) = 0`];
  const whole = [...created, ...built, ...published];

  const rulesOf = (lines: readonly string[]): string[] =>
    checkTrace(traceOf(lines), place).map(({ rule }) => rule);

  test('find nothing in a publication that syncs everything', () => {
    expect(rulesOf(whole)).toEqual([]);
  });

  test.each([
    ['the bytes of the database', `10 fsync(6<${run}>) = 0`, 'unsynced-file'],
    ['the directory of the database', `10 fsync(6<${home}>) = 0`, 'unsynced-directory'],
    ['the directory of the record', `10 fsync(5<${home}/.storage>) = 0`, 'unsynced-directory'],
    ['the bytes of the record', `10 fsync(5<${home}/.storage/epoch>) = 0`, 'unsynced-file'],
  ])('find that %s are not synced', (_, missing, rule) => {
    expect(rulesOf(whole.filter((line) => line !== missing))).toContain(rule);
  });

  test('find that a sync came only after the name', () => {
    const late = [...created, ...built.slice(0, 3), ...published, ...built.slice(3)];

    expect(rulesOf(late)).toContain('unsynced-file');
  });

  test('find that a database is opened beside SQLite, and not when another process does it', () => {
    const open = `openat(AT_FDCWD, "${home}/deespec.db", O_RDONLY|O_NOFOLLOW|O_CLOEXEC) = 6<x>`;
    const foreign = `openat(AT_FDCWD, "${home}/deespec.db", O_RDONLY|O_CLOEXEC) = 7<x>`;

    expect(rulesOf([`10 ${open}`, `10 ${foreign}`])).toEqual(['foreign-open']);
    expect(rulesOf([`10 ${open}`, '12 execve("/usr/bin/head", ...) = 0', `12 ${foreign}`])).toEqual([]);
  });

  test('find a write into the source', () => {
    expect(rulesOf([`10 openat(AT_FDCWD, "${home}/setting.json", O_RDWR|O_CLOEXEC) = 6<x>`])).toEqual([
      'source-written',
    ]);
  });
});
