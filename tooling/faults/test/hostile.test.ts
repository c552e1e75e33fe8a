import { describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { catalogue } from '../src/hostile/catalogue.js';
import { rawControls } from '../src/hostile/human-output.js';
import { escapeCell, renderPage } from '../src/hostile/render-page.js';

const cases = catalogue.flatMap((section) => section.cases);
const page = readFileSync(fileURLToPath(new URL('../../../docs/hostile-inputs.md', import.meta.url)), 'utf8');

/** Rows of the catalogue: letter and figures of `id`, without the letter of a further case. */
function rowsOf(letter: string): number[] {
  const rows = cases.filter(({ id }) => id.startsWith(letter)).map(({ id }) => Number(id.slice(1, 3)));
  return [...new Set(rows)].toSorted((a, b) => a - b);
}

/** What the page says was seen, by id. */
function seenOn(text: string): ReadonlyMap<string, string> {
  const rows = text.split('\n').map((line) => line.split(/(?<!\\)\|/u).map((cell) => cell.trim()));
  return new Map(rows.flatMap(([, id = '', , , seen = '']) => (/^[A-Z]\d\d/u.test(id) ? [[id, seen]] : [])));
}

describe('The catalogue of hostile inputs', () => {
  test.each([
    ['P', 25],
    ['E', 14],
    ['J', 16],
    ['Y', 8],
    ['N', 6],
    ['T', 5],
    ['D', 14],
    ['C', 5],
  ])('%s has every row from 1 to %i', (letter, last) => {
    expect(rowsOf(letter)).toEqual(Array.from({ length: last }, (_, at) => at + 1));
  });

  test('no id is used twice', () => {
    expect(new Set(cases.map(({ id }) => id)).size).toBe(cases.length);
  });

  test('is what docs/hostile-inputs.md says: ids, inputs, verdicts and notes', () => {
    expect(renderPage(catalogue, seenOn(page))).toBe(page);
  });

  test('every case that can be run was seen to be run', () => {
    const seen = seenOn(page);
    const applicable = cases.filter(({ expect: { verdict } }) => verdict !== 'not applicable');

    expect(applicable.filter(({ id }) => (seen.get(id) ?? '') === '')).toEqual([]);
  });
});

test('a raw control character of a name is found in an output, an escaped one is not', () => {
  expect(rawControls('name \\x1b[31m\n')).toEqual([]);
  expect(rawControls('name \u001b[31m')).toHaveLength(1);
  expect(rawControls('name \u202e')).toHaveLength(1);
});

test('a cell of a table holds any text', () => {
  expect(escapeCell('a|b\\c <id> [0]')).toBe('a\\|b\\\\c \\<id\\> \\[0\\]');
});
