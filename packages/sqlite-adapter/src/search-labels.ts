import { createHash } from 'node:crypto';

/** FTS5 takes a character of private use for a letter. With a hash behind it, it is no word of a text, nor of a search. */
const MARK = '\u{f8ff}';

/** Characters of the hash: enough that two labels are never the same word. */
const LENGTH = 16;

/**
 * A word for each label of a text with commas, as `sbi.label` is. An item that has a label has the words of it; one that has the words
 * of a text with commas need not have those labels beside one another. It is stored: docs/database.md, "Search".
 */
export function labelWords(label: string): readonly string[] {
  return [...new Set(label.split(','))].map((one) => MARK + hashOf(one).slice(0, LENGTH));
}

/** Hash of everything that {@link labelWords} depend on. */
export function labelBasis(label: string): string {
  return hashOf(label);
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
