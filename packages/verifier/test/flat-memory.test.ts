import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { LineDigest } from '../src/line-digest.js';
import { Pace } from '../src/pace.js';
import { walk } from '../src/walk.js';
import { awkwardTree, put, sha256, temporaryDirectory } from './support.js';

describe('walk', () => {
  test('yields paths in byte order, whether a directory is sorted in memory or on disk', () => {
    const root = Buffer.from(awkwardTree());

    const inMemory = [...walk(root, Infinity)].map(({ path, kind }) => ({ path, kind }));
    const onDisk = [...walk(root, 0)].map(({ path, kind }) => ({ path, kind }));

    expect(onDisk).toEqual(inMemory);
    expect(inMemory.map(({ path }) => path)).toEqual(inMemory.map(({ path }) => path).sort());
  });

  test('leaves out what vanishes on the way', () => {
    const tree = temporaryDirectory();
    put(tree, 'a/x', '');
    put(tree, 'b', '');
    const paths: string[] = [];

    for (const { path } of walk(Buffer.from(tree))) {
      paths.push(path);
      if (path === 'a') rmSync(join(tree, 'a'), { recursive: true });
    }

    expect(paths).toEqual(['a', 'b']);
  });
});

describe('LineDigest', () => {
  test('sorts bytewise, whether in memory or on disk', async () => {
    const lines = ['\xff', 'b', 'a\x01', 'a', 'A', '\x7f', 'ab'].map((path) => ({
      kind: 'd' as const,
      mode: '755',
      sha256: '',
      target: '',
      path,
    }));
    const text = ['A', 'a', 'a\x01', 'ab', 'b', '\x7f', '\xff'].map((path) => `d 755 ${path}\n`).join('');

    const digests: string[] = [];
    for (const limitBytes of [Infinity, 20, 0]) {
      const digest = new LineDigest(limitBytes);
      for (const line of lines) digest.add(line);
      digests.push(await digest.finish(new Pace({})));
      digest.close();
    }

    expect(digests).toEqual(Array(3).fill(sha256(Buffer.from(text, 'latin1'))));
  });
});
