import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { generateTree } from '@deespec/trees';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { execa } from 'execa';
import { Session } from '../src/session.js';
import { Terminal } from '../src/terminal.js';
import {
  dangerous,
  deespec,
  documentOf,
  hostileContent,
  hostileId,
  removeDirectories,
  runInProcess,
  startDeespec,
  temporaryDirectory,
  writeHostileTree,
} from './support.js';

const home = join(temporaryDirectory(), '.deespec');
const content = [hostileId, '--run', '1', '--turn', '2', '--step', 'implement', '--content'];

beforeAll(() => writeHostileTree(home));
afterAll(removeDirectories);

describe('text from the tree', () => {
  test.each([
    [['sbi', 'list'], '\\x1b[2Jcleared'],
    [['sbi', 'show', hostileId], '\\x1b[2Jcleared'],
    [['config', 'get', 'setting.note'], '\\x1b]0;owned\\x07\\x9b31m\\u{202e}'],
    [['config', 'list'], 'owned'],
    [['sbi', 'list', '--json'], '\\u001b[2Jcleared \\u009b31m \\u202e'],
  ])('%j cannot drive a terminal', async (args, shown) => {
    const { stdout, stderr } = await deespec([...args, '--home', home]);

    expect(stdout.toString()).toContain(shown);
    expect(`${stdout.toString()}${stderr}`).not.toMatch(dangerous);
  });

  test('execution show --content is the bytes themselves in a pipe', async () => {
    const { stdout } = await deespec(['execution', 'show', ...content, '--home', home]);

    expect(stdout).toEqual(hostileContent);
  });

  test('execution show --content is escaped on a terminal', async () => {
    const { stdout } = await runInProcess(['execution', 'show', ...content, '--home', home], true);

    expect(stdout.toString()).toBe('\\x1b[2Jgone\n\\xff\nDECISION: SUCCEEDED\n');
  });

  test('content that is no UTF-8 is base64 in JSON', async () => {
    const run = await deespec(['execution', 'show', ...content, '--home', home, '--json']);

    expect(Buffer.from(documentOf(run).data.content.base64, 'base64')).toEqual(hostileContent);
  });
});

describe('standard output', () => {
  test('of digest is the digest alone', async () => {
    const { stdout, stderr } = await deespec(['digest', home]);

    expect(stdout.toString()).toMatch(/^[0-9a-f]{64}\n$/u);
    expect(stderr).toContain('files');
  });

  test('of digest --manifest is the text the digest is of', async () => {
    const [manifest, digest] = await Promise.all([
      deespec(['digest', home, '--manifest']),
      deespec(['digest', home]),
    ]);
    const { createHash } = await import('node:crypto');

    expect(`${createHash('sha256').update(manifest.stdout).digest('hex')}\n`).toBe(digest.stdout.toString());
  });

  test('whose reader has gone ends the command quietly', async () => {
    const { stdout, stderr } = await shell('"$0" "$1" help sbi list | true; echo "${PIPESTATUS[0]}"');

    expect(stdout).toBe('0');
    expect(stderr).toBe('');
  });

  test('that cannot be written is 74', async () => {
    const { exitCode, stderr } = await shell('"$0" "$1" help > /dev/full');

    expect(exitCode).toBe(74);
    expect(stderr).toContain('cannot write the output');
  });
});

/** Runs a bash script with Node as `$0` and the launcher as `$1`. */
function shell(script: string) {
  const launcher = fileURLToPath(new URL('../bin/deespec.js', import.meta.url));
  return execa('bash', ['-c', script, process.execPath, launcher], { reject: false });
}

describe('a stop signal', () => {
  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('%s stops migrate cleanly with %d', async (signal, exitCode) => {
    const big = join(temporaryDirectory(), '.deespec');
    generateTree(big, { layout: 'A', sbis: 60, seed: 1, attachments: { count: 20, bytes: 2_000_000 } });
    const child = startDeespec(['migrate', '--home', big, '--json']);
    while (!hasRun(big)) await sleep(5);

    child.kill(signal);
    const ended = await child;
    const document = JSON.parse(Buffer.from(ended.stdout).toString());

    expect(ended.exitCode).toBe(exitCode);
    expect(document).toMatchObject({ ok: false, exitCode, error: { code: 'INTERRUPTED' } });
    expect(existsSync(join(big, 'deespec.db'))).toBe(false);
    expect(hasRun(big)).toBe(false);
  });
});

function hasRun(directory: string): boolean {
  const runs = join(directory, '.storage/runs');
  return existsSync(runs) && readdirSync(runs).length > 0;
}

describe('a bug', () => {
  test('is 70 and one message without a stack', async () => {
    const terminal = new Terminal(new PassThrough(), new PassThrough());
    const session = new Session({
      terminal,
      settings: { environment: {}, debug: false, user: 'tester' },
      argv: [],
    });

    await session.fail(new TypeError('x is not a function'));

    const shown = String((terminal.stderr as unknown as PassThrough).read());
    expect(session.exitCode).toBe(70);
    expect(shown).toContain('x is not a function');
    expect(shown).toContain('report');
    expect(shown).not.toContain('at ');
  });
});
