import {
  chmodSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import Database from 'better-sqlite3';
import { digestTree, verifyTree, type TreeVerification } from '../src/index.js';
import { at, expectedSchema, harm, hurry, migratedTree, put, sha256, temporaryDirectory } from './support.js';

type Migrated = ReturnType<typeof migratedTree>;

function verify({ home, database }: Migrated, depth: 'quick' | 'all' = 'all'): Promise<TreeVerification> {
  return verifyTree({ home, database, expectedSchema: expectedSchema(), checkAll: depth === 'all' });
}

/** Verifies both ways; without `checkAll` stored contents are trusted, so `quick` may find less. */
async function found(migrated: Migrated): Promise<{ all: string[]; quick: string[] }> {
  const name = ({ differences }: TreeVerification) =>
    differences.map(({ what, where }) => `${what} ${where}`);
  return { all: name(await verify(migrated)), quick: name(await verify(migrated, 'quick')) };
}

const spec = 'specs/sbi/SBI-1/spec.md';
const step = 'specs/sbi/SBI-1/implement_2.md';
const isSpec = `path = CAST('${spec}' AS BLOB)`;
const isStep = `path = CAST('${step}' AS BLOB)`;
const isBig = `path = CAST('specs.old/big.bin' AS BLOB)`;

describe('verifyTree', () => {
  test('finds nothing when both sides are the same, and balances the bytes', async () => {
    const migrated = migratedTree();

    const all = await verify(migrated);
    const quick = await verify(migrated, 'quick');

    const { digest, bytes, files, directories, symlinks } = await digestTree(migrated.home);
    const tally = { entries: files + directories + symlinks, bytes };
    expect(all).toEqual({
      treeDigest: digest,
      databaseDigest: digest,
      treeTally: tally,
      storedTally: tally,
      ignoredTally: { entries: 1, bytes: 2 },
      scannedTally: { entries: tally.entries + 1, bytes: tally.bytes + 2 },
      differences: [],
      differenceCount: 0,
      timeDifferences: 0,
      quarantined: 0,
    });
    expect(quick).toMatchObject({ treeTally: tally, storedTally: tally, differenceCount: 0 });
    expect(quick).not.toHaveProperty('treeDigest');
  });

  test.each<[string, (home: string) => void, string]>([
    ['added', (home) => put(home, 'specs!', ''), 'missing-in-database specs!'],
    ['removed', (home) => rmSync(join(home, spec)), `missing-in-tree ${spec}`],
    [
      'the last one removed',
      (home) => rmSync(join(home, 'specs.old/big.bin')),
      'missing-in-tree specs.old/big.bin',
    ],
    ['changed', (home) => writeFileSync(join(home, spec), '# SPEC\n'), `content ${spec}`],
    ['grown', (home) => writeFileSync(join(home, spec), '# spec\n\n'), `content ${spec}`],
    ['of another mode', (home) => chmodSync(join(home, spec), 0o755), `mode ${spec}`],
    ['of another kind', (home) => replaceByLink(home), `kind ${spec}`],
    ['a link elsewhere', (home) => relink(home), 'target link'],
  ])('names an entry on disk that is %s', async (_what, change, difference) => {
    const migrated = migratedTree();

    change(migrated.home);

    expect(await found(migrated)).toEqual({ all: [difference], quick: [difference] });
    const { treeDigest, databaseDigest } = await verify(migrated);
    expect(treeDigest).not.toBe(databaseDigest);
  });

  test('only counts another modification time, and reads the file to be sure', async () => {
    const migrated = migratedTree();
    utimesSync(join(migrated.home, spec), 1, 1);

    expect(await verify(migrated)).toMatchObject({ differenceCount: 0, timeDifferences: 1 });
    expect(await verify(migrated, 'quick')).toMatchObject({ differenceCount: 0, timeDifferences: 1 });
  });

  test('trusts size and time without checkAll, and nothing with it', async () => {
    const migrated = migratedTree();
    const { atime, mtime } = statSync(join(migrated.home, spec));
    utimesSync(join(migrated.home, spec), atime, mtime);
    const { mtimeNs } = statSync(join(migrated.home, spec), { bigint: true });
    harm(migrated.database, `UPDATE tree_entry SET mtime_ns = ${mtimeNs} WHERE ${isSpec}`);
    writeFileSync(join(migrated.home, spec), '# SPEC\n');
    utimesSync(join(migrated.home, spec), atime, mtime);

    expect(await found(migrated)).toEqual({ all: [`content ${spec}`], quick: [] });
  });

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
    [
      'an extra column',
      `ALTER TABLE execution ADD COLUMN extra TEXT`,
      ['schema table execution'],
      ['schema table execution'],
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

  test('says what it expected and what it found', async () => {
    const migrated = migratedTree();
    harm(
      migrated.database,
      `DELETE FROM content_chunk WHERE seq = 1; UPDATE tree_entry SET mode = 493 WHERE ${isSpec}`,
    );
    rmSync(join(migrated.home, 'specs/empty'));
    relink(migrated.home);

    const { differences } = await verify(migrated);

    const big = Buffer.alloc(2 * 1_048_576 + 5, 'big');
    const left = sha256(Buffer.concat([big.subarray(0, 1_048_576), big.subarray(2 * 1_048_576)]));
    expect(differences).toEqual([
      { what: 'target', where: 'link', expected: 'else\\x0awhere', actual: 'specs/sbi' },
      { what: 'stored-content', where: 'specs.old/big.bin', expected: `sha256 ${sha256(big)}, ${big.length} bytes`, actual: `sha256 ${left}, 1048581 bytes, chunk 1 is missing` },
      { what: 'missing-in-tree', where: 'specs/empty', expected: 'file, mode 644, 0 bytes', actual: 'nothing' },
      { what: 'mode', where: spec, expected: '600', actual: '755' },
    ]); // prettier-ignore
  });

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

    const { differences } = await verify(migrated);

    const messages = differences.filter(({ what }) => what === 'integrity').map(({ actual }) => actual);
    expect(messages.join()).toContain('idx_\\xff\\x1b');
  });

  test('keeps the first 1,000 differences and counts all', async () => {
    const migrated = migratedTree();
    harm(
      migrated.database,
      `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1500)
       INSERT INTO content SELECT i + 1000, 'x', 0, x'' FROM n`,
    );

    const { differences, differenceCount } = await verify(migrated);

    expect([differences.length, differenceCount]).toEqual([1000, 1500]);
  });

  test('counts quarantined entries', async () => {
    const migrated = migratedTree();
    harm(migrated.database, `UPDATE tree_entry SET state = 'quarantined', reason = 'torn' WHERE ${isSpec}`);

    expect(await verify(migrated, 'quick')).toMatchObject({ quarantined: 1, differenceCount: 0 });
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

  test('refuses a database in a directory that does not exist, and a tree that does not', async () => {
    const { home, database } = migratedTree();
    const absent = join(temporaryDirectory(), 'absent');

    await expect(verify({ home, database: join(absent, 'x.db') })).rejects.toMatchObject({
      code: 'DATABASE.NOT_FOUND',
    });
    await expect(verify({ home: absent, database })).rejects.toMatchObject({ code: 'TREE.NOT_FOUND' });
  });

  test('is busy at once when another connection holds the file', async () => {
    const migrated = migratedTree();
    const other = new Database(migrated.database);
    other.exec('BEGIN EXCLUSIVE');

    await expect(verify(migrated)).rejects.toMatchObject({ code: 'SQLITE.BUSY', retryable: true });

    other.close();
  });

  test('sees the database at one moment, while another connection writes to it', async () => {
    const migrated = migratedTree();
    harm(migrated.database, 'PRAGMA journal_mode=WAL');
    const writer = new Database(migrated.database);
    put(migrated.home, 'aa', Buffer.alloc(3 * 1_048_576));
    hurry();
    let turns = 0;
    const remove = (): void => {
      turns += 1;
      if (turns === 2) writer.exec(`DELETE FROM tree_entry WHERE ${isSpec}`);
    };

    const { differences } = await verifyTree({
      ...migrated,
      expectedSchema: expectedSchema(),
      checkAll: true,
      onProgress: remove,
    });

    writer.close();
    expect(turns).toBeGreaterThan(2);
    expect(differences.map(({ where }) => where)).toEqual(['aa']);
  });

  test('stops when it is told to and leaves the database closed', async () => {
    const migrated = migratedTree();
    const signal = AbortSignal.abort();

    const run = verifyTree({ ...migrated, expectedSchema: [], signal });

    await expect(run).rejects.toMatchObject({ code: 'INTERRUPTED' });
    const other = new Database(migrated.database);
    other.exec('BEGIN EXCLUSIVE; COMMIT');
    other.close();
  });

  test('leaves both sides as they were', async () => {
    const migrated = migratedTree();
    const before = [sha256(readFileSync(migrated.database)), (await digestTree(migrated.home)).digest];

    await verify(migrated);

    expect([sha256(readFileSync(migrated.database)), (await digestTree(migrated.home)).digest]).toEqual(
      before,
    );
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

function replaceByLink(home: string): void {
  rmSync(join(home, spec));
  symlinkSync('x', join(home, spec));
}

function relink(home: string): void {
  rmSync(at(home, 'link'));
  symlinkSync('else\nwhere', at(home, 'link'));
}

/** Overwrites every page but the first, which holds the schema. */
function tear(file: string): void {
  const bytes = readFileSync(file);
  writeFileSync(file, bytes.fill(0x5a, 4096));
}
