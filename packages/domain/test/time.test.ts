import { describe, expect, test } from '@jest/globals';

import { parseTime, timeFromDate, timeFromNs, timeToNs } from '../src/index.js';
import { Random } from './random.js';

describe('parseTime', () => {
  test.each([
    ['2026-01-02T03:04:05Z', '2026-01-02T03:04:05.000000000Z'],
    ['2026-01-02T03:04:05.1Z', '2026-01-02T03:04:05.100000000Z'],
    ['2026-11-22T06:51:29.783655791Z', '2026-11-22T06:51:29.783655791Z'],
    ['2026-01-02t03:04:05z', '2026-01-02T03:04:05.000000000Z'],
    ['2026-01-02T03:04:05+09:00', '2026-01-01T18:04:05.000000000Z'],
    ['2026-01-02T03:04:05.000000001-03:30', '2026-01-02T06:34:05.000000001Z'],
    ['2026-01-02T03:04:05-00:00', '2026-01-02T03:04:05.000000000Z'],
    ['2024-02-29T00:00:00Z', '2024-02-29T00:00:00.000000000Z'],
    ['9999-12-31T23:59:59.999999999Z', '9999-12-31T23:59:59.999999999Z'],
    ['1000-01-01T00:00:00Z', '1000-01-01T00:00:00.000000000Z'],
    ['1969-12-31T23:59:59.5Z', '1969-12-31T23:59:59.500000000Z'],
  ])('reads %s', (text, expected) => {
    expect(parseTime(text)).toBe(expected);
  });

  test.each([
    '2026-02-30T00:00:00Z',
    '2025-02-29T00:00:00Z',
    '2026-13-01T00:00:00Z',
    '2026-00-01T00:00:00Z',
    '2026-01-00T00:00:00Z',
    '2026-01-02T24:00:00Z',
    '2026-01-02T03:60:00Z',
    '2016-12-31T23:59:60Z',
    '2026-01-02T03:04:05',
    '2026-01-02 03:04:05Z',
    '2026-01-02',
    '2026-01-02T03:04:05+0900',
    '2026-01-02T03:04:05+24:00',
    '2026-01-02T03:04:05+09:60',
    '2026-01-02T03:04:05.Z',
    '2026-01-02T03:04:05.1234567890Z',
    '2026-01-02T03:04:05Z\n',
    ' 2026-01-02T03:04:05Z',
    '0001-01-01T00:00:00Z',
    '0999-12-31T23:59:59Z',
    '+12026-01-02T03:04:05Z',
    '9999-12-31T23:59:59-00:01',
    '',
  ])('refuses %p', (text) => {
    expect(parseTime(text)).toBeUndefined();
  });

  test('gives text that sorts like the times, whatever the offset', () => {
    const late = parseTime('2026-01-01T23:30:00-01:00')!;
    const early = parseTime('2026-01-02T08:29:59.999999999+08:00')!;

    expect(early < late).toBe(true);
  });

  test('gives its own output back', () => {
    const time = parseTime('2026-01-02T03:04:05.000000001+05:45')!;

    expect(parseTime(time)).toBe(time);
  });
});

/** Nanoseconds of the years 1000 and 10000. */
const first = BigInt(Date.UTC(1000, 0, 1)) * 1_000_000n;
const end = BigInt(Date.UTC(10_000, 0, 1)) * 1_000_000n;

function* someNanoseconds(): Generator<bigint> {
  yield* [first, -1_000_000_001n, -1_000_000_000n, -999_999_999n, -1n, 0n, 1n, 999_999_999n, end - 1n];
  const random = new Random(1);
  for (let count = 0; count < 5_000; count += 1) {
    const raw = (BigInt(random.below(2 ** 32)) << 32n) | BigInt(random.below(2 ** 32));
    yield first + ((raw * 4_294_967_296n + BigInt(random.below(2 ** 32))) % (end - first));
  }
}

describe('timeFromNs and timeToNs', () => {
  test('are inverse to the nanosecond, before 1970 too', () => {
    for (const nanoseconds of someNanoseconds()) {
      const time = timeFromNs(nanoseconds);

      expect([time.length, timeToNs(time)]).toEqual([30, nanoseconds]);
    }
  });

  test('agree with parseTime', () => {
    for (const nanoseconds of someNanoseconds()) {
      const time = timeFromNs(nanoseconds);

      expect(parseTime(time)).toBe(time);
    }
  });

  test('keep the order of the times', () => {
    const sorted = [...someNanoseconds()].sort((a, b) => (a < b ? -1 : 1));

    const texts = sorted.map(timeFromNs);

    expect(texts.toSorted()).toEqual(texts);
  });

  test('say the moments people know', () => {
    expect(timeFromNs(0n)).toBe('1970-01-01T00:00:00.000000000Z');
    expect(timeFromNs(-1n)).toBe('1969-12-31T23:59:59.999999999Z');
    expect(timeFromDate(new Date('2026-01-02T03:04:05.678Z'))).toBe('2026-01-02T03:04:05.678000000Z');
  });
});
