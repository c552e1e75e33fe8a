import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import {
  documentOf,
  homeIn,
  removeDirectories,
  runInProcess,
  sbiIds,
  temporaryDirectory,
} from './support.js';
import type { Document } from './support.js';

afterAll(removeDirectories);

/** Each of these starts processes that read whole databases. Milliseconds. */
const LONG = 90_000;

async function ask(home: string, ...words: string[]): Promise<Document> {
  return documentOf(await runInProcess([...words, '--home', home, '--json']));
}

describe('backup', () => {
  test(
    'is made, listed, verified and shown by status',
    async () => {
      const home = await homeIn('sqlite');

      const created = await runInProcess(['backup', 'create', '--note', 'first \u001b[2J', '--home', home]);
      const list = await runInProcess(['backup', 'list', '--home', home]);
      const [entry] = (await ask(home, 'backup', 'list')).data.backups;
      const verified = await runInProcess(['backup', 'verify', String(entry.id), '--home', home]);
      const status = await runInProcess(['status', '--home', home]);

      expect(created.exitCode).toBe(0);
      expect(created.stdout.toString()).toMatch(/^made and verified backup_\d{8}_\d{6}_000001 /u);
      expect(list.stdout.toString()).toMatch(/^BACKUP +AGE +BYTES +STATE +VERIFIED +NOTE$/mu);
      expect(list.stdout.toString()).toMatch(
        /^backup_\d+_\d+_000001 +\d+ s +[\d,]+ +verified +\d{4}-.* first \\x1b/mu,
      );
      expect(verified.stdout.toString()).toContain('is as it should be');
      expect(status.stdout.toString()).toMatch(/^last backup +backup_\d+_\d+_000001, .*, verified$/mu);
      expect(entry.manifest).toMatchObject({ seq: 1, mode: 'sqlite' });
    },
    LONG,
  );

  test(
    'that is damaged is exit 1, with what is wrong',
    async () => {
      const home = await homeIn('file');
      const { data } = await ask(home, 'backup', 'create');
      appendFileSync(String(data.path), 'more');

      const { exitCode, stdout } = await runInProcess(['backup', 'verify', String(data.id), '--home', home]);
      const list = await runInProcess(['backup', 'list', '--home', home]);

      expect(exitCode).toBe(1);
      expect(stdout.toString()).toMatch(/^problem +it has \d+ bytes instead of \d+$/mu);
      expect(list.stdout.toString()).toContain('unverified');
    },
    LONG,
  );

  test(
    'prune says what it would do',
    async () => {
      const home = await homeIn('file');
      await ask(home, 'backup', 'create');

      const { stdout } = await runInProcess(['backup', 'prune', '--dry-run', '--home', home]);

      expect(stdout.toString()).toMatch(/^BACKUP +WOULD +BYTES +WHY$/mu);
      expect(stdout.toString()).toMatch(/keep +[\d,]+ +not older than 30 days\nnothing was changed\n$/u);
    },
    LONG,
  );
});

describe('restore', () => {
  test(
    'asks, which it cannot without a terminal',
    async () => {
      const home = await homeIn('sqlite');
      const { data } = await ask(home, 'backup', 'create');

      const { exitCode, stderr } = await runInProcess(['restore', String(data.id), '--home', home]);

      expect(exitCode).toBe(64);
      expect(stderr).toContain('--yes');
    },
    LONG,
  );

  test(
    'brings files and database back, and says where what was replaced is',
    async () => {
      const home = await homeIn('dual_write');
      const { data } = await ask(home, 'backup', 'create');
      const file = join(home, 'specs/sbi', sbiIds(home)[0]!, 'spec.md');
      const before = readFileSync(file, 'utf8');
      writeFileSync(file, 'gone wrong\n');

      const refused = await runInProcess(['restore', String(data.id), '--yes', '--home', home]);
      const dry = await runInProcess([
        'restore',
        String(data.id),
        '--with-tree',
        '--dry-run',
        '--home',
        home,
      ]);
      const done = await runInProcess(['restore', String(data.id), '--with-tree', '--yes', '--home', home]);
      const sync = await ask(home, 'sync');

      expect([refused.exitCode, dry.exitCode, done.exitCode]).toEqual([78, 0, 0]);
      expect(dry.stdout.toString()).toMatch(
        /^files +1 path moved away, 1 path written, \d+ left as they are$/mu,
      );
      expect(done.stdout.toString()).toMatch(/^replaced +.*\/\.storage\/trash\/[0-9A-Z]{26}$/mu);
      expect(readFileSync(file, 'utf8')).toBe(before);
      expect(sync.data).toMatchObject({ wrote: 0 });
    },
    LONG,
  );

  test(
    'writes the files of one into a new directory',
    async () => {
      const home = await homeIn('sqlite');
      const { data } = await ask(home, 'backup', 'create');
      const output = join(temporaryDirectory(), 'restored');

      const { exitCode } = await runInProcess(['restore', String(data.id), '--as', output, '--home', home]);

      expect([exitCode, existsSync(join(output, 'specs'))]).toEqual([0, true]);
    },
    LONG,
  );
});
