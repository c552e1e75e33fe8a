import { pathFromText, putIf } from '@deespec/domain';
import { afterEach, describe, expect, test } from '@jest/globals';
import {
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';

import { isStopLock, makeStopLock, openFileStorage, readGoLocks, removeStopLock } from '../src/index.js';
import { temporary } from './support.js';

const made: (() => void)[] = [];
afterEach(() => {
  for (const remove of made.splice(0)) remove();
});

function makeTree(): { readonly home: string; readonly lock: string } {
  const { directory, remove } = temporary();
  made.push(remove);
  mkdirSync(join(directory, 'var'));
  return { home: directory, lock: join(directory, 'var/state.lock') };
}

const codeOf = (work: () => unknown): string => {
  try {
    work();
    return 'done';
  } catch (error) {
    return String((error as NodeJS.ErrnoException).code);
  }
};

describe('The lock of a stop', () => {
  test('cannot be made, replaced or removed as the Go tool does it', () => {
    const { home, lock } = makeTree();

    expect(makeStopLock(home)).toBe('made');

    expect(codeOf(() => openSync(lock, 'wx'))).toBe('EEXIST');
    expect(codeOf(() => unlinkSync(lock))).toMatch(/^(?:EISDIR|EPERM)$/u);
    expect(codeOf(() => rmdirSync(lock))).toBe('ENOTEMPTY');
  });

  test('is not taken for one of the Go tool, and var/state.json can be written', async () => {
    const { home } = makeTree();
    makeStopLock(home);
    const { store } = openFileStorage({ home });
    const version = {
      path: pathFromText('var/state.json'),
      kind: 'file',
      mode: 0o644,
      bytes: Buffer.from('{}\n'),
    } as const;

    await putIf(store, version, undefined);
    await store.recover();

    expect(readFileSync(join(home, 'var/state.json'), 'utf8')).toBe('{}\n');
    expect(readGoLocks(home)).toEqual({ stateLock: false, runLock: undefined });
    expect(isStopLock(home)).toBe(true);
  });

  test('is made and removed as often as one likes', () => {
    const { home, lock } = makeTree();

    expect([makeStopLock(home), makeStopLock(home)]).toEqual(['made', 'made']);
    expect([removeStopLock(home), removeStopLock(home)]).toEqual([true, false]);
    expect(existsSync(lock)).toBe(false);
  });

  const halves: readonly [string, (lock: string) => void][] = [
    ['an empty directory', () => undefined],
    ['an empty marker', (lock) => writeFileSync(join(lock, 'stopped-by-deespec-storage'), '')],
    [
      'a marker that is cut off',
      (lock) => writeFileSync(join(lock, 'stopped-by-deespec-storage'), 'locked by'),
    ],
  ];

  test.each(halves)('is finished, and removed, from %s', (_, leave) => {
    const [first, second] = [makeTree(), makeTree()];
    for (const { lock } of [first, second]) {
      mkdirSync(lock);
      leave(lock);
    }

    expect(makeStopLock(first.home)).toBe('made');
    expect(readdirSync(first.lock)).toEqual(['stopped-by-deespec-storage']);
    expect(removeStopLock(second.home)).toBe(true);
    expect(existsSync(second.lock)).toBe(false);
  });

  const foreign: readonly [string, (lock: string) => void][] = [
    ['a lock of the Go tool', (lock) => writeFileSync(lock, 'locked')],
    ['a directory with other things in it', (lock) => put(lock, 'other', '')],
    ['a directory with another marker', (lock) => put(lock, 'stopped-by-deespec-storage', 'hello')],
    ['a link to a directory', (lock) => symlinkSync('..', lock)],
  ];

  test.each(foreign)('leaves %s alone', (_, leave) => {
    const { home, lock } = makeTree();
    leave(lock);

    expect(makeStopLock(home)).toBe('taken');
    expect(removeStopLock(home)).toBe(false);
    expect(existsSync(lock)).toBe(true);
  });

  test('is made in no var that there is not, and through no link', () => {
    const { directory, remove } = temporary();
    made.push(remove);
    const linked = makeTree();

    expect(makeStopLock(directory)).toBe('no var');
    symlinkSync(join(linked.home, 'var'), join(directory, 'var'));
    expect(makeStopLock(directory)).toBe('no var');
    expect(existsSync(linked.lock)).toBe(false);
  });
});

function put(lock: string, name: string, text: string): void {
  mkdirSync(lock);
  writeFileSync(join(lock, name), text);
}
