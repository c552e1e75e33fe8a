import { describe, expect, test } from '@jest/globals';

import { modeMeanings, parseMode, storageModes } from '../src/index.js';

describe('parseMode', () => {
  test.each([
    [undefined, 'file'],
    ['file', 'file'],
    ['FILE_ONLY', 'file'],
    ['dual_write', 'dual_write'],
    ['DUAL_WRITE', 'dual_write'],
    ['dual', 'dual_write'],
    ['sqlite', 'sqlite'],
    ['SQLITE_PRIMARY', 'sqlite'],
    ['sqlite_only', 'sqlite_only'],
  ])('reads %p as %s', (setting, mode) => {
    expect(parseMode(setting)).toBe(mode);
  });

  test.each([
    ...['', 'FILE', 'File', 'files', 'file ', '__proto__', 'constructor', 'toString', 'hasOwnProperty'],
    ...[null, 0, true, [], ['file'], {}, { mode: 'file' }],
  ])('never guesses what %p means', (setting) => {
    expect(() => parseMode(setting)).toThrow(
      expect.objectContaining({ code: 'MODE.UNKNOWN', kind: 'unsupported' }),
    );
  });

  test('has a meaning for every mode, and reads its own names', () => {
    expect(Object.keys(modeMeanings)).toEqual([...storageModes]);
    expect(storageModes.map(parseMode)).toEqual([...storageModes]);
  });
});
