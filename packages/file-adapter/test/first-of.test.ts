import { expect, test } from '@jest/globals';
import fc from 'fast-check';

import { FirstOf } from '../src/first-of.js';

test('keeps what a sorted list begins with, and wants nothing that stands behind it', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.integer()), fc.integer({ min: 1, max: 9 }), (values, limit) => {
      const first = new FirstOf<number>((a, b) => a - b, limit);
      for (const value of values) {
        const isPassed = !first.wants(value);
        if (!isPassed) first.offer(value);
        const before = values.slice(0, values.indexOf(value)).filter((other) => other < value);
        expect(isPassed && before.length < limit).toBe(false);
      }
      const sorted = values.toSorted((a, b) => a - b);
      expect(first.inOrder).toEqual(sorted.slice(0, limit));
      for (const value of sorted.slice(limit)) expect(first.wants(value)).toBe(false);
    }),
  );
});
