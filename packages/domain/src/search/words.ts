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

/** A word that is looked for, as code points. */
type Wanted = readonly number[];

const NONE: readonly Wanted[] = [];
const OUTSIDE = -1;

/** Looks for words in one text after the other, until each was found in one of them. Holds nothing of the texts. */
export class WordSearch {
  private readonly missing: Map<number, readonly Wanted[]>;

  constructor(words: readonly SearchWord[]) {
    this.missing = byFirst(words);
  }

  /** True when every word was found. */
  get isComplete(): boolean {
    return this.missing.size === 0;
  }

  /** Looks through a text. A word does not go on in the next one. */
  take(text: string): void {
    if (this.isComplete) return;
    findWords(text, this.missing, (found) => {
      const left = this.missing.get(found[0]!)!.filter((word) => word !== found);
      if (left.length === 0) this.missing.delete(found[0]!);
      else this.missing.set(found[0]!, left);
      return this.isComplete;
    });
  }
}

/** Where the first of some words begins in a text, UTF-16 units; `undefined` when none of them stands in it. */
export function firstWordAt(text: string, words: readonly SearchWord[]): number | undefined {
  let first: number | undefined;
  findWords(text, byFirst(words), (_, at) => {
    first = at;
    return true;
  });
  return first;
}

function byFirst(words: readonly SearchWord[]): Map<number, readonly Wanted[]> {
  const all = new Map<number, readonly Wanted[]>();
  for (const { folded } of words) {
    const codes = Array.from(folded, (character) => character.codePointAt(0)!);
    all.set(codes[0]!, [...(all.get(codes[0]!) ?? NONE), codes]);
  }
  return all;
}

/**
 * Tells of each word of a text that is wanted, and where it begins, until `found` says that this is enough. By code and not with
 * `wordsOf`: a tree has hundreds of megabytes of text, and few words of it begin like one that is wanted.
 */
function findWords(
  text: string,
  wanted: ReadonlyMap<number, readonly Wanted[]>,
  found: (word: Wanted, at: number) => boolean,
): void {
  const table = wordTable();
  let candidates = NONE;
  let length = OUTSIDE;
  let start = 0;
  const ends = (): boolean => candidates.some((word) => word.length === length && found(word, start));
  let next: number;
  for (let at = 0; at < text.length; at = next) {
    const code = text.codePointAt(at)!;
    next = code > 0xffff ? at + 2 : at + 1;
    const value = table[code]!;
    if (length === OUTSIDE ? value < START : value < INSIDE) {
      if (candidates.length > 0 && ends()) return;
      candidates = NONE;
      length = OUTSIDE;
      continue;
    }
    if (length === OUTSIDE) {
      start = at;
      length = 0;
    }
    const folded = value & FOLDED;
    if (folded === 0) continue;
    if (length === 0) candidates = wanted.get(folded) ?? NONE;
    else if (candidates.length > 0) candidates = goingOn(candidates, length, folded);
    length += 1;
  }
  ends();
}

function goingOn(candidates: readonly Wanted[], length: number, folded: number): readonly Wanted[] {
  return candidates.filter((word) => word[length] === folded);
}
