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

describe('The rules of a command that writes into the tree', () => {
  const own = `${home}/.storage`;
  const file = `${home}/setting.json`;
  const temporary = `${home}/.tmp-deespec-1`;
  const recorded = [
    `10 openat(AT_FDCWD, "${own}/dirty/1.edit", O_WRONLY|O_CREAT|O_EXCL|O_NOFOLLOW, 0600) = 5<x>`,
    `10 write(5<${own}/dirty/1.edit>, ""..., 3) = 3`,
    `10 fsync(5<${own}/dirty/1.edit>) = 0`,
    `10 fsync(5<${own}/dirty>) = 0`,
  ];
  const written = [
    `10 openat(AT_FDCWD, "${temporary}", O_WRONLY|O_CREAT|O_EXCL|O_NOFOLLOW, 0600) = 5<x>`,
    `10 write(5<${temporary}>, ""..., 3) = 3`,
    `10 fsync(5<${temporary}>) = 0`,
  ];
  const kept = `10 link("${file}", "${own}/conflicts/replaced/1-0.old") = 0`;
  const put = [`10 rename("${temporary}", "${file}") = 0`, `10 fsync(5<${home}>) = 0`];
  const audited = [`10 write(5<${own}/audit.ndjson>, ""..., 3) = 3`, `10 fsync(5<${own}/audit.ndjson>) = 0`];
  const owed = [`10 rename("${own}/dirty/1.edit", "${own}/dirty/1.debt") = 0`];
  const wal = `${home}/deespec.db-wal`;
  const settled = [`10 pwrite64(6<${wal}>, ""..., 3, 0) = 3`, `10 fdatasync(6<${wal}>) = 0`];
  const cleared = [`10 unlink("${own}/dirty/1.debt") = 0`];
  const whole = [...recorded, ...written, kept, ...put, ...audited, ...owed, ...settled, ...cleared];

  const rulesOf = (lines: readonly string[]): string[] => [
    ...new Set(
      checkTrace(traceOf(lines), place, {
        isWriter: true,
        isRecorded: true,
        paths: new Set([file]),
      }).map(({ rule }) => rule),
    ),
  ];
  const without = (...missing: readonly string[]): readonly string[] =>
    whole.filter((line) => !missing.includes(line));

  test('find nothing in a change that is noted down, made, told to the database and cleared', () => {
    expect(rulesOf(whole)).toEqual([]);
  });

  test.each([
    ['the intent is not synced', without(recorded[2]!), 'unrecorded-change'],
    ['the name of the intent is not synced', without(recorded[3]!), 'unrecorded-change'],
    ['the intent comes after the change', [...written, kept, ...put, ...recorded], 'unrecorded-change'],
    ['the file is not synced', without(written[2]!), 'unsynced-file'],
    ['the name of the file is not synced', without(put[1]!), 'closed-early'],
    ['the record of the change is not synced', without(audited[1]!), 'closed-early'],
    ['the replaced file has no second name', without(kept), 'replaced-unkept'],
    ['the debt goes before the database is durable', without(settled[1]!), 'cleared-early'],
    [
      'the database hears of a file too early',
      [...recorded, ...written, kept, put[0]!, ...settled],
      'cleared-early',
    ],
  ])('find that %s', (_, lines, rule) => {
    expect(rulesOf(lines)).toContain(rule);
  });

  test('find a write into a file of the tree that is no journal', () => {
    const open = (flags: string): string => `10 openat(AT_FDCWD, "${file}", ${flags}) = 5<x>`;

    expect(rulesOf([open('O_WRONLY|O_CLOEXEC')])).toContain('source-written');
    expect(rulesOf([open('O_WRONLY|O_APPEND|O_CLOEXEC')])).toEqual([]);
  });
});
