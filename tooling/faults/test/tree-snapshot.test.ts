import { describe, expect, test } from '@jest/globals';

import { isLike, isPassing, sha256, textLike, type SnapshotEntry } from '../src/dual/tree-snapshot.js';

function fileWith(text: string, mode = 0o644): SnapshotEntry {
  const bytes = Buffer.from(text);
  return { kind: 'file', mode, bytes, sha256: sha256(bytes) };
}

describe('A snapshot of a tree', () => {
  test('takes contents for the same that differ in times and ids only', () => {
    const one = fileWith('{"id":"01M87CP03FEDTWM33GK2XE967D","ts":"2026-11-24T18:21:54.676Z","turn":1}');
    const other = fileWith('{"id":"01M87CP9W8MJH1YS90X1EBMAX9","ts":"2026-11-24T18:22:04.7+09:00","turn":1}');

    expect(isLike(one, other)).toBe(true);
    expect(isLike(one, fileWith(one.bytes.toString().replace('"turn":1', '"turn":2')))).toBe(false);
  });

  test('tells modes, kinds and absence apart', () => {
    expect(isLike(fileWith('a'), fileWith('a', 0o600))).toBe(false);
    expect(isLike(fileWith('a'), undefined)).toBe(false);
    expect(isLike(undefined, undefined)).toBe(true);
  });

  test('leaves every other byte as it is', () => {
    const bytes = Buffer.from([0, 255, 10, 128]);

    expect(textLike(bytes)).toBe(bytes.toString('latin1'));
  });

  test.each([
    ['.tmp-deespec-1', true],
    ['specs/sbi/.tmp-deespec-0mwv-1', true],
    ['var/state.lock', true],
    ['var/runlock', true],
    ['specs/var/runlock', false],
    ['specs/.tmp-deespec-1/file', false],
  ])('%s passes: %s', (path, expected) => {
    expect(isPassing(path)).toBe(expected);
  });
});
