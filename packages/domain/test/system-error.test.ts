import { describe, expect, test } from '@jest/globals';
import { openSync } from 'node:fs';

import { isStorageError, systemError } from '../src/index.js';

/** An error as Node makes it. */
function failed(code: string): Error {
  return Object.assign(new Error(`${code}: something, open '/a/b'`), { code, syscall: 'open', path: '/a/b' });
}

describe('An error of the operating system', () => {
  test.each([
    ['FILE.PERMISSION', ['EACCES', 'EPERM', 'EROFS']],
    ['FILE.NO_SPACE', ['ENOSPC', 'EDQUOT']],
    ['FILE.READ_FAILED', ['EMFILE', 'ENFILE', 'EISDIR', 'ENOTDIR', 'ENOENT', 'ENOMEM', 'EAGAIN']],
    ['FILE.WRITE_FAILED', ['EIO', 'EFBIG', 'EBUSY']],
  ] as const)('is %s by its code, with the path and a hint', (code, systems) => {
    for (const system of systems) {
      const error = systemError(failed(system));
      expect(isStorageError(error, code)).toBe(true);
      expect(error).toMatchObject({ details: { system } });
      expect(error?.message).toContain('/a/b');
      expect(error?.hint).toBeTruthy();
    }
  });

  test('of a limit says which limit to raise', () => {
    expect(systemError(failed('EMFILE'))?.hint).toContain('ulimit -n');
    expect(systemError(failed('EFBIG'))?.hint).toContain('ulimit -f');
  });

  test('is told by what Node really throws', () => {
    let thrown: unknown;
    try {
      openSync('/dev/null/x', 'r');
    } catch (error) {
      thrown = error;
    }

    expect(systemError(thrown)).toMatchObject({ code: 'FILE.READ_FAILED', details: { system: 'ENOTDIR' } });
  });
});

test.each(['ERR_MODULE_NOT_FOUND', 'ERR_DLOPEN_FAILED'])(
  'A module that cannot be loaded (%s) is no bug',
  (code) => {
    const error = Object.assign(new Error("Cannot find package 'a'"), { code });

    expect(systemError(error)).toMatchObject({ code: 'FILE.READ_FAILED', details: { system: code } });
  },
);

test('Anything else is none', () => {
  expect(systemError(new TypeError('x is not a function'))).toBeUndefined();
  expect(systemError('EIO')).toBeUndefined();
});
