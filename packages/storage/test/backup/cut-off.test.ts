import type { StorageMode } from '@deespec/domain';
import { afterEach, describe, expect, jest, test } from '@jest/globals';
import Database from 'better-sqlite3';
import {
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

import { openStorage, readStatus, restore, sync, verify, type BackupReport } from '../../src/index.js';
import { expectError, put, removeDirectories, sbisWith, temporaryDirectory } from '../support.js';
import { backedUp, copyOf, keep, manifestOf, pathsOf, putManifest, restoreUntil } from './backup-support.js';
import { changeMuch, digestOf, expectWhole } from './restore-support.js';

afterEach(removeDirectories);
// Each starts processes that read whole databases.
jest.setTimeout(120_000);

describe('A backup that is not what it should be', () => {
  const cases: readonly (readonly [string, (report: BackupReport & { home: string }) => string])[] = [
    ['cut off', ({ path }) => (truncateSync(path, 20_480), 'BACKUP.DAMAGED')],
    [
      "another program's",
      ({ path }) => {
        rmSync(path);
        const handle = new Database(path);
        handle.exec('CREATE TABLE x (y)');
        handle.close();
        return 'BACKUP.DAMAGED';
      },
    ],
    [
      'of a newer version',
      ({ path }) => {
        const handle = new Database(path);
        handle.exec('CREATE TABLE later (x)');
        handle.pragma('user_version = 999');
        handle.close();
        return 'BACKUP.NEWER';
      },
    ],
    [
      'with a trigger of somebody',
      ({ path }) => {
        const handle = new Database(path);
        handle.exec('CREATE TRIGGER t AFTER INSERT ON sbi BEGIN DELETE FROM sbi; END');
        handle.close();
        return 'BACKUP.DAMAGED';
      },
    ],
    [
      'with other bytes than their hash says',
      ({ path }) => {
        const handle = new Database(path);
        handle.exec(
          'UPDATE content SET bytes = zeroblob(size) WHERE id = (SELECT max(id) FROM content WHERE size > 0)',
        );
        handle.close();
        return 'BACKUP.DAMAGED';
      },
    ],
  ];

  test.each(cases)('is refused and nothing is changed: %s', async (_what, damage) => {
    const report = await backedUp('sqlite');
    const { home, path } = report;
    const code = damage(report);
    // As somebody brings it along: without a manifest that would tell it by its hash.
    const from = join(temporaryDirectory(), 'brought.db');
    renameSync(path, from);
    rmSync(join(home, 'backups'), { recursive: true });
    const before = await digestOf(home);
    const output = join(temporaryDirectory(), 'restored');

    await expectError(restore({ home, from }), code as 'BACKUP.DAMAGED');
    await expectError(restore({ home, from, as: output }), code as 'BACKUP.DAMAGED');

    expect([await digestOf(home), existsSync(output)]).toEqual([before, false]);
    await expectWhole(home, 'sqlite');
  });

  test('is refused when it unpacks to more than its manifest says', async () => {
    const { home, id, path } = await backedUp('sqlite');
    const name = `${id}.db.gz`;
    const { size, ...rest } = manifestOf(home, `${id}.db`);
    const bomb = gzipSync(Buffer.alloc(size + 30_000_000));
    writeFileSync(pathsOf(home, name).file, bomb);
    putManifest(home, name, { ...rest, size, compressed: { size: bomb.length, sha256: rest.sha256 } });
    rmSync(path);
    rmSync(`${path}.manifest.json`);

    const error = await expectError(restore({ home, from: id }), 'BACKUP.DAMAGED');

    expect(error.message).toContain('it holds more than');
    await expectWhole(home, 'sqlite');
  });
});

describe('A restore that was cut off', () => {
  const known = new Map<StorageMode, Promise<BackupReport & { home: string }>>();

  /** The state a crash leaves right after the restore has begun: a copy of one that is made once. */
  async function begun(mode: StorageMode) {
    const made = known.get(mode) ?? begin(mode);
    known.set(mode, made);
    return { ...(await made), home: copyOf((await made).home) };
  }

  async function begin(mode: StorageMode) {
    const report = await backedUp(mode);
    const { home } = report;
    await changeMuch(home);
    if (mode !== 'file') await sync({ home });
    await restoreUntil(home, report.id, '/.storage/restore.json');
    return { ...report, home: keep(home) };
  }

  test.each(['file', 'dual_write', 'sqlite'] as const)(
    'keeps every other command out, and is finished by the same one: mode %s',
    async (mode) => {
      const { home, id, manifest } = await begun(mode);
      expect(existsSync(join(home, '.storage/restore.json'))).toBe(true);

      await expectError(verify({ home }), 'RESTORE.UNFINISHED');
      const storage = openStorage({ home }).then((open) => open.listSbis({}).finally(() => open.close()));
      await expectError(storage, 'RESTORE.UNFINISHED');
      expect((await readStatus({ home })).nextStep).toBe(`finish the restore: deespec restore ${id}`);

      expect(await restore({ home, from: id, withTree: true })).toMatchObject({ continued: true });
      expect(await digestOf(home)).toBe(manifest.treeDigest);
      await expectWhole(home, mode);
    },
  );

  test.each([
    [
      'between the two names of the replaced database',
      (home: string, run: string) => {
        mkdirSync(join(home, '.storage/trash', run), { recursive: true });
        linkSync(join(home, 'deespec.db'), join(home, '.storage/trash', run, 'deespec.db'));
      },
    ],
    [
      'after the database was put in place',
      (home: string, run: string) => {
        mkdirSync(join(home, '.storage/trash', run), { recursive: true });
        renameSync(join(home, 'deespec.db'), join(home, '.storage/trash', run, 'deespec.db'));
        renameSync(join(home, '.storage/restore.db'), join(home, 'deespec.db'));
        const journal = JSON.parse(readFileSync(join(home, '.storage/restore.json'), 'utf8'));
        const { epoch, storeId, mode, original } = journal;
        writeFileSync(
          join(home, '.storage/epoch'),
          `${JSON.stringify({ epoch, storeId, mode, original })}\n`,
        );
      },
    ],
    [
      'between the two names of the new database',
      (home: string, run: string) => {
        mkdirSync(join(home, '.storage/trash', run), { recursive: true });
        renameSync(join(home, 'deespec.db'), join(home, '.storage/trash', run, 'deespec.db'));
        linkSync(join(home, '.storage/restore.db'), join(home, 'deespec.db'));
      },
    ],
    [
      'with half of the files moved',
      (home: string, run: string) => {
        const [first] = sbisWith(home, 'spec.md');
        const tree = join(home, '.storage/trash', run, 'tree', first!);
        mkdirSync(tree, { recursive: true });
        renameSync(join(home, first!, 'spec.md'), join(tree, 'spec.md'));
        put(home, `${first!}/spec.md`, 'somebody wrote again\n');
      },
    ],
  ] as const)('%s is finished', async (_where, cut) => {
    const { home, id, manifest } = await begun('sqlite');
    const { run } = JSON.parse(readFileSync(join(home, '.storage/restore.json'), 'utf8')) as {
      run: string;
    };
    cut(home, run);

    await restore({ home, from: id });

    expect(await digestOf(home)).toBe(manifest.treeDigest);
    await expectWhole(home, 'sqlite');
  });
});
