import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';

import { findDecision } from '../src/decision-marker.js';

const find = (text: string): string | undefined => findDecision([Buffer.from(text)]);

describe('findDecision', () => {
  test.each([
    ['DECISION: SUCCEEDED', 'SUCCEEDED'],
    ['decision: needs_changes', 'NEEDS_CHANGES'],
    ['**DECISION: FAILED**', 'FAILED'],
    ['**DECISION:** OK\r\n', 'OK'],
    ['  DECISION:PENDING  ', 'PENDING'],
    ['\ufeffDECISION: OK\n', 'OK'],
    ['DECISION: OK\nDECISION: FAILED\n', 'FAILED'],
    ['DECISION: OK\nDECISION: perhaps\n', 'OK'],
    ['DECISION: OK\n\nmore text\n', 'OK'],
  ])('reads %j as %s', (text, decision) => {
    expect(find(text)).toBe(decision);
  });

  test.each([
    '',
    'the DECISION: OK',
    'DECISION: OKAY',
    'DECISION OK',
    'DECISION: OK because',
    '> DECISION: OK',
  ])('finds no marker in %j', (text) => {
    expect(find(text)).toBeUndefined();
  });

  test('gives the same answer wherever chunks end', () => {
    const piece = fc.constantFrom(
      'DECISION: OK',
      '**DECISION: FAILED**',
      '\n',
      '\r\n',
      '\r',
      ' '.repeat(300),
      'x',
      'é',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), fc.integer({ min: 1, max: 40 }), (pieces, step) => {
        const bytes = Buffer.from(pieces.join(''));
        const chunks = Array.from({ length: Math.ceil(bytes.length / step) }, (_, i) =>
          bytes.subarray(i * step, (i + 1) * step),
        );

        expect(findDecision(chunks)).toBe(findDecision([bytes]));
      }),
    );
  });

  test('scans a long line in small chunks in constant memory', () => {
    const chunk = Buffer.alloc(65_536, 0x78);
    function* chunks(): Iterable<Buffer> {
      for (let count = 0; count < 500; count++) yield chunk;
      yield Buffer.from('\nDECISION: OK');
    }

    expect(findDecision(chunks())).toBe('OK');
  });
});
