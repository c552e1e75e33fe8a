import { describe, expect, test } from '@jest/globals';

import { isDecision, isSbiId, isSbiStatus, isStorageError, parseSbiId, sbiIdTimeMs } from '../src/index.js';

const id = 'SBI-01M810CC01J2AAPQZVYRK1YMJR';

describe('An SBI id', () => {
  test.each([id, 'SBI-00000000000000000000000000', 'SBI-ILOUILOUILOUILOUILOUILOUIL'])('%s is one', (text) => {
    expect(parseSbiId(text)).toBe(text);
  });

  test.each([
    ['25 characters', id.slice(0, -1)],
    ['27 characters', `${id}0`],
    ['a trailing line feed', `${id}\n`],
    ['a leading space', ` ${id}`],
    ['lower case', id.toLowerCase()],
    ['a lower case letter', `${id.slice(0, -1)}r`],
    ['another prefix', id.replace('SBI', 'PBI')],
    ['a slug', `${id}_login`],
    ['a path', `SBI-../../../../../etc/passwd0`],
    ['wide digits', `SBI-${'０'.repeat(26)}`],
    ['an old id', 'SBI-INIT-001'],
    ['nothing', ''],
  ])('is not one with %s', (_, text) => {
    expect(isSbiId(text)).toBe(false);
    expect(() => parseSbiId(text)).toThrow(
      expect.objectContaining({ code: 'SBI.INVALID_ID', details: { id: text } }),
    );
  });

  test('that is refused is shown without what a terminal obeys', () => {
    let message = '';
    try {
      parseSbiId('SBI-\u001b[31m\n');
    } catch (error) {
      if (isStorageError(error, 'SBI.INVALID_ID')) message = error.message;
    }

    expect(message).toContain('\\u001b[31m\\n');
  });

  test.each([
    ['SBI-01ARZ3NDEKTSV4RRFFQ69G5FAV', 1_469_922_850_259],
    ['SBI-00000000010000000000000000', 1],
    ['SBI-7ZZZZZZZZZZZZZZZZZZZZZZZZZ', 2 ** 48 - 1],
  ])('%s tells its time', (text, timeMs) => {
    expect(sbiIdTimeMs(parseSbiId(text))).toBe(timeMs);
  });

  test.each(['SBI-80000000000000000000000000', 'SBI-ILOUILOUILOUILOUILOUILOUIL'])(
    '%s has no time',
    (text) => {
      expect(sbiIdTimeMs(parseSbiId(text))).toBeUndefined();
    },
  );
});

test('A status or decision is known exactly as it is written', () => {
  expect(['READY', 'WIP', 'REVIEW', 'REVIEW&WIP', 'DONE'].every(isSbiStatus)).toBe(true);
  expect(['ready', 'PAUSED', '', 'DONE ', 'constructor'].some(isSbiStatus)).toBe(false);
  expect(
    ['PENDING', 'NEEDS_CHANGES', 'SUCCEEDED', 'FAILED', 'OK', 'FORCE_TERMINATED'].every(isDecision),
  ).toBe(true);
  expect(['ok', '', 'toString'].some(isDecision)).toBe(false);
});
