import { chmodSync, readFileSync, rmSync, statSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import Database from 'better-sqlite3';
import { digestTree, verifyTree } from '../src/index.js';
import {
  at,
  expectedSchema,
  found,
  harm,
  hurry,
  isSpec,
  migratedTree,
  put,
  sha256,
  spec,
} from './support.js';
import { temporaryDirectory, verify } from './support.js';

describe('verifyTree', () => {
  test.each(['small', 'large'] as const)(
    'finds nothing when both sides are the same, and balances the bytes: %s',
    async (size) => {
      const migrated = migratedTree(size);

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
        paths: new Map(),
        timeDifferences: 0,
        otherTimes: [],
        quarantined: 0,
      });
      expect(quick).toMatchObject({ treeTally: tally, storedTally: tally, differenceCount: 0 });
      expect(quick).not.toHaveProperty('treeDigest');
    },
  );

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
    for (const size of ['small', 'large'] as const) {
      const migrated = migratedTree(size);

      change(migrated.home);

      expect(await found(migrated)).toEqual({ all: [difference], quick: [difference] });
      const { treeDigest, databaseDigest } = await verify(migrated);
      expect(treeDigest).not.toBe(databaseDigest);
    }
  });

  test('only counts another modification time, and reads the file to be sure', async () => {
    const migrated = migratedTree();
    utimesSync(join(migrated.home, spec), 1, 1);

    expect(await verify(migrated)).toMatchObject({
      differenceCount: 0,
      timeDifferences: 1,
      otherTimes: [spec],
    });
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

  test('refuses a database in a directory that does not exist, and a tree that does not', async () => {
    const { home, database } = migratedTree();
    const absent = join(temporaryDirectory(), 'absent');

    await expect(verify({ home, database: join(absent, 'x.db') })).rejects.toMatchObject({
      code: 'DATABASE.NOT_FOUND',
    });
    await expect(verify({ home: absent, database })).rejects.toMatchObject({ code: 'TREE.NOT_FOUND' });
  });

  test('is busy when another connection keeps the file to itself', async () => {
    const migrated = migratedTree();
    const other = new Database(migrated.database);
    other.exec('BEGIN EXCLUSIVE');

    await expect(verify(migrated)).rejects.toMatchObject({ code: 'SQLITE.BUSY', retryable: true });

    other.close();
  });

  test('sees the database at one moment, while another connection writes to it', async () => {
    const migrated = migratedTree();
    harm(migrated.database, `PRAGMA journal_mode=WAL; INSERT INTO content VALUES (99, 'x', 1, x'00')`);
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
    expect(differences.map(({ where }) => where)).toEqual(['content 99', 'aa']);
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

function replaceByLink(home: string): void {
  rmSync(join(home, spec));
  symlinkSync('x', join(home, spec));
}

function relink(home: string): void {
  rmSync(at(home, 'link'));
  symlinkSync('else\nwhere', at(home, 'link'));
}
