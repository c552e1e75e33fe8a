import { describe, expect, test } from '@jest/globals';

import {
  baseName,
  displayPath,
  isStorageError,
  joinPath,
  parentPath,
  pathFromBytes,
  pathFromDisplay,
  pathFromText,
  pathToBytes,
} from '../src/index.js';
import { Random } from './random.js';

function codeOf(work: () => unknown): string {
  try {
    work();
    return 'accepted';
  } catch (error) {
    return isStorageError(error) ? error.code : String(error);
  }
}

describe('A path', () => {
  test.each(['', '/', '/a', 'a/', 'a//b', '.', '..', 'a/./b', 'a/../b', '../a', 'a/..', 'a\0b', '\0'])(
    'that is unsafe is refused: %p',
    (path) => {
      expect(codeOf(() => pathFromText(path))).toBe('TREE.PATH_UNSAFE');
      expect(codeOf(() => pathFromBytes(Buffer.from(path)))).toBe('TREE.PATH_UNSAFE');
      expect(codeOf(() => joinPath('', path))).toBe('TREE.PATH_UNSAFE');
    },
  );

  test.each(['', '.', '..', '/etc', 'a/../../b', '../x'])('is not left by the name %p', (name) => {
    expect(codeOf(() => joinPath('specs', name))).toBe('TREE.PATH_UNSAFE');
  });

  test.each(['...', '.hidden', 'a b', '-rf', '~', 'C:', 'a\\b', '\n'])('may hold the name %p', (name) => {
    expect(joinPath('specs', name)).toBe(`specs/${name}`);
  });

  test('keeps every byte of a name that is no text', () => {
    const bytes = Buffer.from([...Array(256).keys()].filter((byte) => byte !== 0 && byte !== 0x2f));

    expect(pathToBytes(pathFromBytes(bytes)).equals(bytes)).toBe(true);
  });

  test('made of part of a buffer holds that part only', () => {
    const bytes = new Uint8Array(Buffer.from('xspecs/ax').buffer.slice(0)).fill(0x61, 0, 3);

    expect(pathFromBytes(bytes.subarray(1, 3))).toBe('aa');
  });

  test('made of text has the bytes of its UTF-8, not normalised', () => {
    expect(pathToBytes(pathFromText('e\u0301/é')).toString('hex')).toBe('65cc812fc3a9');
  });

  test('has a parent and a name', () => {
    expect([parentPath(pathFromText('a/b/c')), baseName(pathFromText('a/b/c'))]).toEqual(['a/b', 'c']);
    expect([parentPath(pathFromText('c')), baseName(pathFromText('c'))]).toEqual(['', 'c']);
  });
});

/** Pieces that displays get wrong: escapes, things that look like escapes, controls, directions, bytes that are no UTF-8. */
const pieces = [
  ...[
    'a',
    'x',
    '{',
    '}',
    '0',
    '1b',
    '\\',
    '\\x1b',
    '\\u{202e}',
    '/',
    ' ',
    '\n',
    '\r',
    '\t',
    '\u001b[31m',
    '\u007f',
  ],
  ...[
    '\u0085',
    '\u009b',
    '\u200e',
    '\u202e',
    '\u2066',
    '\u2028',
    '\u061c',
    '\ufeff',
    'é',
    '\u0301',
    '🚀',
    '設',
  ],
].map((text) => Buffer.from(text));
const badBytes = [[0xff], [0x80], [0xc3], [0xe2, 0x82], [0xed, 0xa0, 0x80], [0xc0, 0xaf], [0x9b]].map(
  (bytes) => Buffer.from(bytes),
);

function someNames(): string[] {
  const random = new Random(2);
  const all = [...pieces, ...badBytes];
  const mixed = Array.from({ length: 20_000 }, () => {
    const from = random.below(2) === 0 ? pieces : all;
    return Buffer.concat(Array.from({ length: 1 + random.below(4) }, () => random.pick(from)));
  });
  const bytes = [...Array(256).keys()].map((byte) => Buffer.from([byte]));
  return [...new Set([...mixed, ...bytes].map((name) => name.toString('latin1')))];
}

describe('displayPath', () => {
  test('is one-to-one', () => {
    const seen = new Map<string, string>();
    const collisions: unknown[] = [];
    for (const name of someNames()) {
      const shown = displayPath(name);
      const other = seen.get(shown);
      if (other !== undefined)
        collisions.push([Buffer.from(other, 'latin1'), Buffer.from(name, 'latin1'), shown]);
      seen.set(shown, name);
    }

    expect(collisions).toEqual([]);
  });

  test('holds nothing that a terminal obeys', () => {
    // eslint-disable-next-line no-control-regex
    const obeyed = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/u;

    expect(
      someNames()
        .map(displayPath)
        .filter((shown) => obeyed.test(shown)),
    ).toEqual([]);
  });

  test.each([
    ['specs/sbi', 'specs/sbi'],
    ['caf\u00c3\u00a9', 'café'],
    ['a\nb', 'a\\x0ab'],
    ['a\\b', 'a\\\\b'],
    ['\xff\\', '\\xff\\x5c'],
    ['\xe2\x80\xae', '\\u{202e}'],
  ])('shows %j as %s', (path, shown) => {
    expect(displayPath(path)).toBe(shown);
  });
});

describe('A path written as it is displayed', () => {
  test('is read back, whatever its bytes', () => {
    const wrong: string[] = [];
    for (const name of someNames()) {
      if (codeOf(() => joinPath('', name)) !== 'accepted') continue;
      if (pathFromDisplay(displayPath(name)) !== name) wrong.push(displayPath(name));
    }

    expect(wrong).toEqual([]);
  });

  test.each([
    ['caf\u00e9', 'caf\u00c3\u00a9'],
    ['a\nb', 'a\nb'],
    ['\\x61\\u{62}', 'ab'],
  ])('may be typed without escapes, or with more than are needed: %j', (text, path) => {
    expect(pathFromDisplay(text)).toBe(path);
  });

  test.each(['a\\', '\\q', '\\x1', '\\u{}', '\\u{110000}', '\\u{d800}', '', '../x', 'a\\x2f\\x2e.', '\\x00'])(
    'is refused when it is none: %j',
    (text) => {
      expect(codeOf(() => pathFromDisplay(text))).toBe('TREE.PATH_UNSAFE');
    },
  );
});
