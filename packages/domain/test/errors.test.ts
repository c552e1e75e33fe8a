import { describe, expect, test } from '@jest/globals';

import { errorKinds, invariant, isStorageError, StorageError } from '../src/index.js';

/** The error class of another copy of this package. */
class OtherStorageError extends Error {
  override readonly name = 'StorageError';
  readonly code = 'SBI.NOT_FOUND';
}

describe('A storage error', () => {
  test('carries its kind, hint, details and cause', () => {
    const cause = new Error('EIO');

    const error = new StorageError('FILE.READ_FAILED', 'cannot read', {
      hint: 'try',
      details: { path: 'a' },
      cause,
    });

    expect(error).toMatchObject({ kind: 'io', hint: 'try', details: { path: 'a' }, cause, retryable: false });
    expect(new StorageError('LOCK.HELD', 'held')).toMatchObject({
      kind: 'busy',
      details: {},
      retryable: true,
    });
    expect(new StorageError('LOCK.HELD', 'held')).not.toHaveProperty('cause');
  });

  test('is told by its code across two copies of the package', () => {
    const error = new OtherStorageError('gone');

    expect(error instanceof StorageError).toBe(false);
    expect([isStorageError(error), isStorageError(error, 'SBI.NOT_FOUND')]).toEqual([true, true]);
    expect(isStorageError(error, 'LOCK.HELD')).toBe(false);
  });

  test.each([
    ['a plain error', new Error('x')],
    ['an error of the system', Object.assign(new Error('x'), { code: 'ENOENT' })],
    ['a text', 'LOCK.HELD'],
    ['nothing', undefined],
    ['null', null],
  ])('is not %s', (_, value) => {
    expect(isStorageError(value)).toBe(false);
  });
});

test('Every code names a noun and a fact, and has one of the closed set of kinds', () => {
  const kinds = ['invalid', 'not_found', 'conflict', 'integrity', 'busy', 'unsupported', 'io', 'internal'];

  for (const [code, kind] of Object.entries(errorKinds)) {
    expect(code).toMatch(/^(?:[A-Z_]+\.[A-Z_]+|INTERRUPTED|INTERNAL)$/u);
    expect(kinds).toContain(kind);
  }
  expect(new Set(Object.values(errorKinds))).toEqual(new Set(kinds));
});

test('A broken invariant is a bug, no storage error', () => {
  expect(() => invariant(false, 'two is three')).toThrow('invariant broken: two is three');
  expect(() => invariant(1, 'fine')).not.toThrow();
});
