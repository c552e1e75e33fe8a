import type { TreePath } from '@deespec/domain';
import { openFileStorage, type FileTreeStore } from '@deespec/file-adapter';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { renameSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { StandingHashes } from '../../src/backup/standing-hashes.js';
import { newHome, put, removeDirectories } from '../support.js';

afterAll(removeDirectories);

const large = Buffer.alloc(2_500_000, 'large');
const other = Buffer.alloc(large.length, 'other');

describe('StandingHashes', () => {
  const home = newHome();
  let files: FileTreeStore;
  let hashes: StandingHashes;

  beforeAll(async () => {
    for (const name of ['still', 'written', 'replaced']) put(home, name, large);
    put(home, 'small', 'small');
    files = openFileStorage({ home }).store;
    await sleep(2_100);
    put(home, 'new', large);
    hashes = new StandingHashes(files);
    await hashes.take(new AbortController().signal);
  });

  test('knows a large file that is still what it was', () => {
    expect(found('still')).toBe(createHash('sha256').update(large).digest('hex'));
  });

  test.each<[string, (file: string) => void]>([
    ['written', (file) => writeFileSync(file, other)],
    ['replaced', (file) => renameSync(put(home, 'other', other), file)],
  ])('does not know one that was %s, with the same size and time', (name, change) => {
    const file = join(home, name);
    const { atime, mtime } = statSync(file);
    expect(found(name)).toBeDefined();

    change(file);
    utimesSync(file, atime, mtime);

    expect(files.statOf(name as TreePath)).toMatchObject({ size: large.length });
    expect(found(name)).toBeUndefined();
  });

  test('does not know one that was changed a moment before, nor a small one', () => {
    expect(found('new')).toBeUndefined();
    expect(found('small')).toBeUndefined();
  });

  test('ends with the signal', async () => {
    const none = new StandingHashes(files);
    await none.take(AbortSignal.abort());

    expect(none.find(files.statOf('still' as TreePath)!)).toBeUndefined();
  });

  test('leaves what cannot be read to others, and keeps what came before it', async () => {
    execFileSync('mkfifo', [join(home, 'sz-pipe')]);
    const some = new StandingHashes(files);
    await some.take(new AbortController().signal);

    expect(some.find(files.statOf('still' as TreePath)!)).toBe(found('still'));
  });

  function found(name: string): string | undefined {
    return hashes.find(files.statOf(name as TreePath)!);
  }
});
