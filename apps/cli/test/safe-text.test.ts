import { displayPath } from '@deespec/domain';
import { describe, expect, test } from '@jest/globals';
import { localTime } from '../src/render.js';
import { renderFindings } from '../src/render-findings.js';
import { jsonBytes, safeContent, safeJson, safeText } from '../src/safe-text.js';
import { dangerous } from './support.js';

const nasty = 'a\x1b[2J\u009b\u202e\u2066\ufeff\u200b\u{e0041}\r\n\ud800 b\\n 日本語 👩';

describe('safeText', () => {
  test('escapes what drives a terminal and leaves the rest', () => {
    expect(safeText(nasty)).toBe(
      'a\\x1b[2J\\x9b\\u{202e}\\u{2066}\\u{feff}\\u{200b}\\u{e0041}\\x0d\\x0a\\u{d800} b\\n 日本語 👩',
    );
  });

  test('leaves text alone that is escaped already', () => {
    const shown = displayPath('spec\x1b\xff\\x');

    expect(safeText(shown)).toBe(shown);
  });
});

describe('safeJson', () => {
  test('is the same document without dangerous characters', () => {
    const json = safeJson(JSON.stringify({ [nasty]: [nasty] }, null, 2));

    expect(JSON.parse(json)).toEqual({ [nasty]: [nasty] });
    expect(json).not.toMatch(dangerous);
  });
});

describe('content', () => {
  test('keeps lines and tabs of UTF-8, a BOM shown', () => {
    expect(safeContent(Buffer.from('\ufeffa\tb\nc\r\n'))).toBe('\\u{feff}a\tb\nc\\x0d\n');
  });

  test('gives its bytes back from JSON', () => {
    const text = Buffer.from('\ufeffa\0b');
    const noText = Buffer.from([0xff, 0xfe]);

    expect(Buffer.from(jsonBytes(text) as string)).toEqual(text);
    expect(jsonBytes(noText)).toEqual({ base64: '//4=' });
  });
});

describe('localTime', () => {
  test('is the zone of this machine', () => {
    const local = localTime('2026-03-04T05:06:07.123456789Z');

    expect(new Date(local.replace(' ', 'T')).toISOString()).toBe('2026-03-04T05:06:07.000Z');
  });
});

describe('findings', () => {
  test('stand in groups, errors first, a shared fix once', () => {
    const finding = { entity: 'e', path: 'p', line: 3, expected: 'x', actual: 'y\x1b', fix: 'mend it' };

    const text = renderFindings([
      { ...finding, rule: 'b-rule', severity: 'warning' },
      { ...finding, rule: 'a-rule', severity: 'error' },
      { ...finding, rule: 'a-rule', severity: 'error', path: 'q' },
    ]);

    expect(text).toBe(
      [
        'error a-rule (2)',
        '  e p:3: expected x, found y\\x1b',
        '  e q:3: expected x, found y\\x1b',
        '  fix: mend it',
        'warning b-rule (1)',
        '  e p:3: expected x, found y\\x1b',
        '  fix: mend it',
      ].join('\n'),
    );
  });
});
