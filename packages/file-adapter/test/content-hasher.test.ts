import { pathFromText, type TreePath } from '@deespec/domain';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { join } from 'node:path';

import { ContentHasher } from '../src/index.js';
import { plant, sha256, temporary } from './support.js';

const paths = (...names: string[]): TreePath[] => names.map((name) => pathFromText(name));

describe('ContentHasher', () => {
  let directory: string;
  let remove: () => void;
  let hasher: ContentHasher;

  beforeEach(() => {
    ({ directory, remove } = temporary());
    hasher = new ContentHasher(directory);
  });
  afterEach(async () => {
    await hasher.close();
    remove();
  });

  test('hashes files of every size and the targets of symlinks, in the order of the paths', async () => {
    plant(directory, { 'd/b': 'bytes', 'd/none': '' });
    const large = Buffer.alloc(3_000_000, 'x');
    fs.writeFileSync(join(directory, 'd/large'), large);
    fs.symlinkSync('/etc/hostname', join(directory, 'link'));

    expect(await hasher.hash(paths('link', 'd/large', 'd/none', 'd/b'))).toEqual([
      sha256('/etc/hostname'),
      createHash('sha256').update(large).digest('hex'),
      sha256(''),
      sha256('bytes'),
    ]);
  });

  test('leaves to the caller what it cannot read, and goes on', async () => {
    plant(directory, { 'd/b': 'bytes' });
    fs.symlinkSync('d', join(directory, 'through'));

    expect(await hasher.hash(paths('gone', 'through/b', 'd/b'))).toEqual([
      undefined,
      undefined,
      sha256('bytes'),
    ]);
  });

  test('takes two requests at a time, and more when one is done', async () => {
    plant(directory, { b: 'bytes' });
    const [first, second, third] = [1, 2, 3].map(() => hasher.hash(paths('b')));

    expect(third).toBeUndefined();
    expect(await first).toEqual([sha256('bytes')]);
    expect(await hasher.hash(paths('b'))).toEqual([sha256('bytes')]);
    expect(await second).toEqual([sha256('bytes')]);
  });

  test('leaves everything to the caller once it is closed', async () => {
    plant(directory, { b: 'bytes' });
    const asked = hasher.hash(paths('b', 'c'));
    await hasher.close();

    expect(await asked).toEqual([undefined, undefined]);
    expect(hasher.hash(paths('b'))).toBeUndefined();
  });
});
