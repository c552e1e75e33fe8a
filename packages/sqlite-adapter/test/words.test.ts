import { isStorageError, parseSearch, snippetOf, WordSearch, wordsOf } from '@deespec/domain';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';

import { Tokenizer } from './tokenizer.js';

/** Code points that are asked for at once. */
const BLOCK = 1024;
/** Every code point below is asked for; above are private ones and few others, which would take ten seconds. */
const IN_USE = 0x30000;

let tokenizer: Tokenizer;
beforeAll(() => void (tokenizer = new Tokenizer()));
afterAll(() => tokenizer.close());

/** Characters where languages, cases and marks meet, among any others. */
const character = fc.oneof(
  fc.constantFrom(
    ...'aAbBzZ09 _-."*\'\n\0',
    ...'éÉßẞİıſKÅΣσςάΆ́̈ʼnǅǆᾳﬁ²½Ⅷ一あハﾊ한ักаЯ🚀𝒳𐐀𐐨\ufeff\u200d\uffff\u{d800}\u{dc00}\u{10ffff}',
  ),
  fc.integer({ min: 0, max: 0x10ffff }).map((code) => String.fromCodePoint(code)),
);
const text = fc.array(character, { maxLength: 60 }).map((characters) => characters.join(''));

describe('Words', () => {
  test('are made of the characters that make words for SQLite', () => {
    for (let first = 0; first <= 0x10ffff; first += first < IN_USE ? BLOCK : 37 * BLOCK) {
      // Alone, and within a word that no other character of the block gives.
      const block = Array.from({ length: BLOCK }, (_, i) => {
        const character = String.fromCodePoint(first + i);
        return `${character} q${character}z${(BLOCK + i).toString(36)}`;
      });
      const own = new Set([...wordsOf(block.join(' '))].map(({ folded }) => folded));
      const missing = tokenizer.words(block.join(' ')).filter((word) => !own.delete(word));
      expect({ first, missing, others: [...own] }).toEqual({ first, missing: [], others: [] });
    }
  }, 60_000);

  test('of any text are those that SQLite finds in it', () => {
    fc.assert(
      fc.property(text, (written) => {
        const own = new Set([...wordsOf(written)].map(({ folded }) => folded));
        expect([...own].sort()).toEqual(tokenizer.words(written).sort());
      }),
      { numRuns: 1_000 },
    );
  });

  test('are found in a text exactly where SQLite finds them', () => {
    const found = { yes: 0, no: 0 };
    fc.assert(
      fc.property(text, text, fc.nat(60), (written, other, cut) => {
        const search = `${other.slice(0, 6)} ${written.slice(cut, cut + 12)}`;
        const words = wordsIn(search);
        tokenizer.words(written);
        const own = new WordSearch(words);
        own.take(written);
        const theirs =
          words.length === 0 ||
          tokenizer.matches(words.map(({ written: word }) => `"${word}"`).join(' AND '));
        expect([search, own.isComplete]).toEqual([search, theirs]);
        found[theirs ? 'yes' : 'no'] += 1;
      }),
      { numRuns: 1_000 },
    );
    expect(Math.min(found.yes, found.no)).toBeGreaterThan(50);
  });

  test('begin a snippet: the first of them that stands in the text', () => {
    const found = { yes: 0, no: 0 };
    fc.assert(
      fc.property(text, text, fc.nat(60), (written, other, cut) => {
        const words = wordsIn(`${other.slice(0, 6)} ${written.slice(cut, cut + 12)}`);
        const wanted = new Set(words.map(({ folded }) => folded));
        const first = [...wordsOf(written)].find(({ folded }) => wanted.has(folded));

        const shown = snippetOf(written, words);

        expect(shown?.find(({ isMatch }) => isMatch)?.text).toBe(first?.written);
        found[first === undefined ? 'no' : 'yes'] += 1;
      }),
      { numRuns: 1_000 },
    );
    expect(Math.min(found.yes, found.no)).toBeGreaterThan(50);
  });

  test('do not go on from one text into the next', () => {
    const search = new WordSearch(parseSearch('he ron heron'));
    search.take('he');
    search.take('ron');
    expect(search.isComplete).toBe(false);

    search.take('HERON');

    expect(search.isComplete).toBe(true);
  });
});

function wordsIn(search: string): ReturnType<typeof parseSearch> {
  try {
    return parseSearch(search);
  } catch (error) {
    if (isStorageError(error, 'USAGE.INVALID')) return [];
    throw error;
  }
}
