import { describe, expect, test } from '@jest/globals';

import type { AuditNote, AuditRecord } from '@deespec/domain';

import { CHAIN_START, chainAudit, isChained } from '../src/index.js';

const note: AuditNote = {
  timestamp: '2026-03-01T10:00:00.000000000Z',
  entityType: 'sbi',
  entityId: 'SBI-01M810CC01J2AAPQZVYRK1YMJR',
  action: 'update',
};
const full: Required<AuditNote> = {
  ...note,
  oldValue: '{"status":"READY"}',
  newValue: '{"status":"WIP"}',
  user: 'é',
  sessionId: 's',
  requestId: 'r',
  oldHash: '1'.repeat(64),
  newHash: '2'.repeat(64),
};

describe('chainAudit', () => {
  test('begins at 1 with zeros, and goes on from the hash before it', () => {
    const first = chainAudit(note, undefined);
    const second = chainAudit(full, first);

    expect(first).toMatchObject({ ...note, seq: 1, previous: CHAIN_START });
    expect(second).toMatchObject({ ...full, seq: 2, previous: first.hash });
    expect(isChained(first, undefined)).toBe(true);
    expect(isChained(second, first)).toBe(true);
  });

  // Worked out with `sha256sum`: chains that were written stay valid for ever.
  test('hashes the array of previous, seq and every field, absent ones as null', () => {
    expect(chainAudit(note, undefined).hash).toBe(
      'b6f3a7ca24822675cce7909b908dd5e1f21269073d47ef11f65a56c08b01fec5',
    );
    expect(chainAudit(full, { seq: 41, hash: 'a'.repeat(64) }).hash).toBe(
      '3681e52482293089be8f0e5a003778a67960cae4f76bc9abb0e7467e3db63bb0',
    );
  });
});

describe('isChained', () => {
  const [first, second] = [chainAudit(note, undefined), chainAudit(full, chainAudit(note, undefined))];

  test.each(Object.keys(full) as (keyof AuditNote)[])(
    'is false when %s was changed or taken away',
    (field) => {
      expect(isChained({ ...second, [field]: 'x' }, first)).toBe(false);
      const { [field]: _, ...rest } = second;
      expect(isChained(rest as AuditRecord, first)).toBe(false);
    },
  );

  test('is false when a field was added', () => {
    expect(isChained({ ...first, user: 'u' }, undefined)).toBe(false);
  });

  test.each([
    ['another number', { ...second, seq: 3 }, first],
    ['a number left out', chainAudit(full, { seq: 7, hash: first.hash }), first],
    ['another hash', { ...second, hash: first.hash }, first],
    ['a record between them missing', second, undefined],
    ['the same number again', { ...first }, first],
    ['another record before it', second, { ...first, hash: '0'.repeat(64) }],
  ])('is false with %s', (_, record, before) => {
    expect(isChained(record, before)).toBe(false);
  });

  test('is true whatever the order of the keys is', () => {
    const reversed = Object.fromEntries(Object.entries(second).reverse());

    expect(isChained(reversed as unknown as AuditRecord, first)).toBe(true);
  });
});
