import { StorageError } from '../errors.js';

import { FOLDED, INSIDE, START, wordTable } from './word-table.js';

/** A word of a search text. */
export interface SearchWord {
  /** As it stands in the text. */
  readonly written: string;
  /** Its characters without case and diacritics. */
  readonly folded: string;
}

/** Longest search text, UTF-16 units. */
const MOST_CHARACTERS = 1_000;

/**
 * The words of a search text, each once. Nothing in it is an operator: what is no letter or digit separates words.
 *
 * @throws StorageError `USAGE.INVALID` for a text without a word, or of more than 1,000 characters
 */
export function parseSearch(text: string): readonly SearchWord[] {
  if (text.length > MOST_CHARACTERS) {
    throw new StorageError('USAGE.INVALID', `the text to search for has ${text.length} characters`, {
      hint: `give at most ${MOST_CHARACTERS}`,
      details: { characters: text.length },
    });
  }
  const words = new Map([...wordsOf(text)].map((word) => [word.folded, word]));
  if (words.size > 0) return [...words.values()];
  throw new StorageError('USAGE.INVALID', 'the text to search for has no word', {
    hint: 'give at least one word of letters or digits',
  });
}

/** Splits a text into words exactly as SQLite's tokenizer `unicode61 remove_diacritics 2` does. */
export function* wordsOf(text: string): Generator<SearchWord> {
  const table = wordTable();
  let written = '';
  let folded = '';
  for (const character of text) {
    const value = table[character.codePointAt(0)!]!;
    if (written === '' ? value >= START : value >= INSIDE) {
      written += character;
      if ((value & FOLDED) > 0) folded += String.fromCodePoint(value & FOLDED);
    } else if (written !== '') {
      yield { written, folded };
      written = folded = '';
    }
  }
  if (written !== '') yield { written, folded };
}

/** A word that was not found yet, as code points. */
type Missing = readonly number[];

const NONE: readonly Missing[] = [];
const OUTSIDE = -1;

/** Looks for words in one text after the other, until each was found in one of them. Holds nothing of the texts. */
export class WordSearch {
  /** By the first character. */
  private readonly missing = new Map<number, readonly Missing[]>();

  constructor(words: readonly SearchWord[]) {
    for (const { folded } of words) {
      const codes = Array.from(folded, (character) => character.codePointAt(0)!);
      this.missing.set(codes[0]!, [...(this.missing.get(codes[0]!) ?? NONE), codes]);
    }
  }

  /** True when every word was found. */
  get isComplete(): boolean {
    return this.missing.size === 0;
  }

  /** Looks through a text. A word does not go on in the next one. */
  take(text: string): void {
    // By code and not with `wordsOf`: a tree has hundreds of megabytes of text, and few words of it begin like one that is missing.
    const table = wordTable();
    let candidates = NONE;
    let length = OUTSIDE;
    for (let at = 0; at < text.length && !this.isComplete; at += 1) {
      const code = text.codePointAt(at)!;
      if (code > 0xffff) at += 1;
      const value = table[code]!;
      if (length === OUTSIDE ? value < START : value < INSIDE) {
        this.strike(candidates, length);
        candidates = NONE;
        length = OUTSIDE;
        continue;
      }
      if (length === OUTSIDE) length = 0;
      const folded = value & FOLDED;
      if (folded === 0) continue;
      if (length === 0) candidates = this.missing.get(folded) ?? NONE;
      else if (candidates.length > 0) candidates = goingOn(candidates, length, folded);
      length += 1;
    }
    this.strike(candidates, length);
  }

  /** Takes the word that ended off the missing ones. */
  private strike(candidates: readonly Missing[], length: number): void {
    for (const found of candidates) {
      if (found.length !== length) continue;
      const left = this.missing.get(found[0]!)!.filter((word) => word !== found);
      if (left.length === 0) this.missing.delete(found[0]!);
      else this.missing.set(found[0]!, left);
    }
  }
}

function goingOn(candidates: readonly Missing[], length: number, folded: number): readonly Missing[] {
  return candidates.filter((word) => word[length] === folded);
}
