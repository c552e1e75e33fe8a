import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { execa } from 'execa';
import {
  deespec,
  documentOf,
  homeIn,
  ordinaryAccount,
  removeDirectories,
  runInProcess,
  sbiIds,
  temporaryDirectory,
} from './support.js';
import type { Run, RunOptions } from './support.js';

// Many processes, each of which loads the whole program.
jest.setTimeout(120_000);
afterAll(removeDirectories);

/** Bytes that are no UTF-8. */
const bytes = Buffer.from('# spec \xff\x00\r\n', 'latin1');

const stateOf = (home: string, sbi: string) =>
  JSON.parse(readFileSync(join(home, `specs/sbi/${sbi}/state.json`), 'utf8')) as Record<string, unknown>;

describe.each(['file', 'dual_write', 'sqlite'] as const)('in mode %s', (mode) => {
  /** The stores that have a change once its command has ended. */
  const stores = mode === 'file' ? ['files'] : ['files', 'sqlite'];
  let home: string;
  let sbi: string;
  const run = (args: readonly string[], options?: RunOptions): Promise<Run> =>
    deespec([...args, '--home', home], options);
  /** What the other commands see; a process of their own would add nothing but time. */
  const look = (args: readonly string[]): Promise<Run> => runInProcess([...args, '--home', home]);
  const dataOf = async (args: readonly string[]) => documentOf(await look([...args, '--json'])).data;

  beforeAll(async () => {
    home = await homeIn(mode);
    sbi = sbiIds(home)[0]!;
  });

  test('sbi create makes an item that both stores have, its spec byte for byte', async () => {
    const words = ['sbi', 'create', '--title', 'Say "what" failed', '--spec', '-', '--label', 'a,b'];
    const { exitCode, stdout, stderr } = await run([...words, '--priority', '5'], { input: bytes });
    const id = stdout.toString().trimEnd();

    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(readFileSync(join(home, `specs/sbi/${id}/spec.md`))).toEqual(bytes);
    expect(stateOf(home, id)).toMatchObject({ title: 'Say "what" failed', labels: ['a', 'b'], priority: 5 });
    for (const store of stores) {
      const { sbi: shown } = await dataOf(['sbi', 'show', id, '--store', store]);
      expect(shown).toMatchObject({ status: 'READY', label: 'a,b', priority: 5 });
      const { items } = await dataOf([
        'sbi',
        'list',
        '--search',
        'FAILED "say',
        '--label',
        'a',
        '--store',
        store,
      ]);
      expect(items).toMatchObject([{ id }]);
    }
  });

  test('sbi set-status and sbi label change one item', async () => {
    const status = await run(['sbi', 'set-status', sbi, 'REVIEW', '--json']);
    const label = await run(['sbi', 'label', sbi, ' one, two ']);
    const none = await look(['sbi', 'label', sbi, '']);

    expect([status.exitCode, label.exitCode, none.exitCode]).toEqual([0, 0, 0]);
    expect(documentOf(status)).toMatchObject({ warnings: [], data: { id: sbi, status: 'REVIEW' } });
    expect(label.stdout.toString()).toContain('one,two');
    expect(stateOf(home, sbi)['status']).toBe('REVIEW');
    for (const store of stores) {
      const { sbi: shown } = await dataOf(['sbi', 'show', sbi, '--store', store]);
      expect(shown.status).toBe('REVIEW');
      expect(shown.label ?? '').toBe('');
    }
  });

  test('execution add makes an execution with its artifact byte for byte', async () => {
    const file = join(temporaryDirectory(), 'review.md');
    writeFileSync(file, bytes);
    const { id } = await dataOf(['sbi', 'create', '--title', 'Work']);
    const key = ['--run', '1', '--turn', '2', '--step', 'review'];
    const what = ['--status', 'WIP', '--decision', 'NEEDS_CHANGES', '--attempt', '2', '--elapsed-ms', '1500'];

    const added = await run(['execution', 'add', id, ...key, ...what, '--error', 'late', '--content', file]);
    const again = await look(['execution', 'add', id, ...key, ...what, '--json']);

    expect({ exitCode: added.exitCode, stderr: added.stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(documentOf(again)).toMatchObject({ exitCode: 73, error: { code: 'EXECUTION.EXISTS' } });
    for (const store of stores) {
      const words = ['execution', 'show', id, ...key, '--store', store];
      expect((await look([...words, '--content'])).stdout).toEqual(bytes);
      expect(await dataOf(words)).toMatchObject({
        decision: 'NEEDS_CHANGES',
        attempt: 2,
        metadata: { elapsedMs: 1500, error: 'late' },
      });
    }
  });

  test('config set changes one key and no other byte of its file', async () => {
    const setting = join(home, 'setting.json');
    const before = readFileSync(setting, 'utf8');

    const number = await run(['config', 'set', 'setting.max_turns', '12345678901234567890']);
    const text = await look(['config', 'set', 'setting.note', '--text', 'a "b"']);

    expect([number.exitCode, text.exitCode]).toEqual([0, 0]);
    const after = readFileSync(setting, 'utf8');
    const kept = before
      .replace(/\n\s*"max_turns"[^\n]*/u, '')
      .split('\n')
      .filter((line) => /":/u.test(line));
    for (const line of kept) expect(after).toContain(line.replace(/,$/u, ''));
    expect(after).toContain('"max_turns": 12345678901234567890');
    for (const store of stores) {
      const shown = await look(['config', 'get', 'setting.note', '--store', store]);
      expect(shown.stdout.toString()).toBe('a "b"\n');
    }
  });

  test('the audit log names the account and what was changed', async () => {
    const { username } = userInfo();
    const created = await run(['sbi', 'create', '--title', 'Audited']);
    const id = created.stdout.toString().trimEnd();
    await run(['sbi', 'set-status', id, 'DONE']);

    const { items } = await dataOf(['audit', '--entity', id]);

    expect(items).toMatchObject([
      { action: 'create', entityType: 'sbi', user: username },
      { action: 'update', oldValue: '{"status":"READY"}', newValue: '{"status":"DONE"}', user: username },
    ]);
  });

  test.each([
    [['sbi', 'create', '--title', 'x', '--id', 'SBI-1'], 65, 'SBI.INVALID_ID'],
    [['sbi', 'create', '--title', 'x', '--spec', '/nowhere/spec.md'], 66, 'FILE.NOT_FOUND'],
    [['sbi', 'create', '--title', 'x', '--spec', '/'], 74, 'FILE.READ_FAILED'],
    [['sbi', 'set-status', 'SBI-00000000000000000000000000', 'DONE'], 66, 'SBI.NOT_FOUND'],
    [['config', 'set', 'setting.note', 'plain text'], 64, 'USAGE.INVALID'],
    [['config', 'set', 'setting.storage_mode', '"sqlite"'], 64, 'USAGE.INVALID'],
    [['config', 'set', 'other.key', '1'], 64, 'USAGE.INVALID'],
  ])('%j is %d', async (args, exitCode, code) => {
    const before = await look(['digest']);

    const result = await look([...args, '--json']);

    expect(documentOf(result)).toMatchObject({ exitCode, error: { code } });
    expect(await look(['digest'])).toEqual(before);
  });

  test('an id that is there already is 73', async () => {
    const result = await look(['sbi', 'create', '--title', 'x', '--id', sbi, '--json']);

    expect(documentOf(result)).toMatchObject({ exitCode: 73, error: { code: 'SBI.EXISTS' } });
  });

  test('changes at once are made one after the other, or refused; none is lost', async () => {
    const { id } = await dataOf(['sbi', 'create', '--title', 'Busy']);
    const statuses = ['WIP', 'REVIEW', 'DONE', 'READY'];

    const runs = await Promise.all(
      statuses.map((status) => run(['sbi', 'set-status', id, status, '--json'])),
    );
    const rows = await dataOf(['audit', '--entity', id]);

    const made = runs.filter(({ exitCode }) => exitCode === 0);
    const refused = runs.filter(({ exitCode }) => exitCode !== 0);
    expect(made.length).toBeGreaterThan(0);
    for (const each of refused) {
      // The second is for a machine that is so busy that a writer waited for over 5 seconds.
      expect(['SBI.CHANGED', 'SQLITE.BUSY']).toContain(documentOf(each).error?.code);
    }
    expect(rows.items).toHaveLength(1 + made.length);
  });
});

describe('config set', () => {
  test('of a text without quotes names --text', async () => {
    const { stderr } = await runInProcess(['config', 'set', 'setting.note', 'plain text']);

    expect(stderr).toContain('with --text the value is taken as text');
  });
});

describe('standard input', () => {
  test('that nobody ends is given up on a signal, and nothing is made', async () => {
    const home = await homeIn('file');
    const launcher = fileURLToPath(new URL('../bin/deespec.js', import.meta.url));
    const words = ['sbi', 'create', '--title', 'x', '--spec', '-', '--home', home, '--json'];
    const child = execa(process.execPath, [launcher, ...words], { reject: false, stdin: 'pipe' });
    child.stdin.write('# the beginning');
    await sleep(3_000);

    child.kill('SIGINT');
    const { exitCode, stdout } = await child;

    expect(exitCode).toBe(130);
    expect(JSON.parse(stdout)).toMatchObject({ exitCode: 130, error: { code: 'INTERRUPTED' } });
    expect(sbiIds(home)).toHaveLength(3);
  });
});

describe('a second store that cannot follow', () => {
  test.each([
    ['dual_write', 'deespec.db', 'durable in the files, and still owed to the database'],
    ['sqlite', 'specs/sbi/<id>', 'durable in the database, and still owed to the files'],
  ] as const)('in mode %s is a warning, and sync pays', async (mode, place, words) => {
    const home = await homeIn(mode);
    const account = ordinaryAccount(home);
    const sbi = sbiIds(home)[0]!;
    const blocked = join(home, place.replace('<id>', sbi));
    chmodSync(blocked, place === 'deespec.db' ? 0o000 : 0o500);

    const changed = await deespec(['sbi', 'label', sbi, 'owed', '--home', home, '--json'], account);
    const status = await deespec(['status', '--home', home], account);
    chmodSync(blocked, place === 'deespec.db' ? 0o600 : 0o700);
    const paid = await deespec(['sync', '--home', home, '--json'], account);

    const document = documentOf(changed);
    expect(document).toMatchObject({ ok: true, exitCode: 0, error: null, data: { label: 'owed' } });
    expect(document.warnings).toEqual([expect.stringContaining(words)]);
    expect(document.warnings[0]).toContain('"deespec sync" pays');
    expect(status.stdout.toString()).toMatch(/^debt +1 change owed to the other store since /mu);
    expect(documentOf(paid).data).toMatchObject({ debts: 0, failed: [] });
    for (const store of ['files', 'sqlite']) {
      const shown = await deespec(['sbi', 'show', sbi, '--store', store, '--home', home, '--json'], account);
      expect(documentOf(shown).data.sbi.label).toBe('owed');
    }
  });
});
