import { createHash } from 'node:crypto';
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { execa } from 'execa';
import {
  dangerous,
  deespec,
  documentOf,
  hostileId,
  removeDirectories,
  runInProcess,
  temporaryDirectory,
  writeFiles,
  writeHostileTree,
} from './support.js';

const directory = 'specs/sbi/SBI-INIT-001';
/** A name that is no UTF-8 and would clear a terminal, as bytes and as the lists print it. */
const badName = Buffer.from(`${directory}/caf\xe9\x1b[2J.md`, 'latin1');
const badShown = `${directory}/caf\\xe9\\x1b[2J.md`;
const badBytes = Buffer.from('\x1b[2J\xff\n', 'latin1');

/** A migrated tree whose quarantine holds a directory that is no SBI's and a torn state file. */
async function quarantinedHome(more: Readonly<Record<string, string | Buffer>> = {}): Promise<string> {
  const home = join(temporaryDirectory(), '.deespec');
  writeHostileTree(home);
  writeFiles(home, { [`${directory}/spec.md`]: '# é\n', [state]: '{"turn": ', ...more });
  writeFileSync(Buffer.concat([Buffer.from(`${home}/`), badName]), badBytes);
  const { exitCode } = await runInProcess(['migrate', '--quarantine', '--home', home]);
  expect(exitCode).toBe(3);
  return home;
}

const state = `specs/sbi/${hostileId}/state.json`;
let home: string;

beforeAll(async () => {
  home = await quarantinedHome();
});
afterAll(removeDirectories);

const run = (...args: string[]) => runInProcess(['quarantine', ...args, '--home', home]);

describe('quarantine list', () => {
  test('gives each entry by path with kind, size, hash and reason', async () => {
    const { data } = documentOf(await run('list', '--json'));

    expect(data.nextAfter).toBeNull();
    expect(data.items.map(({ path }: { path: string }) => path)).toEqual([
      state,
      directory,
      badShown,
      `${directory}/spec.md`,
    ]);
    expect(data.items[0]).toEqual({
      path: state,
      kind: 'file',
      sizeBytes: 9,
      sha256: createHash('sha256').update('{"turn": ').digest('hex'),
      reason: expect.stringMatching(/^json-syntax: ./u),
      rule: 'json-syntax',
      detail: expect.stringContaining('turn'),
    });
  });

  test('leads from page to page', async () => {
    const first = await run('list', '--limit', '3');
    const next = documentOf(await run('list', '--limit', '3', '--after', badShown, '--json'));

    expect(first.stderr).toContain(`--after '${badShown}' lists the next page`);
    expect(next.data).toMatchObject({ items: [{ path: `${directory}/spec.md` }], nextAfter: null });
  });

  test('cannot drive a terminal', async () => {
    const { stdout, stderr } = await run('list');

    expect(stdout.toString()).toContain(badShown);
    expect(`${stdout.toString()}${stderr}`).not.toMatch(dangerous);
  });

  test('of an empty quarantine says so with 0', async () => {
    const empty = join(temporaryDirectory(), '.deespec');
    writeHostileTree(empty);
    await runInProcess(['migrate', '--home', empty]);

    const { exitCode, stdout } = await runInProcess(['quarantine', 'list', '--home', empty]);

    expect(exitCode).toBe(0);
    expect(stdout.toString()).toBe('nothing is in quarantine\n');
  });
});

describe('quarantine show', () => {
  test('says which rule an entry breaks, why it exists and what to do', async () => {
    const { exitCode, stdout } = await run('show', state);

    expect(exitCode).toBe(0);
    expect(stdout.toString()).toMatch(/^rule +json-syntax\nwhy +.*torn.*\nfix +correct the file\n/mu);
  });

  test('finds a name that is no UTF-8 by what the list prints', async () => {
    const { data } = documentOf(await run('show', badShown, '--json'));

    expect(data).toMatchObject({
      path: badShown,
      mode: expect.stringMatching(/^0[0-7]{3}$/u),
      rules: [{ rule: 'sbi-id-format', why: expect.any(String), fix: expect.any(String) }],
    });
  });

  test('--content is the bytes in a pipe, escaped on a terminal, text or base64 in JSON', async () => {
    const words = ['quarantine', 'show', badShown, '--content', '--home', home];

    const piped = await runInProcess(words);
    const onTerminal = await runInProcess(words, true);
    const base64 = documentOf(await runInProcess([...words, '--json']));
    const text = documentOf(await run('show', `${directory}/spec.md`, '--content', '--json'));

    expect(piped.stdout).toEqual(badBytes);
    expect(onTerminal.stdout.toString()).toBe('\\x1b[2J\\xff\n');
    expect(base64.data.content).toEqual({ base64: badBytes.toString('base64') });
    expect(text.data.content).toBe('# é\n');
  });

  test('--content streams what is larger than a chunk, cut within a character', async () => {
    const name = `${directory}/large.md`;
    const large = `x${'é'.repeat(1_500_000)}\u001b\n`;
    const big = await quarantinedHome({ [name]: large });
    const words = ['quarantine', 'show', name, '--content', '--home', big];

    const piped = await runInProcess(words);
    const onTerminal = await runInProcess(words, true);

    expect(piped.stdout.equals(Buffer.from(large))).toBe(true);
    expect(onTerminal.stdout.toString() === large.replace('\u001b', '\\x1b')).toBe(true);
  });

  test('--content whose reader has gone ends quietly', async () => {
    const name = `${directory}/large.bin`;
    const big = await quarantinedHome({ [name]: Buffer.alloc(5_000_000, 7) });
    const launcher = fileURLToPath(new URL('../bin/deespec.js', import.meta.url));
    const script =
      '"$0" "$1" quarantine show "$2" --content --home "$3" | head -c 3; echo "${PIPESTATUS[0]}"';

    const { stdout, stderr } = await execa('bash', ['-c', script, process.execPath, launcher, name, big]);

    expect([stdout, stderr]).toEqual(['\u0007\u0007\u00070', '']);
  });

  test.each([
    ['setting.json', 66, 'QUARANTINE.NOT_FOUND'],
    ['none', 66, 'QUARANTINE.NOT_FOUND'],
    ['a\\q', 65, 'TREE.PATH_UNSAFE'],
    ['../x', 65, 'TREE.PATH_UNSAFE'],
  ])('of %j is %d', async (path, exitCode, code) => {
    const result = await run('show', path, '--json');

    expect(documentOf(result)).toMatchObject({ exitCode, error: { code } });
  });

  test('--content of a directory is 66', async () => {
    expect(documentOf(await run('show', directory, '--content', '--json'))).toMatchObject({
      exitCode: 66,
      error: { code: 'FILE.NOT_FOUND' },
    });
  });
});

describe('quarantine retry', () => {
  test('of a mended entry is 0 for it, 3 while others stay, and 66 once it is out', async () => {
    const mended = await quarantinedHome();
    writeFileSync(join(mended, state), '{"status": "WIP"}\n');
    const words = ['quarantine', 'retry', '--home', mended];

    const predicted = await runInProcess([...words, '--dry-run', '--json', state]);
    const still = readFileSync(join(mended, 'deespec.db'));
    const named = await runInProcess([...words, '--json', state]);
    const all = await runInProcess(words);
    const again = await runInProcess([...words, '--json', state]);

    expect([predicted.exitCode, named.exitCode, all.exitCode, again.exitCode]).toEqual([0, 0, 3, 66]);
    expect(still.equals(readFileSync(join(mended, 'deespec.db')))).toBe(false);
    expect(documentOf(named).data).toMatchObject({
      entries: [{ path: state, outcome: 'released' }],
      counts: { released: 1, 'still-quarantined': 3, 'newly-quarantined': 0, gone: 0 },
      left: 0,
    });
    expect(all.stdout.toString()).toContain(`still-quarantined  ${directory}/spec.md`);
    expect(all.stdout.toString()).not.toMatch(dangerous);
  });

  test('warns of what is newly in quarantine', async () => {
    const broken = await quarantinedHome({ 'var/journal.ndjson': '' });
    appendFileSync(join(broken, 'var/journal.ndjson'), 'no json\n');

    const result = await runInProcess(['quarantine', 'retry', '--home', broken, '--json']);

    expect(documentOf(result)).toMatchObject({
      exitCode: 3,
      error: null,
      warnings: ['1 entry newly in quarantine'],
    });
    expect(documentOf(result).data.counts).toMatchObject({ 'newly-quarantined': 1, 'still-quarantined': 4 });
  });

  test('beside the workflow tool at work is 75', async () => {
    const busy = await quarantinedHome();
    const lock = { pid: 1, expires_at: '2999-01-01T00:00:00Z', hostname: 'elsewhere' };
    writeFiles(busy, { 'var/runlock': JSON.stringify(lock) });

    expect((await deespec(['quarantine', 'retry', '--home', busy])).exitCode).toBe(75);
  });
});
