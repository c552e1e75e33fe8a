import { firstWordAt, wordsOf, type SearchWord } from './words.js';

/** A piece of a text, and whether it is a word that was searched for. */
export interface SnippetPart {
  readonly text: string;
  readonly isMatch: boolean;
}

/** Characters before the first word that was found, and after it. */
const BEFORE = 60;
const AFTER = 140;

/** So much of a text is looked through for one, UTF-16 units: a snippet is a help, not an answer. */
const MOST_CHARACTERS = 262_144;

/** The place of a text where the first of the words stands, as parts; `undefined` when none of them stands in it. */
export function snippetOf(text: string, words: readonly SearchWord[]): readonly SnippetPart[] | undefined {
  const searched = text.slice(0, MOST_CHARACTERS);
  const first = firstWordAt(searched, words);
  if (first === undefined) return undefined;
  const wanted = new Set(words.map(({ folded }) => folded));
  const from = wholeFrom(searched, Math.max(0, first - BEFORE));
  // Both ends may lie within a character of two units.
  const piece = searched.slice(from, first + AFTER).replace(/\p{Surrogate}/gu, '\ufffd');
  const parts: SnippetPart[] = [];
  let end = 0;
  for (const { at, length } of placesOf(piece, wanted)) {
    if (at > end) parts.push({ text: piece.slice(end, at), isMatch: false });
    parts.push({ text: piece.slice(at, at + length), isMatch: true });
    end = at + length;
  }
  if (end < piece.length) parts.push({ text: piece.slice(end), isMatch: false });
  return parts;
}

/** Where words of the set stand. */
function* placesOf(
  text: string,
  wanted: ReadonlySet<string>,
): Generator<{ readonly at: number; readonly length: number }> {
  let at = 0;
  for (const { written, folded } of wordsOf(text)) {
    at = text.indexOf(written, at);
    if (wanted.has(folded)) yield { at, length: written.length };
    at += written.length;
  }
}

/** The beginning of the word that stands at a place, so that none is cut in two, when it is not far. */
function wholeFrom(text: string, place: number): number {
  const space = text.slice(place, place + BEFORE).search(/\s/u);
  return place === 0 || space < 0 ? place : place + space + 1;
}
