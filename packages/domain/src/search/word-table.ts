// Which characters make words, and what becomes of their case and diacritics, is fixed here and not asked of JavaScript: SQLite
// has a table of its own, of an older Unicode, and a tree is to be found alike in files and in a database, by every Node.

import { wordRuns } from './word-runs.js';

/** What a character becomes within a word, as part of its value; 0: nothing. */
export const FOLDED = 0x1fffff;
/** From this value on a character can stand within a word; below, it separates words. */
export const INSIDE = 0x200000;
/** From this value on it can also begin one. */
export const START = 0x400000;

let table: Uint32Array | undefined;

/** The value of each code point. Made at the first call, in a few milliseconds; 4 MiB. */
export function wordTable(): Uint32Array {
  table ??= makeTable();
  return table;
}

function makeTable(): Uint32Array {
  const values = new Uint32Array(0x110000);
  for (const { from, count } of runsOf(wordRuns.words)) {
    for (let code = from; code < from + count; code += 1) values[code] = START | code;
  }
  for (const { from, count, step, to, slope } of runsOf(wordRuns.folded)) {
    for (let i = 0; i < count; i += 1) values[from + i * step] = START | (to + i * slope);
  }
  for (const { from, count } of runsOf(wordRuns.marks)) values.fill(INSIDE, from, from + count);
  return values;
}

/** Characters in a row: every `step`-th; the first becomes `to`, and each next one `slope` more. */
interface Run {
  readonly from: number;
  readonly count: number;
  readonly step: number;
  readonly to: number;
  readonly slope: number;
}

function* runsOf(text: string): Generator<Run> {
  let from = 0;
  for (const run of text.split(' ')) {
    const [gap, count, step, to, slope] = run.split('.').map((digits) => Number.parseInt(digits, 36));
    from += gap!;
    yield { from, count: count!, step: step ?? 1, to: to ?? 0, slope: slope ?? 0 };
  }
}
