import { afterEach, describe, expect, jest, test } from '@jest/globals';
import Database from 'better-sqlite3';
import { cpSync, existsSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { createBackup, migrate, openStorage, restore, setMode, sync, verifyAudit } from '../../src/index.js';
import {
  expectError,
  generatedTree,
  removeDirectories,
  rows,
  sbisWith,
  temporaryDirectory,
} from '../support.js';
import { backedUp, startWriter, treeIn } from './backup-support.js';
import { changeMuch, digestOf, expectWhole } from './restore-support.js';

afterEach(removeDirectories);
// Each starts processes that read whole databases.
jest.setTimeout(120_000);

/** A tree in mode sqlite as one of mode sqlite_only, which is not granted yet. */
function makeSqliteOnly(home: string): void {
  for (const path of ['.storage/epoch', 'setting.json']) {
    const file = join(home, path);
    writeFileSync(file, readFileSync(file, 'utf8').replace(/"sqlite"/u, '"sqlite_only"'));
  }
  const handle = new Database(join(home, 'deespec.db'));
  handle.exec("UPDATE storage_state SET mode = 'sqlite_only'");
  handle.close();
}

describe('restore in place', () => {
  test.each(['file', 'dual_write', 'sqlite'] as const)('gives back every byte in mode %s', async (mode) => {
    const { home, id, manifest } = await backedUp(mode);
    await changeMuch(home);
    if (mode !== 'file') await sync({ home });
    const [changed] = sbisWith(home, 'spec.md');
    const lost = readFileSync(join(home, changed!, 'spec.md'), 'utf8');

    const report = await restore({ home, from: id, withTree: true, user: 'me' });

    expect(report).toMatchObject({ from: id, mode, digest: manifest.treeDigest });
    expect(await digestOf(home)).toBe(manifest.treeDigest);
    await expectWhole(home, mode);
    expect(report.epoch).toBe(manifest.epoch + 1);
    expect(readFileSync(join(report.kept!, 'tree', changed!, 'spec.md'), 'utf8')).toBe(lost);
    expect(readFileSync(join(report.kept!, 'tree/knowledge/deep/later.md'), 'utf8')).toBe('# Later\n');
    expect(existsSync(join(report.kept!, 'deespec.db'))).toBe(true);
    expect(rows(home, "SELECT user FROM audit_log WHERE action = 'restore'")).toEqual([{ user: 'me' }]);
    expect((await createBackup({ home })).manifest.treeDigest).toBe(manifest.treeDigest);
  });

  test('is followed by changes that go on in both stores', async () => {
    const { home, id } = await backedUp('sqlite');
    await changeMuch(home);
    await restore({ home, from: id });

    const storage = await openStorage({ home });
    const made = await storage.createSbi({ title: 'after the restore', spec: '# after\n' });
    await storage.settled();
    await storage.close();

    expect(readFileSync(join(home, 'specs/sbi', made.id, 'spec.md'), 'utf8')).toBe('# after\n');
    await expectWhole(home, 'sqlite');
  });

  test('keeps the mode in force: a backup of mode file under mode sqlite, and the other way round', async () => {
    const { home, id } = await backedUp('file');
    await setMode({ home, mode: 'sqlite' });
    const second = await createBackup({ home });

    expect(await restore({ home, from: id })).toMatchObject({ mode: 'sqlite', epoch: 3 });
    expect(readFileSync(join(home, 'setting.json'), 'utf8')).toContain('"sqlite"');
    await expectWhole(home, 'sqlite');

    await setMode({ home, mode: 'file' });
    const before = await digestOf(home);
    expect(await restore({ home, from: second.id, withTree: true })).toMatchObject({ mode: 'file' });
    expect(await digestOf(home)).toBe(before);
    await expectWhole(home, 'file');
  });

  test('is refused without --with-tree where files are the truth, and for the backup of another tree', async () => {
    const { home, id } = await backedUp('file');
    const other = await backedUp('sqlite');
    const before = [await digestOf(home), await digestOf(other.home)];

    await expectError(restore({ home, from: id }), 'MODE.REFUSED');
    await expectError(
      restore({ home: other.home, from: join(home, 'backups', `${id}.db`) }),
      'BACKUP.OTHER_STORE',
    );
    await expectError(restore({ home, from: 'backup_20010101_000000_000009' }), 'BACKUP.NOT_FOUND');

    expect([await digestOf(home), await digestOf(other.home)]).toEqual(before);
  });

  test('says what it would do, and does nothing, in a dry run', async () => {
    const { home, id, manifest } = await backedUp('sqlite');
    await changeMuch(home);
    const before = await digestOf(home);

    const report = await restore({ home, from: id, dryRun: true });

    expect(report).toMatchObject({ dryRun: true, digest: manifest.treeDigest, mode: 'sqlite' });
    expect(await digestOf(home)).toBe(before);
  });

  test('gives a tree without database and record of its own the ones of the backup', async () => {
    const { home, id, manifest } = await backedUp('sqlite');
    const clone = generatedTree('mixed', 2);
    const from = join(temporaryDirectory(), 'copy.db');
    for (const end of ['', '.manifest.json'])
      cpSync(join(home, 'backups', `${id}.db${end}`), `${from}${end}`);

    const report = await restore({ home: clone, from, withTree: true });

    expect(report).toMatchObject({ mode: 'file', epoch: manifest.epoch + 1 });
    await expectWhole(clone, 'file');
    expect((await migrate({ home: clone })).outcome).toBe('unchanged');
  });

  test('replaces a database that is damaged, and keeps it', async () => {
    const { home, id, manifest } = await backedUp('sqlite');
    truncateSync(join(home, 'deespec.db'), 8_192);

    const report = await restore({ home, from: id });

    expect(await digestOf(home)).toBe(manifest.treeDigest);
    await expectWhole(home, 'sqlite');
    expect(readFileSync(join(report.kept!, 'deespec.db'))).toHaveLength(8_192);
  });

  test('is exit busy and changes nothing while a program keeps the database open', async () => {
    const { home, id } = await backedUp('sqlite');
    await changeMuch(home);
    await sync({ home });
    const before = [await digestOf(home), readFileSync(join(home, '.storage/epoch'), 'utf8')];
    const shell = new Database(join(home, 'deespec.db'));
    shell.exec('BEGIN');
    shell.prepare('SELECT count(*) FROM sbi').get();

    await expectError(restore({ home, from: id }), 'SQLITE.BUSY');
    shell.close();

    expect([await digestOf(home), readFileSync(join(home, '.storage/epoch'), 'utf8')]).toEqual(before);
    await expectWhole(home, 'sqlite');
  });

  test('goes on under services that write: they follow into the new epoch', async () => {
    const { home, id } = await backedUp('sqlite');
    const writer = await startWriter(home, 'w');
    try {
      const report = await restore({ home, from: id });
      const after = writer.acknowledged();
      expect(report.mode).toBe('sqlite');
      for (let wait = 0; wait < 100 && writer.acknowledged() === after; wait += 1) await sleep(50);
      expect(writer.acknowledged()).toBeGreaterThan(after);
    } finally {
      await writer.stop();
    }
    await sync({ home });
    await expectWhole(home, 'sqlite');
  });

  test('replaces the database alone where there are no files to follow', async () => {
    const home = await treeIn('sqlite');
    makeSqliteOnly(home);
    const { id, manifest } = await createBackup({ home });
    const storage = await openStorage({ home });
    await storage.createSbi({ title: 'made after the backup' });
    await storage.close();
    const before = await digestOf(home);

    const report = await restore({ home, from: id });

    expect(report).toMatchObject({ mode: 'sqlite_only', epoch: 3, files: { moved: 0, written: 0 } });
    expect(await digestOf(home)).toBe(before);
    expect(rows(home, 'SELECT count(*) AS sbis FROM sbi')).toEqual([{ sbis: manifest.counts.sbi }]);
    expect((await createBackup({ home })).manifest.treeDigest).toBe(report.digest);
    expect(await verifyAudit({ home })).toMatchObject({ ok: true });
  });
});

describe('restore --as', () => {
  test('writes the tree of any backup into a new directory, and touches nothing else', async () => {
    const { home, id, manifest } = await backedUp('file');
    const other = await backedUp('sqlite');
    const output = join(temporaryDirectory(), 'restored');
    const before = await digestOf(other.home);

    const report = await restore({ home: other.home, from: join(home, 'backups', `${id}.db`), as: output });

    expect(report).toMatchObject({ output, digest: manifest.treeDigest });
    expect([await digestOf(output), await digestOf(other.home)]).toEqual([manifest.treeDigest, before]);
  });

  test('lets setting.json say what it said before the mode was changed', async () => {
    const home = await treeIn('file');
    const original = readFileSync(join(home, 'setting.json'), 'utf8');
    await setMode({ home, mode: 'sqlite' });
    const { id } = await createBackup({ home });
    const output = join(temporaryDirectory(), 'restored');

    await restore({ home, from: id, as: output });

    expect(readFileSync(join(output, 'setting.json'), 'utf8')).toBe(original);
  });
});
