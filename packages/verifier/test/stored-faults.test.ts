import { readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import Database from 'better-sqlite3';
import {
  found,
  harm,
  isBig,
  isSpec,
  isStep,
  liveSchema,
  migratedTree,
  sha256,
  spec,
  step,
  verify,
} from './support.js';

describe('verifyTree on a harmed database', () => {
  const faults: readonly [string, string, string[], string[]][] = [
    [
      'a lost row',
      `DELETE FROM tree_entry WHERE path = CAST('knowledge' AS BLOB)`,
      ['missing-in-database knowledge'],
      ['missing-in-database knowledge'],
    ],
    [
      'an extra row',
      `INSERT INTO tree_entry SELECT CAST('zz' AS BLOB), kind, mode, mtime_ns, sha256, size, content_id, execution_id, state, reason, rev FROM tree_entry WHERE ${isSpec}`,
      ['missing-in-tree zz'],
      ['missing-in-tree zz'],
    ],
    ['another mode', `UPDATE tree_entry SET mode = 420 WHERE ${isSpec}`, [`mode ${spec}`], [`mode ${spec}`]],
    [
      'another kind',
      `UPDATE tree_entry SET kind = 'x' WHERE path = CAST('specs/empty' AS BLOB)`,
      ['kind specs/empty'],
      ['kind specs/empty'],
    ],
    [
      'another recorded size',
      `UPDATE tree_entry SET size = 8 WHERE ${isSpec}`,
      [`stored-content ${spec}`, `stored-content ${spec}`, `content ${spec}`],
      [`content ${spec}`],
    ],
    [
      'another size of the content',
      `UPDATE content SET size = 8 WHERE id = (SELECT content_id FROM tree_entry WHERE ${isSpec})`,
      [`stored-content ${spec}`],
      [],
    ],
    [
      'another hash of the content',
      `UPDATE content SET sha256 = '${sha256('')}' WHERE id = (SELECT content_id FROM tree_entry WHERE ${isSpec})`,
      [`stored-content ${spec}`],
      [],
    ],
    [
      'a changed byte',
      `UPDATE content SET bytes = CAST('# SPEC' || char(10) AS BLOB) WHERE id = (SELECT content_id FROM tree_entry WHERE ${isSpec})`,
      [`stored-content ${spec}`],
      [],
    ],
    [
      'a changed step',
      `UPDATE execution SET content = 'DONE' || char(10) WHERE id = (SELECT execution_id FROM tree_entry WHERE ${isStep})`,
      [`stored-content ${step}`],
      [],
    ],
    [
      'a step without content',
      `UPDATE execution SET content = NULL WHERE id = (SELECT execution_id FROM tree_entry WHERE ${isStep})`,
      [`missing-content ${step}`],
      [],
    ],
    [
      'a changed chunk',
      `UPDATE content_chunk SET bytes = zeroblob(5) WHERE seq = 2`,
      ['stored-content specs.old/big.bin'],
      [],
    ],
    ['a lost chunk', `DELETE FROM content_chunk WHERE seq = 1`, ['stored-content specs.old/big.bin'], []],
    ['no chunks', `DELETE FROM content_chunk`, ['missing-content specs.old/big.bin'], []],
    [
      'no reference',
      `UPDATE tree_entry SET content_id = NULL WHERE ${isBig}`,
      ['unreferenced-content content BIG', 'missing-content specs.old/big.bin'],
      [],
    ],
    [
      'two references',
      `UPDATE tree_entry SET execution_id = 1 WHERE ${isSpec}`,
      [`stored-content ${spec}`],
      [],
    ],
    [
      'a directory with content',
      `UPDATE tree_entry SET content_id = 1 WHERE path = CAST('knowledge' AS BLOB)`,
      ['stored-content knowledge'],
      [],
    ],
    [
      'an orphan content',
      `INSERT INTO content VALUES (99, 'x', 1, x'00')`,
      ['unreferenced-content content 99'],
      [],
    ],
    [
      'an orphan chunk',
      `INSERT INTO content_chunk VALUES (99, 0, x'00')`,
      ['foreign-key content_chunk row 4', 'unreferenced-content content_chunk 99 0'],
      [],
    ],
    [
      'a chunk beside whole bytes',
      `INSERT INTO content_chunk SELECT content_id, 0, x'00' FROM tree_entry WHERE ${isSpec}`,
      ['unreferenced-content content_chunk SPEC 0'],
      [],
    ],
    [
      'a lost content',
      `DELETE FROM content WHERE id = (SELECT content_id FROM tree_entry WHERE ${isSpec})`,
      ['foreign-key tree_entry', `missing-content ${spec}`],
      [],
    ],
    [
      'a dropped index',
      `DROP INDEX idx_tree_entry_content`,
      ['schema index idx_tree_entry_content'],
      ['schema index idx_tree_entry_content'],
    ],
    [
      'another index',
      `DROP INDEX idx_tree_entry_content; CREATE INDEX idx_tree_entry_content ON tree_entry (execution_id)`,
      ['schema index idx_tree_entry_content'],
      ['schema index idx_tree_entry_content'],
    ],
    [
      'an extra trigger',
      `CREATE TRIGGER t AFTER DELETE ON content BEGIN SELECT 1; END`,
      ['schema trigger t'],
      ['schema trigger t'],
    ],
  ];

  test.each(faults.map(([did, sql, all, quick]) => ({ did, sql, all, quick })))(
    'names what $did did to the database',
    async ({ sql, all, quick }) => {
      const migrated = migratedTree();
      const ids = { SPEC: idOf(migrated.database, isSpec), BIG: idOf(migrated.database, isBig) };

      harm(migrated.database, sql);

      const named = all.map((name) =>
        name.replace(/SPEC|BIG/u, (key) => String(ids[key as keyof typeof ids])),
      );
      expect(await found(migrated)).toEqual({ all: named, quick });
    },
  );

  test('finds an index that does not hold what the table holds', async () => {
    const migrated = migratedTree();
    const page = Number(
      scalar(migrated.database, `SELECT rootpage FROM sqlite_schema WHERE name LIKE 'idx%'`),
    );
    const bytes = readFileSync(migrated.database);
    // One entry fewer in the index's leaf page: https://www.sqlite.org/fileformat2.html ("b-tree page header").
    const cells = (page - 1) * 4096 + 3;
    bytes.writeUInt16BE(bytes.readUInt16BE(cells) - 1, cells);
    writeFileSync(migrated.database, bytes);

    const { all } = await found(migrated);

    expect(new Set(all)).toEqual(new Set(['integrity database']));
  });

  test('reads a check whose message holds bytes that are no text', async () => {
    const migrated = migratedTree();
    const database = new Database(migrated.database);
    database.unsafeMode();
    database.pragma('synchronous=OFF');
    database.exec(`PRAGMA writable_schema=ON;
      UPDATE sqlite_schema SET name = CAST(x'6964785fff1b' AS TEXT), sql = 'CREATE INDEX "' || CAST(x'6964785fff1b' AS TEXT) || '" ON tree_entry (mode)' WHERE type = 'index' AND name LIKE 'idx%'`);
    database.close();

    const { differences } = await verify(migrated, 'all', liveSchema(migrated.database));

    const messages = differences.filter(({ what }) => what === 'integrity').map(({ actual }) => actual);
    expect(messages.join()).toContain('idx_\\xff\\x1b');
  });

  test.each<[string, (file: string) => void, string]>([
    ['truncated', (file) => truncateSync(file, 3 * 4096), 'DATABASE.CORRUPT'],
    [
      'no database',
      (file) => writeFileSync(file, 'this is a text file, and long enough for a header '.repeat(40)),
      'DATABASE.CORRUPT',
    ],
    ['of torn pages', (file) => tear(file), 'DATABASE.CORRUPT'],
    ['absent', (file) => rmSync(file), 'DATABASE.NOT_FOUND'],
    ['empty', (file) => truncateSync(file, 0), 'SCHEMA.DRIFT'],
    [
      'one whose tables have an extra column',
      (file) => harm(file, 'ALTER TABLE execution ADD COLUMN extra TEXT'),
      'SCHEMA.DRIFT',
    ],
    [
      'one with a view that never ends in place of a table',
      (file) =>
        harm(
          file,
          `DROP TABLE tree_entry; CREATE VIEW tree_entry AS
           WITH RECURSIVE n(path) AS (SELECT 1 UNION ALL SELECT path + 1 FROM n) SELECT * FROM n`,
        ),
      'SCHEMA.DRIFT',
    ],
    [
      'without a table of the tree',
      (file) => harm(file, 'DROP TABLE content_chunk; DROP TABLE tree_entry'),
      'SCHEMA.DRIFT',
    ],
  ])('refuses a database file that is %s', async (_what, change, code) => {
    const migrated = migratedTree();

    change(migrated.database);

    await expect(verify(migrated)).rejects.toMatchObject({ code, details: { database: migrated.database } });
    await expect(verify(migrated, 'quick')).rejects.toMatchObject({ code });
  });
});

function scalar(file: string, sql: string): unknown {
  const database = new Database(file, { readonly: true });
  const value = database.prepare(sql).pluck().get();
  database.close();
  return value;
}

function idOf(file: string, where: string): number {
  return Number(scalar(file, `SELECT content_id FROM tree_entry WHERE ${where}`));
}

/** Overwrites every page but the first, which holds the schema. */
function tear(file: string): void {
  const bytes = readFileSync(file);
  writeFileSync(file, bytes.fill(0x5a, 4096));
}
