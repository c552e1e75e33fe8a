import { describe, expect, test } from '@jest/globals';

import { splitReason } from '../src/index.js';

describe('A reason of quarantine', () => {
  test.each([
    ['json-syntax: no JSON at "x: y"', { rule: 'json-syntax', detail: 'no JSON at "x: y"' }],
    ['shape: 1', { rule: 'shape', detail: '1' }],
    ['lines not interpreted: 3, 4', { detail: 'lines not interpreted: 3, 4' }],
  ])('is a rule and what was found, or the lines of a journal: %s', (reason, parts) => {
    expect(splitReason(reason)).toEqual(parts);
  });
});
