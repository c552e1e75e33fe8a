import { afterAll, describe, expect, test } from '@jest/globals';
import { chmodSync, readFileSync, rmSync, statSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';

import { digest, readStatus, verify, type Difference } from '../src/index.js';
import {
  corrupt,
  expectError,
  generatedTree,
  migratedTree,
  put,
  removeDirectories,
  rows,
  sbisWith,
} from './support.js';

afterAll(removeDirectories);

/** Verifies `home` whole; what it found must be the only kinds named. */
async function differencesOf(home: string): Promise<readonly Difference[]> {
  const report = await verify({ home, checkAll: true });

  expect(report.ok).toBe(false);
  expect(report.differenceCount).toBeGreaterThanOrEqual(report.differences.length);
  return report.differences;
}

const textPath = 'CAST(path AS TEXT)';

/** A stored path of the tree: of the `kind` of place its bytes lie in. */
function storedPath(home: string, where: string): string {
  const [row] = rows(home, `SELECT ${textPath} AS path FROM tree_entry WHERE ${where} ORDER BY path LIMIT 1`);
  return (row as { path: string }).path;
}

describe('Verification of a sound database', () => {
  test('finds nothing, counts both sides and records it', async () => {
    const home = await migratedTree();

    const report = await verify({ home, checkAll: true });

    const { digest: tree } = await digest({ directory: home });
    expect(report).toMatchObject({
      ok: true,
      treeDigest: tree,
      databaseDigest: tree,
      equation: { holds: true },
      timeDifferences: 0,
      evidence: 'recorded',
    });
    expect(
      rows(home, 'SELECT action, digest, entries, bytes, differences FROM evidence ORDER BY at'),
    ).toEqual([
      { action: 'migrate', digest: tree, ...report.equation.stored, differences: 0 },
      { action: 'verify', digest: tree, ...report.equation.stored, differences: 0 },
    ]);
  });

  test('without checkAll has no digest, and records none', async () => {
    const home = await migratedTree();

    const report = await verify({ home });

    expect(report.ok).toBe(true);
    expect(report).not.toHaveProperty('treeDigest');
    expect(rows(home, `SELECT digest FROM evidence WHERE action = 'verify'`)).toEqual([{ digest: null }]);
  });

  test('takes a file that was only touched for the same, and counts it', async () => {
    const home = await migratedTree();
    utimesSync(join(home, 'setting.json'), 1_600_000_000, 1_600_000_000);

    expect(await verify({ home })).toMatchObject({ ok: true, timeDifferences: 1 });
    expect(await verify({ home, checkAll: true })).toMatchObject({ timeDifferences: 1 });
  });
});

describe('Verification finds what was changed in the database', () => {
  test('a byte of a file', async () => {
    const home = await migratedTree();
    const path = storedPath(home, `path = CAST('specs/README.md' AS BLOB)`);
    corrupt(
      home,
      `UPDATE content SET bytes = CAST(x'00' || substr(bytes, 2) AS BLOB)
       WHERE id = (SELECT content_id FROM tree_entry WHERE path = CAST('${path}' AS BLOB))`,
    );

    expect(await differencesOf(home)).toEqual([
      expect.objectContaining({ what: 'stored-content', where: path }),
    ]);
  });

  test('a byte of an artifact', async () => {
    const home = await migratedTree();
    const path = storedPath(home, 'execution_id IS NOT NULL AND size > 0');
    corrupt(
      home,
      `UPDATE execution SET content = 'X' || substr(content, 2)
       WHERE id = (SELECT execution_id FROM tree_entry WHERE path = CAST('${path}' AS BLOB))`,
    );

    expect(await differencesOf(home)).toContainEqual(
      expect.objectContaining({ what: 'stored-content', where: path }),
    );
  });

  test('a byte of a large file', async () => {
    const home = generatedTree();
    put(home, 'archives/large', Buffer.alloc(2_500_000, 'x'));
    const { migrate } = await import('../src/index.js');
    await migrate({ home });
    corrupt(home, `UPDATE content_chunk SET bytes = zeroblob(length(bytes)) WHERE seq = 1`);

    expect(await differencesOf(home)).toEqual([
      expect.objectContaining({ what: 'stored-content', where: 'archives/large' }),
    ]);
  });

  test('a lost chunk', async () => {
    const home = generatedTree();
    put(home, 'archives/large', Buffer.alloc(2_500_000, 'x'));
    const { migrate } = await import('../src/index.js');
    await migrate({ home });
    corrupt(home, 'DELETE FROM content_chunk WHERE seq = 1');

    expect(await differencesOf(home)).toContainEqual(
      expect.objectContaining({ where: expect.stringContaining('archives/large') }),
    );
  });

  test('a lost path', async () => {
    const home = await migratedTree();
    corrupt(home, `DELETE FROM tree_entry WHERE path = CAST('setting.json' AS BLOB)`);

    const differences = await differencesOf(home);

    expect(differences).toContainEqual(
      expect.objectContaining({ what: 'missing-in-database', where: 'setting.json' }),
    );
    expect(differences.map(({ what }) => what)).toContain('unreferenced-content');
  });

  test('an added path', async () => {
    const home = await migratedTree();
    corrupt(
      home,
      `INSERT INTO tree_entry (path, kind, mode, mtime_ns, sha256, size, rev)
       VALUES (CAST('specs/zz' AS BLOB), 'd', 493, 0, '', 0, 1)`,
    );

    expect(await differencesOf(home)).toEqual([
      expect.objectContaining({ what: 'missing-in-tree', where: 'specs/zz' }),
    ]);
  });

  test('a mode', async () => {
    const home = await migratedTree();
    corrupt(home, `UPDATE tree_entry SET mode = 511 WHERE path = CAST('setting.json' AS BLOB)`);

    expect(await differencesOf(home)).toEqual([
      { what: 'mode', where: 'setting.json', expected: '644', actual: '777' },
    ]);
  });

  test('a lost SBI', async () => {
    const home = await migratedTree('A');
    const id = basename(sbisWith(home, 'state.json')[0]!);
    corrupt(home, `DELETE FROM sbi WHERE id = '${id}'`);

    const differences = await differencesOf(home);

    expect(differences).toContainEqual(expect.objectContaining({ what: 'index', where: `sbi ${id}` }));
  });

  test('a lost execution', async () => {
    const home = await migratedTree('B');
    corrupt(home, 'DELETE FROM execution WHERE id = (SELECT id FROM execution WHERE path IS NULL LIMIT 1)');

    expect(await differencesOf(home)).toContainEqual(
      expect.objectContaining({ what: 'index', where: expect.stringContaining('execution of SBI-') }),
    );
  });

  test('an execution whose artifact is lost with it', async () => {
    const home = await migratedTree('B');
    const path = storedPath(home, 'execution_id IS NOT NULL AND size > 0');
    corrupt(
      home,
      `DELETE FROM execution WHERE id = (SELECT execution_id FROM tree_entry WHERE path = CAST('${path}' AS BLOB))`,
    );

    expect(await differencesOf(home)).toContainEqual(
      expect.objectContaining({ what: 'missing-content', where: path }),
    );
  });

  test.each([
    [
      'a status',
      `UPDATE sbi SET status = 'REVIEW&WIP' WHERE id = (SELECT min(id) FROM sbi WHERE status <> 'REVIEW&WIP')`,
      'sbi SBI-',
    ],
    ['a setting', `UPDATE config SET value = '"other"' WHERE key = 'setting.agent_bin'`, 'config'],
    ['a lost setting', `DELETE FROM config WHERE key = 'setting.agent_bin'`, 'config'],
    [
      'a state',
      `UPDATE tree_entry SET state = 'quarantined', reason = 'x' WHERE path = CAST('setting.json' AS BLOB)`,
      'tree_entry setting.json',
    ],
  ])('%s of the index', async (_, sql, where) => {
    const home = await migratedTree();
    corrupt(home, sql);

    const differences = await differencesOf(home);

    expect(differences.map(({ what }) => what)).toEqual(differences.map(() => 'index'));
    expect(differences).toContainEqual(expect.objectContaining({ where: expect.stringContaining(where) }));
  });

  test('a dropped index', async () => {
    const home = await migratedTree();
    corrupt(home, 'DROP INDEX idx_sbi_status');

    expect(await differencesOf(home)).toEqual([
      expect.objectContaining({ what: 'schema', where: 'index idx_sbi_status', actual: 'missing' }),
    ]);
  });

  test('an added trigger', async () => {
    const home = await migratedTree();
    corrupt(home, 'CREATE TRIGGER t AFTER INSERT ON sbi BEGIN DELETE FROM sbi; END');

    expect(await differencesOf(home)).toEqual([
      expect.objectContaining({ what: 'schema', where: 'trigger t' }),
    ]);
  });

  test('finds a schema number that no script has set', async () => {
    const home = await migratedTree();
    corrupt(home, 'PRAGMA user_version = 999');

    expect((await verify({ home })).differences).toContainEqual(
      expect.objectContaining({ what: 'schema', where: 'database' }),
    );
  });

  test('an edited script', async () => {
    const home = await migratedTree();
    corrupt(home, `UPDATE schema_version SET checksum = '${'0'.repeat(64)}', normalized = checksum`);

    expect(await differencesOf(home)).toEqual([
      expect.objectContaining({ what: 'schema-script', where: 'schema_version' }),
    ]);
  });

  test.each([0.25, 0.5, 0.9])('%p of its file only: its end is missing', async (share) => {
    const home = await migratedTree();
    const database = join(home, 'deespec.db');
    truncateSync(database, Math.floor(statSync(database).size * share));

    const error = await expectError(verify({ home, checkAll: true }), 'DATABASE.TRUNCATED');

    expect(error.hint).toBeDefined();
  });

  test('a page that is zeroed: it is corrupt or different, never sound', async () => {
    const home = await migratedTree();
    const database = join(home, 'deespec.db');
    const pages = statSync(database).size / 4096;
    const sound: number[] = [];
    for (let page = 1; page < pages; page += Math.ceil(pages / 12)) {
      const bytes = readFileSync(database);
      writeFileSync(database, Buffer.from(bytes).fill(0, page * 4096, (page + 1) * 4096));
      const found = await verify({ home, checkAll: true }).then(
        ({ ok }) => (ok ? 'sound' : 'different'),
        (error: { code?: string }) => error.code,
      );
      if (found !== 'different' && found !== 'DATABASE.CORRUPT') sound.push(page);
      writeFileSync(database, bytes);
    }

    expect(sound).toEqual([]);
  });
});

describe('Verification finds what was changed in the tree', () => {
  const changes: readonly [string, string, (home: string) => string][] = [
    [
      'a changed file',
      'content',
      (home) => (writeFileSync(join(home, 'setting.json'), '{}'), 'setting.json'),
    ],
    [
      'an added file',
      'missing-in-database',
      (home) => (put(home, 'specs/added.md', 'new'), 'specs/added.md'),
    ],
    ['a removed file', 'missing-in-tree', (home) => (rmSync(join(home, 'setting.json')), 'setting.json')],
    ['a changed mode', 'mode', (home) => (chmodSync(join(home, 'setting.json'), 0o600), 'setting.json')],
    [
      'a file in place of a directory',
      'kind',
      (home) => {
        rmSync(join(home, 'specs'), { recursive: true });
        writeFileSync(join(home, 'specs'), '');
        return 'specs';
      },
    ],
  ];

  test.each(changes)('%s, with and without checkAll', async (_, what, change) => {
    const home = await migratedTree();
    const where = change(home);

    for (const checkAll of [false, true]) {
      const { ok, differences, differenceCount } = await verify({ home, checkAll });
      expect({ ok, differences }).toEqual({
        ok: false,
        differences: expect.arrayContaining([expect.objectContaining({ what, where })]),
      });
      expect(differenceCount).toBe(differences.length);
    }

    expect((await readStatus({ home })).evidence).toMatchObject({ differences: expect.any(Number) });
    expect((await readStatus({ home })).nextStep).toContain('found differences');
  });

  test('a change that kept length and time, with checkAll only', async () => {
    const home = await migratedTree();
    const file = join(home, 'setting.json');
    const { atime, mtimeNs } = statSync(file, { bigint: true });
    const bytes = readFileSync(file);
    bytes[bytes.length - 3] = 0x20;
    writeFileSync(file, bytes);
    utimesSync(file, atime, Number(mtimeNs / 1000n) / 1e6 + 2e-7);

    expect(await differencesOf(home)).toContainEqual(
      expect.objectContaining({ what: 'content', where: 'setting.json' }),
    );
  });
});

test('Verification of a tree without a database says to migrate first', async () => {
  const error = await expectError(verify({ home: generatedTree() }), 'DATABASE.NOT_FOUND');

  expect(error.hint).toContain('deespec migrate');
});
