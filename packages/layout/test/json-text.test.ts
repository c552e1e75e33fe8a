import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';

import {
  countKeyTokens,
  exactValue,
  findDuplicateKey,
  parseJson,
  parseJsonObject,
} from '../src/json-text.js';

const ruleOf = (text: string | Buffer): string | undefined =>
  parseJsonObject(Buffer.from(text)).problem?.rule;

/** JSON texts, built by hand so that keys repeat, hold quotes and colons, and whitespace is odd. */
const jsonText = fc.letrec<{ value: string }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom('1', 'null', '-0.5e3', '"a"', '":"', '"\\":"', '"a\\\\"', '"\\\\\\":"'),
    fc.array(tie('value'), { maxLength: 3 }).map((items) => `[${items.join(' , ')}]`),
    fc
      .array(
        fc.tuple(
          fc.constantFrom('"a"', '"b"', '"\\u0061"', '"a\\":"', '"__proto__"', '":"', '""', '"1"'),
          fc.constantFrom('', ' ', '\n\t', '\r\n '),
          tie('value'),
        ),
        { maxLength: 4 },
      )
      .map((pairs) => `{${pairs.map(([key, space, value]) => `${key}${space}:${space}${value}`).join(',')}}`),
  ),
})).value;

/** Keys of a parsed value, counted the slow way. */
function countKeys(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  const own = Array.isArray(value) ? 0 : Object.keys(value).length;
  return Object.values(value).reduce<number>((sum, inner) => sum + countKeys(inner), own);
}

describe('parseJson', () => {
  test('finds a duplicate key exactly when the slow walk does', () => {
    fc.assert(
      fc.property(jsonText, (text) => {
        const isDuplicate = findDuplicateKey(text) !== undefined;
        const passesFilter = countKeyTokens(text) === countKeys(JSON.parse(text));

        expect(passesFilter && isDuplicate).toBe(false);
        expect(parseJson(Buffer.from(text)).problem?.rule).toBe(isDuplicate ? 'duplicate-key' : undefined);
      }),
      { numRuns: 2_000 },
    );
  });

  test('the filter lets ordinary texts pass without the slow walk', () => {
    const text = '{"a": "b", "c" : {"d":[{"e":1},"f"]}, "url": "http://x"}';

    expect(countKeyTokens(text)).toBe(5);
  });

  test('accepts what JSON.parse gives, for any value', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 5 }), (text) => {
        const parsed = parseJson(Buffer.from(text));

        expect(parsed.problem !== undefined || parsed.text === text).toBe(true);
        // eslint-disable-next-line jest/no-conditional-expect
        if (parsed.problem === undefined) expect(parsed.value).toEqual(JSON.parse(text));
      }),
    );
  });

  test.each([
    ['', 'json-syntax'],
    [' \n', 'json-syntax'],
    ['{"a":1', 'json-syntax'],
    ['{"a":1}{"b":2}', 'json-syntax'],
    ['{"a":1}\0\0', 'json-syntax'],
    ['\ufeff{}', 'json-syntax'],
    ['{"a":1,}', 'json-syntax'],
    ['{/* c */}', 'json-syntax'],
    ["{'a':1}", 'json-syntax'],
    ['{"a":NaN}', 'json-syntax'],
    ['[]', 'json-syntax'],
    ['null', 'json-syntax'],
    [Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]), 'json-syntax'],
    [Buffer.from('{"a":1}', 'utf16le'), 'json-syntax'],
    ['{"a":1,"\\u0061":2}', 'duplicate-key'],
    ['{"x":{"a":1,"a":1}}', 'duplicate-key'],
    ['{"__proto__":1,"__proto__":2}', 'duplicate-key'],
    ['{"version":5,"Version":9}', 'case-fold-key'],
    ['{"x":[{"ſ":5,"S":9}]}', 'case-fold-key'],
    [`{"a":${'['.repeat(64)}${']'.repeat(64)}}`, 'json-depth'],
    [`{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`, 'json-depth'],
    ['['.repeat(100_000), 'json-syntax'],
    [`{"a":${'['.repeat(63)}${']'.repeat(63)}}`, undefined],
    ['{"a":{"b":1},"b":1,"c":"d\\":"}', undefined],
    ['{"ß":1,"ss":2}', undefined],
  ])('judges %j as %s', (text, rule) => {
    expect(ruleOf(text)).toBe(rule);
  });

  test('names line and key of a duplicate', () => {
    expect(parseJson(Buffer.from('{\n  "a": 1,\n  "b": 2,\n  "a": 3\n}')).problem).toMatchObject({
      line: 4,
      actual: '"a"',
    });
  });

  test('keeps hostile keys as own keys', () => {
    const parsed = parseJsonObject(Buffer.from('{"__proto__":{"polluted":1},"constructor":2}'));

    expect(Object.keys(parsed.problem === undefined ? parsed.value : {})).toEqual([
      '__proto__',
      'constructor',
    ]);
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });

  test('shows hostile text without control and direction characters', () => {
    const problem = parseJson(Buffer.from(`{\u001b[31m\u202e${'x'.repeat(500)}`)).problem;

    // eslint-disable-next-line no-control-regex
    expect(problem?.actual).not.toMatch(/[\u001b\u202e]/u);
    expect(problem?.actual.length).toBeLessThanOrEqual(220);
  });
});

describe('exactValue', () => {
  test('shows numbers that JavaScript cannot hold as they were written', () => {
    const text = '{"a":9007199254740993,"b":[1e400,1.0],"__proto__":-9007199254740993}';

    expect(Object.entries(exactValue(text) as object)).toEqual([
      ['a', '9007199254740993'],
      ['b', ['1e400', 1]],
      ['__proto__', '-9007199254740993'],
    ]);
  });
});
