import { afterAll, describe, expect, test } from '@jest/globals';
import BetterSqlite3 from 'better-sqlite3';
import { linkSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { inspectDatabase } from '../src/index.js';
import { directory, emptyDatabase, removeDirectories } from './support.js';

afterAll(removeDirectories);

function foreignDatabase(): string {
  const path = join(directory(), 'deespec.db');
  const handle = new BetterSqlite3(path);
  handle.pragma('journal_mode = WAL');
  handle.exec('CREATE TABLE sbis (id TEXT); CREATE TABLE schema_migrations (version INTEGER)');
  handle.close();
  return path;
}

describe('inspectDatabase', () => {
  test('tells ours from nothing', () => {
    expect(inspectDatabase(emptyDatabase())).toBe('ours');
    expect(inspectDatabase(join(directory(), 'deespec.db'))).toBe('absent');
  });

  test('refuses a foreign database in WAL mode and leaves it and its directory untouched', () => {
    const path = foreignDatabase();
    const before = readFileSync(path);

    expect(() => inspectDatabase(path)).toThrow(expect.objectContaining({ code: 'DATABASE.FOREIGN' }));

    expect(readdirSync(dirname(path))).toEqual(['deespec.db']);
    expect(readFileSync(path).equals(before)).toBe(true);
  });

  test.each([
    ['an empty file', '', 'DATABASE.EMPTY_FILE'],
    ['a text file', 'not a database\n', 'DATABASE.NOT_SQLITE'],
    ['a header without a body', 'SQLite format 3\0', 'DATABASE.NOT_SQLITE'],
  ])('refuses %s', (_, content, code) => {
    const path = join(directory(), 'deespec.db');
    writeFileSync(path, content);

    expect(() => inspectDatabase(path)).toThrow(expect.objectContaining({ code }));
    expect(readFileSync(path, 'latin1')).toBe(content);
  });

  test('refuses other names of a database: a symbolic link, a hard link', () => {
    const path = emptyDatabase();
    const symbolic = join(directory(), 'deespec.db');
    symlinkSync(path, symbolic);
    expect(() => inspectDatabase(symbolic)).toThrow(
      expect.objectContaining({ code: 'DATABASE.UNSAFE_LINK' }),
    );

    linkSync(path, join(directory(), 'other.db'));
    expect(() => inspectDatabase(path)).toThrow(expect.objectContaining({ code: 'DATABASE.UNSAFE_LINK' }));
    expect(inspectDatabase(path, 1)).toBe('ours');
  });
});
