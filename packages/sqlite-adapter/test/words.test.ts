import { isStorageError, parseSearch, wordRuns, WordSearch, wordsOf } from '@deespec/domain';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';

import { runsOf, Tokenizer } from './tokenizer.js';

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
  test('are made of the characters that make words for SQLite, every code point', () => {
    expect(wordRuns).toEqual(runsOf(tokenizer));
  }, 60_000);

  test('of any text are those that SQLite finds in it', () => {
    fc.assert(
      fc.property(text, (written) => {
        const own = new Set([...wordsOf(written)].map(({ folded }) => folded));
        expect([...own].sort()).toEqual(tokenizer.words(written).sort());
      }),
      { numRuns: 3_000 },
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
      { numRuns: 3_000 },
    );
    expect(Math.min(found.yes, found.no)).toBeGreaterThan(100);
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
