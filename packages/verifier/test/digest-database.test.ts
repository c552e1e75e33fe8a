import { describe, expect, test } from '@jest/globals';
import Database from 'better-sqlite3';
import { digestDatabase, digestTree } from '../src/index.js';
import { harm, isBig, isSpec, migratedTree } from './support.js';

/** The digest of a database, inside a transaction in which `sql` ran. */
function digestAfter(database: string, sql = ''): string {
  const connection = new Database(database);
  try {
    connection.exec(`BEGIN IMMEDIATE; ${sql}`);
    return digestDatabase(connection);
  } finally {
    connection.close();
  }
}

describe('digestDatabase', () => {
  test('is the digest of the tree that was stored', async () => {
    const { home, database } = migratedTree();

    expect(digestAfter(database)).toBe((await digestTree(home)).digest);
  });

  test.each([
    [
      'a byte of a small content',
      `UPDATE content SET bytes = CAST(x'00' || substr(bytes, 2) AS BLOB) WHERE id = (SELECT content_id FROM tree_entry WHERE ${isSpec})`,
    ],
    ['a byte of a chunk', `UPDATE content_chunk SET bytes = zeroblob(length(bytes)) WHERE rowid = 1`],
    ['a lost chunk', 'DELETE FROM content_chunk WHERE rowid = 1'],
    ['a mode', `UPDATE tree_entry SET mode = 448 WHERE ${isSpec}`],
    ['a path', `UPDATE tree_entry SET path = CAST('elsewhere' AS BLOB) WHERE ${isSpec}`],
    ['a lost entry', `DELETE FROM tree_entry WHERE ${isBig}`],
  ])('is another one after a change in the same transaction of %s', (_, sql) => {
    const { database } = migratedTree();

    expect(digestAfter(database, sql)).not.toBe(digestAfter(database));
  });

  test('is of the bytes, whatever their hash is said to be', () => {
    const { database } = migratedTree();

    const sql = `UPDATE tree_entry SET sha256 = lower(hex(zeroblob(32))) WHERE ${isSpec}`;

    expect(digestAfter(database, sql)).toBe(digestAfter(database));
  });

  test('compares them with their hashes when it is asked to', () => {
    const { database } = migratedTree();
    harm(database, `UPDATE tree_entry SET sha256 = lower(hex(zeroblob(32))) WHERE ${isSpec}`);
    const connection = new Database(database);

    expect(() => digestDatabase(connection, 'compared')).toThrow('specs/sbi/SBI-1/spec.md');
    connection.close();
  });

  test('names an entry whose bytes are lost', () => {
    const { database } = migratedTree();
    harm(database, `DELETE FROM content WHERE id = (SELECT content_id FROM tree_entry WHERE ${isSpec})`);

    expect(() => digestAfter(database)).toThrow('specs/sbi/SBI-1/spec.md');
  });
});
