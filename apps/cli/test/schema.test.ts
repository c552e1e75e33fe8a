import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from '@jest/globals';
import { deespec, documentOf, homeIn, removeDirectories, runInProcess } from './support.js';
import type { Document } from './support.js';

afterAll(removeDirectories);

const hasTerminal = spawnSync('script', ['--version']).status === 0;
if (!hasTerminal) console.warn('skipped: script(1), which gives a program a terminal, is not installed');

const launcher = fileURLToPath(new URL('../bin/deespec.js', import.meta.url));

async function ask(home: string, ...words: string[]): Promise<Document> {
  return documentOf(await runInProcess(['schema', ...words, '--home', home, '--json']));
}

/** A tree in mode file whose database has schema version 2, and the newest version. */
async function olderHome(): Promise<{ home: string; newest: number }> {
  const home = await homeIn('file');
  const { data } = await ask(home, 'down', '--to', '2', '--yes');
  return { home, newest: Number(data.from) };
}

describe('schema status', () => {
  test('shows each version with its state, and what to do about a database that is refused', async () => {
    const { home, newest } = await olderHome();

    const { exitCode, stdout, stderr } = await runInProcess(['schema', 'status', '--home', home]);
    const { data } = await ask(home, 'status');

    const text = stdout.toString();
    expect(exitCode).toBe(0);
    expect(text).toMatch(/^VERSION +NAME +STATE +APPLIED +TOOK +CHECKSUM$/mu);
    expect(text).toMatch(/^1 +initial_schema +applied +\d{4}-\d\d-\d\d \d\d:\d\d:\d\d +[0-9a-f]{12}$/mu);
    expect(text).toMatch(/^3 +schema_record +pending +[0-9a-f]{12}$/mu);
    expect(text).toMatch(/^problem +.*\(SCHEMA\.OLDER\)$/mu);
    expect(stderr).toMatch(/^hint: run "deespec schema up"/mu);
    expect(data).toMatchObject({ version: 2, newest, problem: { code: 'SCHEMA.OLDER' } });
    expect(data.scripts[0].checksum).toMatch(/^[0-9a-f]{64}$/u);
    expect(data.backups).toHaveLength(1);
  });
});

describe('schema up', () => {
  test('prints the SQL, rehearses, then does it and names the backup', async () => {
    const { home, newest } = await olderHome();

    const sql = await runInProcess(['schema', 'up', '--sql', '--to', '3', '--home', home]);
    const dry = await runInProcess(['schema', 'up', '--dry-run', '--home', home]);
    const before = await ask(home, 'status');
    const up = await deespec(['schema', 'up', '--home', home]);
    const again = await runInProcess(['schema', 'up', '--home', home]);

    expect(sql.stdout.toString()).toMatch(/^-- 003_schema_record\.up\.sql\n/u);
    expect(sql.stdout.toString()).toContain('ALTER TABLE schema_version ADD COLUMN normalized');
    expect(sql.stdout.toString()).not.toContain('004_');
    expect(dry.stdout.toString()).toMatch(
      new RegExp(`^dry run: the schema would go from version 2 to version ${newest}`, 'u'),
    );
    expect(before.data.version).toBe(2);
    expect(up.stdout.toString()).toMatch(
      new RegExp(`^the schema went from version 2 to version ${newest}`, 'u'),
    );
    const backup = /^backup +(\S+\.db), .* verified$/mu.exec(up.stdout.toString())?.[1];
    expect(existsSync(backup!)).toBe(true);
    expect(backup).toContain(join(home, '.storage/copies/'));
    expect(again.stdout.toString()).toContain('there is nothing to do');
  });
});

/** Runs the command on a terminal of its own, where somebody types. */
function onTerminal(args: readonly string[], typed: string): { status: number | null; output: string } {
  const command = [process.execPath, launcher, ...args].map((word) => `'${word}'`).join(' ');
  const { status, stdout } = spawnSync('script', ['-qec', command, '/dev/null'], {
    input: typed,
    encoding: 'utf8',
  });
  return { status, output: stdout };
}

describe('schema down', () => {
  test('needs --yes where nobody can be asked', async () => {
    const home = await homeIn('file');

    const refused = await ask(home, 'down', '--to', '2');

    expect(refused).toMatchObject({ exitCode: 64, error: { code: 'USAGE.INVALID' } });
    expect(refused.error?.hint).toContain('--yes');
    expect((await ask(home, 'status')).data.problem).toBeUndefined();
  });

  (hasTerminal ? test : test.skip)(
    'asks on a terminal, and takes only what is to be typed for a yes',
    async () => {
      const home = await homeIn('file');
      const args = ['schema', 'down', '--to', '2', '--home', home];

      const no = onTerminal(args, 'yes\n');
      const before = await ask(home, 'status');
      const yes = onTerminal(args, 'down to 2\n');

      expect(no.status).toBe(64);
      expect(no.output).toContain('no longer there afterwards:');
      expect(no.output).toContain('index idx_execution_list');
      expect(no.output).toMatch(/type "down to 2" to go on:/u);
      expect(no.output).toContain('it was not confirmed; nothing was changed');
      expect(before.data.problem).toBeUndefined();
      expect(yes.status).toBe(0);
      expect((await ask(home, 'status')).data.version).toBe(2);
    },
  );
});

describe('schema verify and prove', () => {
  test('say what is equal, and what was proven', async () => {
    const home = await homeIn('file');

    const verified = await runInProcess(['schema', 'verify', '--home', home]);
    const proven = await runInProcess(['schema', 'prove', '--home', home]);

    expect(verified).toMatchObject({ exitCode: 0, stderr: '' });
    expect(verified.stdout.toString()).toMatch(/^the schema is what the scripts of version \d+ make$/mu);
    expect(proven).toMatchObject({ exitCode: 0, stderr: '' });
    expect(proven.stdout.toString()).toMatch(/^every step keeps every value that it must/u);
    expect(proven.stdout.toString()).toMatch(/^down +2 +1 +\d+ +\d+ +\d+ ms$/mu);
  });
});
