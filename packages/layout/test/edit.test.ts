import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';

import { isStorageError } from '@deespec/domain';
import type { ErrorCode, Json } from '@deespec/domain';

import { readSettingMode, removeJsonKey, setJsonKey, setYamlKey } from '../src/index.js';
import { parseYaml } from '../src/yaml-text.js';

const setJson = (text: string, key: string[], value: string): string =>
  setJsonKey(Buffer.from(text), key, value).toString();
const removeJson = (text: string, key: string[]): string => removeJsonKey(Buffer.from(text), key).toString();
const setYaml = (text: string, key: string[], value: Json): string =>
  setYamlKey(Buffer.from(text), key, value).toString();

function codeOf(work: () => unknown): ErrorCode | undefined {
  try {
    work();
  } catch (error) {
    if (isStorageError(error)) return error.code;
    throw error;
  }
  return undefined;
}

/** True when `after` is `before` with one stretch of text replaced, and that stretch starts at or after `from`. */
function differsOnlyIn(before: string, after: string, [from, to]: readonly [number, number]): boolean {
  const tail = before.length - to;
  return after.startsWith(before.slice(0, from)) && (tail === 0 || after.endsWith(before.slice(-tail)));
}

describe('setJsonKey', () => {
  test.each([
    ['{"a":1}', ['a'], '2', '{"a":2}'],
    ['{"a":1}', ['b'], '2', '{"a":1,"b":2}'],
    ['{"a": 1, "b": 2}', ['c'], '3', '{"a": 1, "b": 2, "c": 3}'],
    [
      '{\n  "a": 9007199254740993,\n  "b": 1e400\n}',
      ['c'],
      '3',
      '{\n  "a": 9007199254740993,\n  "b": 1e400,\n  "c": 3\n}',
    ],
    ['{\r\n\t"a" : 1\r\n}\r\n', ['b'], '[1]', '{\r\n\t"a" : 1,\r\n\t"b" : [1]\r\n}\r\n'],
    ['{}', ['a', 'b'], '1', '{"a": {"b": 1}}'],
    ['{"a":{"b":1},"c":"\\u003c"}', ['a', 'b'], '"x"', '{"a":{"b":"x"},"c":"\\u003c"}'],
    ['{"a":{}}', ['a', 'b'], '1', '{"a":{"b": 1}}'],
    ['{"__proto__":1}', ['__proto__'], '2', '{"__proto__":2}'],
    ['{"a":[1,2]}', ['a'], '9007199254740993', '{"a":9007199254740993}'],
  ])('edits %j at %j', (...[text, key, value, expected]) => {
    expect(setJson(text, key, value)).toBe(expected);
  });

  test('keeps every byte outside of the value', () => {
    const space = fc.constantFrom('', ' ', '\n  ', '\r\n\t');
    const members = fc.uniqueArray(fc.tuple(fc.string({ unit: 'grapheme' }), fc.json()), {
      minLength: 1,
      selector: ([key]) => key.toUpperCase(),
    });
    fc.assert(
      fc.property(members, space, fc.nat(), fc.json(), (...[pairs, gap, pick, value]) => {
        const parts = pairs.map(([key, json]) => `${gap}${JSON.stringify(key)}:${gap}${json}`);
        const text = `{${parts.join(',')}${gap}}${gap}`;
        const index = pick % pairs.length;
        const [key, old] = pairs[index]!;
        const end = parts.slice(0, index + 1).join(',').length + 1;
        fc.pre(codeOf(() => setJson(text, [key], value)) === undefined);

        const edited = setJson(text, [key], value);

        expect(edited).toBe(text.slice(0, end - old.length) + value + text.slice(end));
      }),
    );
  });

  test.each([
    ['{"a":1,"a":2}', ['b'], '1', 'LAYOUT.MALFORMED'],
    ['{"a":1', ['b'], '1', 'LAYOUT.MALFORMED'],
    ['\ufeff{}', ['b'], '1', 'LAYOUT.MALFORMED'],
    ['[]', ['b'], '1', 'LAYOUT.MALFORMED'],
    ['{"a":1}', ['a', 'b'], '1', 'LAYOUT.CANNOT_EXPRESS'],
    ['{"a":[{"b":1}]}', ['a', '0', 'b'], '1', 'LAYOUT.CANNOT_EXPRESS'],
    ['{"a":1}', ['A'], '1', 'LAYOUT.CANNOT_EXPRESS'],
    ['{"a":1}', ['b'], 'x', 'LAYOUT.CANNOT_EXPRESS'],
    ['{"a":1}', ['b'], '1,"c":2', 'LAYOUT.CANNOT_EXPRESS'],
    ['{"a":1}', ['b'], '{"x":1,"x":2}', 'LAYOUT.CANNOT_EXPRESS'],
    ['{"a":1}', ['b'], '"\ud800"', 'LAYOUT.CANNOT_EXPRESS'],
    ['{"a":1}', [], '1', 'LAYOUT.CANNOT_EXPRESS'],
  ])('refuses to edit %j at %j to %j', (...[text, key, value, code]) => {
    expect(codeOf(() => setJson(text, key, value))).toBe(code);
  });
});

describe('removeJsonKey', () => {
  test.each([
    ['{"a":1,"b":2,"c":3}', ['a'], '{"b":2,"c":3}'],
    ['{"a":1,"b":2,"c":3}', ['b'], '{"a":1,"c":3}'],
    ['{\n  "a": 1,\n  "b": 2\n}\n', ['b'], '{\n  "a": 1\n}\n'],
    ['{\n  "a": 1,\n  "b": 2\n}\n', ['a'], '{\n  "b": 2\n}\n'],
    ['{"a":{"b":1}}', ['a', 'b'], '{"a":{}}'],
    ['{ "a": 1 }', ['b'], '{ "a": 1 }'],
  ])('edits %j at %j', (text, key, expected) => {
    expect(removeJson(text, key)).toBe(expected);
  });

  test('undoes the setting of a new key byte by byte', () => {
    const style = fc.constantFrom<string | number | undefined>(undefined, 2, '\t');
    const tail = fc.constantFrom('', '\n', '\r\n');
    fc.assert(
      fc.property(
        fc.dictionary(fc.string(), fc.jsonValue()),
        style,
        tail,
        fc.json(),
        (...[object, indent, end, value]) => {
          const text = JSON.stringify(object, null, indent) + end;
          fc.pre(
            codeOf(() => setJson(text, ['storage_mode'], value)) === undefined && !('storage_mode' in object),
          );

          expect(removeJson(setJson(text, ['storage_mode'], value), ['storage_mode'])).toBe(text);
        },
      ),
    );
  });
});

describe('readSettingMode', () => {
  test.each([
    ['{"storage_mode":"sqlite"}', 'sqlite'],
    ['{"storage_mode":7}', 7],
    ['{"a":{"storage_mode":"sqlite"}}', undefined],
  ])('reads %j', (text, mode) => {
    expect(readSettingMode(Buffer.from(text))).toBe(mode);
  });

  test.each([
    '',
    '{',
    '{"storage_mode":"file","storage_mode":"sqlite"}',
    '{"storage_mode":"file","Storage_Mode":"sqlite"}',
  ])('never guesses a mode from %j', (text) => {
    expect(codeOf(() => readSettingMode(Buffer.from(text)))).toBe('LAYOUT.MALFORMED');
  });
});

const meta = `# task
id: SBI-X
title: 'Task 2: αβγ' # why
labels:
    - backend
    - batch-2

# times
created_at: 2026-11-22T06:51:29.674337979Z
`;

describe('setYamlKey', () => {
  test.each<[string, string[], Json, string]>([
    ['title', ['title'], "it's: new", meta.replace("'Task 2: αβγ'", "'it''s: new'")],
    [
      'a list',
      ['labels'],
      ['a', 'b: c', 'no'],
      meta.replace('- backend\n    - batch-2', "- a\n    - 'b: c'\n    - 'no'"),
    ],
    ['a list to nothing', ['labels'], [], meta.replace('- backend\n    - batch-2', '[]')],
    ['a time', ['created_at'], '2026-01-01T00:00:00Z', meta.replace(/2026.*Z/u, '2026-01-01T00:00:00Z')],
    ['a new key', ['priority'], 5, `${meta}priority: 5\n`],
    ['a control character', ['id'], 'a\nb\u2028', meta.replace('SBI-X', '"a\\nb\\u2028"')],
  ])('sets %s', (...[, key, value, expected]) => {
    expect(setYaml(meta, key, value)).toBe(expected);
    expect(setYaml(meta.replaceAll('\n', '\r\n'), key, value)).toBe(expected.replaceAll('\n', '\r\n'));
  });

  test.each<[string, string[], Json, string]>([
    ['a: 1', ['b'], 'x', 'a: 1\nb: x'],
    ['\ufeffa: 1\n', ['b'], 'x', '\ufeffa: 1\nb: x\n'],
    ['a: "x"\n', ['a'], "it's", 'a: "it\'s"\n'],
    ['a: x\n', ['a'], 'yes', "a: 'yes'\n"],
    ['a: x\n', ['a'], '12', "a: '12'\n"],
    ['a: x # c\n', ['a'], null, 'a: null # c\n'],
    ['a:\nb: 1\n', ['a'], 'x', 'a: x\nb: 1\n'],
    ['a: # c\nb: 1\n', ['a'], 'x', 'a: x # c\nb: 1\n'],
    ['a: |\n  x\n  # no comment\nb: 1\n', ['a'], 'x', 'a: x\nb: 1\n'],
    ['a: [x, y]\n', ['a'], ['z'], 'a: [z]\n'],
    ['a:\n- x\n- y\nb: 1\n', ['a'], ['z', 'w'], 'a:\n- z\n- w\nb: 1\n'],
    ['a:\n  b: 1 # c\n  d: 2\ne: 3\n', ['a', 'b'], 4, 'a:\n  b: 4 # c\n  d: 2\ne: 3\n'],
    ['a:\n  b: 1\ne: 3\n', ['a', 'c'], { k: [1] }, 'a:\n  b: 1\n  c: {k: [1]}\ne: 3\n'],
    ['a: 1\n# end\n', ['b'], 2, 'a: 1\nb: 2\n# end\n'],
    ['a: 1\n...\n', ['b'], 2, 'a: 1\nb: 2\n...\n'],
  ])('edits %j at %j to %j', (...[text, key, value, expected]) => {
    expect(setYaml(text, key, value)).toBe(expected);
  });

  test('keeps every byte outside of the value, and the value says what was asked for', () => {
    const text = fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc.constantFrom('no', '~', '', ' x', 'a: b', '#', '- a', "'", '012'),
    );
    const value = fc.oneof(text, fc.array(text), fc.boolean(), fc.integer(), fc.constant(null));
    const places = [
      { key: 'title', stretch: "'Task 2: αβγ'" },
      { key: 'labels', stretch: '- backend\n    - batch-2' },
      { key: 'id', stretch: 'SBI-X' },
    ];
    fc.assert(
      fc.property(fc.constantFrom(...places), value, ({ key, stretch }, wanted) => {
        const from = meta.indexOf(stretch);
        const edited = setYaml(meta, [key], wanted);

        expect(differsOnlyIn(meta, edited, [from, from + stretch.length])).toBe(true);
        const parsed = parseYaml(Buffer.from(edited));
        expect(parsed.problem ?? parsed.value[key]).toEqual(wanted);
      }),
      { numRuns: 500 },
    );
  });

  test.each<[string, string[], Json, ErrorCode]>([
    ['a: *x\n', ['a'], 1, 'LAYOUT.MALFORMED'],
    ['a: 1\na: 2\n', ['a'], 1, 'LAYOUT.MALFORMED'],
    ['', ['a'], 1, 'LAYOUT.MALFORMED'],
    ['a:\n  - x # c\n  - y\n', ['a'], [], 'LAYOUT.CANNOT_EXPRESS'],
    ['a: | # c\n  x\n', ['a'], 'y', 'LAYOUT.CANNOT_EXPRESS'],
    ['{a: 1}\n', ['b'], 1, 'LAYOUT.CANNOT_EXPRESS'],
    ['a: 1\n', ['a', 'b'], 1, 'LAYOUT.CANNOT_EXPRESS'],
    ['a: 1\n', ['a'], 1e21, 'LAYOUT.CANNOT_EXPRESS'],
    ['a: 1\n', ['a'], '\ud800', 'LAYOUT.CANNOT_EXPRESS'],
    ['a: 1\n', [], 1, 'LAYOUT.CANNOT_EXPRESS'],
  ])('refuses to edit %j at %j to %j', (...[text, key, value, code]) => {
    expect(codeOf(() => setYaml(text, key, value))).toBe(code);
  });
});
