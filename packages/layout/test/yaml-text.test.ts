import { describe, expect, test } from '@jest/globals';

import { parseYaml } from '../src/yaml-text.js';

const ruleOf = (text: string): string | undefined => parseYaml(Buffer.from(text)).problem?.rule;
const valueOf = (text: string, textKeys: string[] = []): unknown => {
  const parsed = parseYaml(Buffer.from(text), new Set(textKeys));
  return parsed.problem ?? parsed.value;
};

describe('parseYaml', () => {
  test.each([
    ['a: 1\r\nb: x\r\n', { a: 1, b: 'x' }],
    ['\ufeffa: 1', { a: 1 }],
    ['---\na: 1\n...\n', { a: 1 }],
    [
      'a: no\nb: 1_000\nc: 012\nd: 1:20\ne: ~\nf: .nan\ng: 0x1f',
      { a: 'no', b: '1_000', c: '012', d: '1:20', e: null, f: '.nan', g: '0x1f' },
    ],
    ['a: -1\nb: 1.5\nc: true\nd: 9007199254740993\n', { a: -1, b: 1.5, c: true, d: '9007199254740993' }],
    ["title: 'a: #b'\n", { title: 'a: #b' }],
    ['1: a\n', { '1': 'a' }],
    ['a: |\n  x\n  y\nb: [1, {c: d}]\n', { a: 'x\ny\n', b: [1, { c: 'd' }] }],
  ])('reads %j', (text, value) => {
    expect(valueOf(text)).toEqual(value);
  });

  test('reads text keys as they are spelled', () => {
    expect(valueOf('t: 1.10\nl: [012, yes]\nn:\nx: {t: 1}\n', ['t', 'l', 'n'])).toEqual({
      t: '1.10',
      l: ['012', 'yes'],
      n: null,
      x: { t: 1 },
    });
  });

  test('keeps hostile keys as own keys', () => {
    expect(Object.entries(valueOf('__proto__:\n  polluted: 1\n') as object)).toEqual([
      ['__proto__', { polluted: 1 }],
    ]);
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });

  test.each([
    ['an anchor', 'a: &x 1\n', 'yaml-unsafe'],
    ['an alias', 'a: *x\n', 'yaml-unsafe'],
    ['a merge key', 'a:\n  <<: {b: 1}\n', 'yaml-unsafe'],
    ['a tag', 'a: !!binary aGk=\n', 'yaml-unsafe'],
    ['a custom tag', 'a: !x 1\n', 'yaml-unsafe'],
    ['a tag on a map', '!!map\na: 1\n', 'yaml-unsafe'],
    ['two documents', 'a: 1\n---\nb: 2\n', 'yaml-unsafe'],
    ['a tab', 'a:\n\tb: 1\n', 'yaml-unsafe'],
    ['a list as key', '[a]: 1\n', 'yaml-unsafe'],
    ['an alias bomb', `a: &a [x]\nb: &b [${'*a,'.repeat(9)}]\nc: [${'*b,'.repeat(9)}]\n`, 'yaml-unsafe'],
    ['the same key in other words', '"1": a\n1: b\n', 'duplicate-key'],
    ['an unclosed quote', 'a: "x\n', 'yaml-syntax'],
    ['a comment alone', '# x\n', 'yaml-syntax'],
  ])('refuses %s', (_name, text, rule) => {
    expect(ruleOf(text)).toBe(rule);
  });

  // Each of these ended the process, or took seconds, in the parser itself.
  test.each([
    ['open lists', '['.repeat(1_000_000)],
    ['nested lists', `a: ${'['.repeat(5_000)}${']'.repeat(5_000)}`],
    ['nested dashes', `${'- '.repeat(500_000)}a`],
    ['open maps', '{a: '.repeat(200_000)],
    ['nested keys', Array.from({ length: 1_400 }, (_, depth) => `${' '.repeat(depth)}a:`).join('\n')],
    ['wrong escapes', `a: "${'\\x'.repeat(500_000)}"`],
    ['many keys', Array.from({ length: 150_000 }, (_, i) => `k${i}:`).join('\n')],
    ['anchors', '&a '.repeat(300_000)],
  ])('refuses a megabyte of %s within two seconds', (_name, text) => {
    const began = process.cpuUsage().user;

    expect(['yaml-unsafe', 'yaml-syntax']).toContain(ruleOf(text));
    expect(process.cpuUsage().user - began).toBeLessThan(2_000_000);
  });
});
