import { afterAll, describe, expect, test } from '@jest/globals';
import BetterSqlite3 from 'better-sqlite3';
import { readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

import {
  addEvidence,
  countTables,
  inspectDatabase,
  latestEvidence,
  openHandle,
  recordDigest,
  requireSchema,
  requireSmallCells,
  requireSound,
  StoredTree,
} from '../src/index.js';
import { buildTower } from './crafted.js';
import { emptyDatabase, removeDirectories } from './support.js';

afterAll(removeDirectories);

/** An empty database that a stranger changed: no check of SQLite's, no check of ours. */
function crafted(sql: string): string {
  const path = emptyDatabase();
  const stranger = new BetterSqlite3(path);
  stranger.unsafeMode();
  stranger.pragma('ignore_check_constraints = ON');
  stranger.pragma('foreign_keys = OFF');
  stranger.exec(sql);
  stranger.close();
  return path;
}

const SHA = 'ab'.repeat(32);

/** Inserts an entry; `path` is SQL. */
function entry(path: string, kind: 'd' | 'f' = 'd', more = "0, NULL, NULL, 'stored', NULL"): string {
  const hash = kind === 'd' ? '' : SHA;
  return `INSERT INTO tree_entry VALUES (CAST(${path} AS BLOB), '${kind}', 420, 0, '${hash}', ${more}, 1);`;
}

/** A thousand and more directories: their b-tree has an interior root. */
const manyEntries = `INSERT INTO tree_entry
  WITH RECURSIVE n(i) AS (SELECT 10000 UNION ALL SELECT i + 1 FROM n WHERE i < 13000)
  SELECT CAST('directory-' || i AS BLOB), 'd', 493, 0, '', 0, NULL, NULL, 'stored', NULL, 1 FROM n;`;

function rootOf(path: string, name: string): number {
  const handle = new BetterSqlite3(path, { readonly: true });
  const root = handle.prepare('SELECT rootpage FROM sqlite_schema WHERE name = ?').pluck().get(name);
  handle.close();
  return root as number;
}

/** Runs `work` on a connection that reads, and closes it. */
function reading<T>(path: string, work: (handle: BetterSqlite3.Database) => T): T {
  const handle = openHandle(path, 'look');
  try {
    return work(handle);
  } finally {
    handle.close();
  }
}

function overwrite(path: string, offset: number, value: number): void {
  const bytes = readFileSync(path);
  bytes.writeUInt32BE(value, offset);
  writeFileSync(path, bytes);
}

describe('A database file that is not as this program leaves it', () => {
  test.each<[string, (path: string) => void, string]>([
    ['has lost its end', (path) => truncateSync(path, 8192), 'DATABASE.TRUNCATED'],
    ['is a header', (path) => truncateSync(path, 100), 'DATABASE.TRUNCATED'],
    ['is of UTF-16', (path) => overwrite(path, 56, 2), 'DATABASE.FORMAT'],
    ['has an older schema format', (path) => overwrite(path, 44, 1), 'DATABASE.FORMAT'],
    ['vacuums by itself', (path) => overwrite(path, 52, 4), 'DATABASE.FORMAT'],
    [
      'has a stray log',
      (path) => writeFileSync(`${path}-wal`, Buffer.alloc(5000, 1)),
      'DATABASE.STRAY_SIDECAR',
    ],
    ['has a stray journal', (path) => writeFileSync(`${path}-journal`, 'notes\n'), 'DATABASE.STRAY_SIDECAR'],
  ])('%s: it is refused and nothing is touched', (_, change, code) => {
    const path = emptyDatabase();
    change(path);
    const names = readdirSync(dirname(path));
    const before = names.map((name) => readFileSync(`${dirname(path)}/${name}`).toString('latin1'));

    expect(() => inspectDatabase(path)).toThrow(expect.objectContaining({ code, hint: expect.any(String) }));

    expect(readdirSync(dirname(path))).toEqual(names);
    expect(names.map((name) => readFileSync(`${dirname(path)}/${name}`).toString('latin1'))).toEqual(before);
  });

  test('with another page size is refused', () => {
    const path = crafted('PRAGMA page_size = 8192; VACUUM');

    expect(() => inspectDatabase(path)).toThrow(expect.objectContaining({ code: 'DATABASE.FORMAT' }));
  });

  test('in WAL mode is looked at without sidecars, and not changed', () => {
    const path = crafted('PRAGMA journal_mode = WAL');
    const before = readFileSync(path);

    expect(inspectDatabase(path)).toBe('ours');
    reading(path, requireSchema);

    expect(readdirSync(dirname(path))).toEqual(['deespec.db']);
    expect(readFileSync(path).equals(before)).toBe(true);
  });
});

describe('A schema that somebody forged', () => {
  const insert = 'PRAGMA writable_schema = ON; INSERT INTO sqlite_schema VALUES';

  test.each([
    [
      'a table with a name of SQLite',
      `${insert} ('table', 'sqlite_x', 'sqlite_x', 2, 'CREATE TABLE sqlite_x (a)')`,
    ],
    [
      'a view with a name of SQLite',
      `${insert} ('view', 'sqlite_x', 'sqlite_x', 0, 'CREATE VIEW sqlite_x AS SELECT 1')`,
    ],
    ['a virtual table', 'CREATE VIRTUAL TABLE v USING fts5 (a)'],
    ['an index on an expression', 'CREATE INDEX i ON sbi (lower(label))'],
    ['a generated column', 'ALTER TABLE sbi ADD COLUMN g TEXT GENERATED ALWAYS AS (lower(label))'],
    [
      'a view that never ends, in place of the applied scripts of a newer version',
      `DROP TABLE schema_version; PRAGMA user_version = 99; CREATE VIEW schema_version AS
       WITH RECURSIVE n(version) AS (SELECT 1 UNION ALL SELECT version + 1 FROM n) SELECT version FROM n`,
    ],
    ['another version number than the applied scripts', 'PRAGMA user_version = 0'],
    ['the name of a script', `UPDATE schema_version SET description = 'other'`],
  ])('%s is found before any table is read', (_, sql) => {
    const code = expect.stringMatching(
      /^(SCHEMA\.(DRIFT|EXTRA_OBJECT)|DATABASE\.NEWER|MIGRATION\.CHECKSUM_MISMATCH)$/u,
    );

    expect(() => reading(crafted(sql), requireSchema)).toThrow(expect.objectContaining({ code }));
  });

  test.each([
    `sql = 'CREATE TABLE evidence (' WHERE name = 'evidence'`,
    `rootpage = 999999 WHERE name = 'evidence'`,
    `type = 'x' WHERE name = 'idx_sbi_list'`,
  ])('a row with %s has a typed error', (set) => {
    const path = crafted(`PRAGMA writable_schema = ON; UPDATE sqlite_schema SET ${set}`);
    const code = expect.stringMatching(
      /^(SCHEMA\.(DRIFT|MISSING_OBJECT|DISGUISED_OBJECT)|DATABASE\.CORRUPT)$/u,
    );

    expect(() => reading(path, requireSchema)).toThrow(expect.objectContaining({ code }));
  });
});

describe('Pages that refer to one page many times over', () => {
  test('end every count and the check, where a plain scan would take years', () => {
    const path = crafted(manyEntries);
    buildTower(path, rootOf(path, 'tree_entry'), 8);

    expect(inspectDatabase(path)).toBe('ours');
    reading(path, (handle) => {
      requireSchema(handle);
      for (const work of [countTables, requireSmallCells, requireSound]) {
        expect(() => work(handle)).toThrow(expect.objectContaining({ code: 'DATABASE.CORRUPT' }));
      }
    });
  });
});

describe('A value that is larger than any this program stores', () => {
  const blob = 'zeroblob(40000000)';

  test.each([
    ['content', `INSERT INTO content VALUES (1, '${SHA}', 40000000, ${blob})`],
    ['config', `INSERT INTO config VALUES ('k', hex(zeroblob(20000000)), '', x'00')`],
    ['tree_entry', entry(`'a'`).replace(`'stored', NULL`, `'quarantined', hex(zeroblob(20000000))`)],
  ])('in %s is found by its length', (table, sql) => {
    reading(crafted(sql), (handle) => {
      expect(() => requireSmallCells(handle)).toThrow(
        expect.objectContaining({ code: 'DATABASE.CORRUPT', message: expect.stringContaining(table) }),
      );
    });
  });

  test('is not read as the bytes of an entry', () => {
    const file = entry(`'a'`, 'f', "40000000, 1, NULL, 'stored', NULL");
    const tree = StoredTree.openReader(
      crafted(`INSERT INTO content VALUES (1, '${SHA}', 40000000, ${blob}); ${file}`),
    );

    expect(() => [...tree.read([...tree.scan()][0]!.path)]).toThrow(
      expect.objectContaining({ code: 'DATABASE.CORRUPT' }),
    );
    tree.close();
  });
});

describe('Rows that no tree can have', () => {
  test.each([
    ['a path that leads out', entry(`'../x'`)],
    ['an absolute path', entry(`'/x'`)],
    ['an empty component', entry(`'a'`) + entry(`'a//b'`)],
    ['a path that ends in a slash', entry(`'a/'`)],
    ['an entry in no directory', entry(`'a/b'`)],
    ['an entry in a file', entry(`'a'`, 'f', "1, 1, NULL, 'stored', NULL") + entry(`'a/b'`)],
    ['a kind that is none', entry(`'a'`).replace(`'d'`, `'x'`)],
    ['a hash that is none', entry(`'a'`, 'f', "1, 1, NULL, 'stored', NULL").replace(SHA, 'no hash')],
    ['a negative size', entry(`'a'`, 'f', "-1, 1, NULL, 'stored', NULL")],
    ['a mode beyond its bits', entry(`'a'`).replace('420', '99999')],
  ])('%s ends the scan as damage', (_, sql) => {
    const tree = StoredTree.openReader(crafted(sql));

    expect(() => [...tree.scan()]).toThrow(expect.objectContaining({ code: 'DATABASE.CORRUPT' }));
    tree.close();
  });

  test.each([
    ['no content', entry(`'a'`, 'f', "5, 1, NULL, 'stored', NULL")],
    ['no execution', entry(`'a'`, 'f', "5, NULL, 7, 'stored', NULL")],
    [
      'a chunk too few',
      `INSERT INTO content VALUES (1, '${SHA}', 2000000, NULL);
       INSERT INTO content_chunk VALUES (1, 0, zeroblob(1048576));
       ${entry(`'a'`, 'f', "2000000, 1, NULL, 'stored', NULL")}`,
    ],
    [
      'an empty chunk',
      `INSERT INTO content VALUES (1, '${SHA}', 2000000, NULL);
       INSERT INTO content_chunk VALUES (1, 0, x'');
       ${entry(`'a'`, 'f', "2000000, 1, NULL, 'stored', NULL")}`,
    ],
    [
      'more bytes than recorded',
      `INSERT INTO content VALUES (1, '${SHA}', 5, x'00112233445566');
       ${entry(`'a'`, 'f', "5, 1, NULL, 'stored', NULL")}`,
    ],
  ])('an entry with %s cannot be read, and that is damage, not a bug', (_, sql) => {
    const tree = StoredTree.openReader(crafted(sql));
    const [first] = [...tree.scan()];

    expect(() => [...tree.read(first!.path)]).toThrow(expect.objectContaining({ code: 'DATABASE.CORRUPT' }));
    tree.close();
  });
});

describe('Evidence', () => {
  const row = {
    runId: '01HZX3YQ4VAXE1C24TYMZ95G6S',
    action: 'migrate',
    at: '2026-01-02T03:04:05.000000000Z',
    version: '0.1.0',
    epoch: 1,
    digest: SHA,
    record: SHA,
    entries: 1,
    bytes: 2,
    ignoredEntries: 3,
    ignoredBytes: 4,
    differences: 0,
  } as const;

  function withEvidence(sql: string): string {
    const path = emptyDatabase();
    const handle = openHandle(path, 'write');
    addEvidence(handle, row);
    handle.exec(sql);
    handle.close();
    return path;
  }

  test('is read as it was written', () => {
    expect(reading(withEvidence(''), (handle) => latestEvidence(handle))).toEqual(row);
  });

  test.each([
    'bytes = 3',
    `version = '0.1.1'`,
    `at = '2026-01-02T03:04:06.000000000Z'`,
    `digest = NULL`,
    'differences = 1',
  ])('that was changed to %s is damage', (set) => {
    const path = withEvidence(`UPDATE evidence SET ${set}`);

    expect(() => reading(path, (handle) => latestEvidence(handle))).toThrow(
      expect.objectContaining({ code: 'DATABASE.CORRUPT' }),
    );
  });

  test.each([
    `UPDATE storage_state SET rev = rev + 1`,
    `UPDATE schema_version SET applied_at = '2026-01-02T03:04:06.000000000Z'`,
    `UPDATE tree_entry SET mtime_ns = 1`,
    `UPDATE tree_entry SET rev = 2`,
    `UPDATE content SET bytes = x'4142'`,
  ])('knows rows apart by what %s changes', (sql) => {
    // How long a script took is another number each time.
    const rows = `UPDATE schema_version SET duration_ms = 0; INSERT INTO content VALUES (1, '${SHA}', 1, x'41');
      ${entry(`'a'`, 'f', "1, 1, NULL, 'stored', NULL")}`;

    expect(reading(crafted(rows + sql), recordDigest)).not.toBe(reading(crafted(rows), recordDigest));
    expect(reading(crafted(rows), recordDigest)).toBe(reading(crafted(rows), recordDigest));
  });
});
