import { isStorageError, pathFromText, putIf } from '@deespec/domain';
import { afterEach, describe, expect, test } from '@jest/globals';
import { existsSync, mkdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';

import { openFileStorage } from '../src/index.js';
import { realFileSystem } from '../src/file-system.js';
import { systemWith, temporary } from './support.js';

const state = {
  path: pathFromText('var/state.json'),
  kind: 'file',
  mode: 0o644,
  bytes: Buffer.from('{}\n'),
} as const;

const made: (() => void)[] = [];
afterEach(() => {
  for (const remove of made.splice(0)) remove();
});

function makeTree(): string {
  const { directory, remove } = temporary();
  made.push(remove);
  mkdirSync(join(directory, 'var'));
  return directory;
}

/** What a write of `var/state.json` ends with: `done`, or the code of its error. */
async function write(home: string): Promise<string> {
  try {
    await putIf(openFileStorage({ home }).store, state, undefined);
    return 'done';
  } catch (error) {
    if (isStorageError(error)) return error.code;
    throw error;
  }
}

const runLock = (pid: number, expiresInMs: number): string =>
  JSON.stringify({
    pid,
    acquired_at: new Date().toISOString(),
    expires_at: new Date(Date.now() + expiresInMs).toISOString(),
    hostname: hostname(),
  });

describe('A write of var/state.json', () => {
  test('has both locks of the Go tool while the file is replaced, and gives them back', async () => {
    const home = makeTree();
    const seen: string[] = [];
    const look = (to: string | Buffer | URL): void => {
      if (!String(to).endsWith('state.json')) return;
      seen.push(...['state.lock', 'runlock'].filter((name) => existsSync(join(home, 'var', name))));
    };
    const system = systemWith({
      renameSync: (from, to) => {
        look(to);
        realFileSystem.renameSync(from, to);
      },
      linkSync: (from, to) => {
        look(to);
        realFileSystem.linkSync(from, to);
      },
    });

    await putIf(openFileStorage({ home, system }).store, state, undefined);

    expect(seen).toEqual(['state.lock', 'runlock']);
    expect(existsSync(join(home, 'var/state.lock'))).toBe(false);
    expect(existsSync(join(home, 'var/runlock'))).toBe(false);
  });

  test('is refused at once while the Go tool has a lock, and changes nothing', async () => {
    const [withRun, withState] = [makeTree(), makeTree()];
    writeFileSync(join(withRun, 'var/runlock'), runLock(process.pid, 60_000));
    writeFileSync(join(withState, 'var/state.lock'), 'locked');

    expect([await write(withRun), await write(withState)]).toEqual(['GO_TOOL.RUNNING', 'GO_TOOL.RUNNING']);
    expect(existsSync(join(withRun, 'var/state.json'))).toBe(false);
    expect(readFileSync(join(withState, 'var/state.lock'), 'utf8')).toBe('locked');
  });

  test('goes on beside locks that a crash of the Go tool left, and leaves them', async () => {
    const [dead, old] = [makeTree(), makeTree()];
    writeFileSync(join(dead, 'var/state.lock'), 'locked');
    writeFileSync(join(dead, 'var/runlock'), runLock(4_194_000, 60_000));
    writeFileSync(join(old, 'var/state.lock'), 'locked');
    const elevenMinutesAgo = Date.now() / 1_000 - 660;
    utimesSync(join(old, 'var/state.lock'), elevenMinutesAgo, elevenMinutesAgo);

    expect([await write(dead), await write(old)]).toEqual(['done', 'done']);
    expect(existsSync(join(dead, 'var/runlock')) && existsSync(join(old, 'var/state.lock'))).toBe(true);
  });

  test('takes a lease that says nothing, as a power cut leaves it, for over after ten minutes', async () => {
    const [young, old] = [makeTree(), makeTree()];
    for (const home of [young, old]) writeFileSync(join(home, 'var/runlock'), '');
    const elevenMinutesAgo = Date.now() / 1_000 - 660;
    utimesSync(join(old, 'var/runlock'), elevenMinutesAgo, elevenMinutesAgo);

    expect([await write(young), await write(old)]).toEqual(['GO_TOOL.RUNNING', 'done']);
  });

  test('removes locks that a dead process of ours left', async () => {
    const home = makeTree();
    writeFileSync(join(home, 'var/state.lock'), 'locked by deespec-storage');

    expect(await write(home)).toBe('done');
    expect(existsSync(join(home, 'var/state.lock'))).toBe(false);
  });
});
