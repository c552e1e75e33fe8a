import type { wordRuns } from '@deespec/domain';
import BetterSqlite3, { type Database } from 'better-sqlite3';

/** What SQLite's tokenizer makes of a text: its words, each once, in byte order. Asks the index that the schema makes. */
export class Tokenizer {
  private readonly handle: Database;

  constructor() {
    this.handle = new BetterSqlite3(':memory:');
    this.handle.exec(`
      CREATE VIRTUAL TABLE t USING fts5 (text, content = '', contentless_delete = 1, detail = none,
        tokenize = 'unicode61 remove_diacritics 2');
      CREATE VIRTUAL TABLE words USING fts5vocab (t, 'row');
      CREATE VIRTUAL TABLE instances USING fts5vocab (t, 'instance');
    `);
  }

  words(text: string): string[] {
    this.keep(new Map([[1, text]]));
    return this.handle.prepare('SELECT term FROM words').pluck().all() as string[];
  }

  /** True when the kept text matches an FTS5 expression. */
  matches(expression: string): boolean {
    return this.handle.prepare('SELECT 1 FROM t WHERE t MATCH ?').get(expression) !== undefined;
  }

  /** Words of many texts, with the number of each. */
  *wordsOf(texts: ReadonlyMap<number, string>): Generator<{ number: number; word: string }> {
    this.keep(texts);
    const rows = this.handle.prepare('SELECT doc AS number, term AS word FROM instances');
    yield* rows.iterate() as IterableIterator<{ number: number; word: string }>;
  }

  close(): void {
    this.handle.close();
  }

  private keep(texts: ReadonlyMap<number, string>): void {
    this.handle.transaction(() => {
      this.handle.exec('DELETE FROM t');
      const insert = this.handle.prepare('INSERT INTO t (rowid, text) VALUES (?, CAST(? AS TEXT))');
      for (const [number, text] of texts) insert.run(number, Buffer.from(text));
    })();
  }
}

/** What a character is to the tokenizer: 0 and absent: it separates words. */
interface Character {
  readonly code: number;
  /** What it becomes within a word; nothing: it is left out. */
  readonly folded: number | undefined;
  readonly canStart: boolean;
}

/** Code points that may belong to words; that none of the others does is asked of all of them at once. */
const ranges = [
  [1, 0xd7ff],
  [0xe000, 0x2ffff],
  [0xe0000, 0x10ffff],
] as const;

/** The data of `@deespec/domain`, as this SQLite's tokenizer has it: to be put in its place when that has changed. */
export function runsOf(tokenizer: Tokenizer): typeof wordRuns {
  const others = Array.from({ length: 0xb0000 }, (_, i) => String.fromCodePoint(0x30000 + i));
  if (tokenizer.words(others.join('')).length > 0) throw new Error('there are words of further characters');
  const characters = ranges.flatMap(([first, last]) => charactersOf(tokenizer, first, last));
  const starting = characters.filter(({ canStart }) => canStart);
  const marks = characters.filter(({ canStart }) => !canStart);
  if (marks.some(({ folded }) => folded !== undefined)) throw new Error('a mark is kept');
  return {
    words: rangesOf(starting.map(({ code }) => code)),
    folded: foldedRuns(new Map(starting.map(({ code, folded }) => [code, folded!]))),
    marks: rangesOf(marks.map(({ code }) => code)),
  };
}

function charactersOf(tokenizer: Tokenizer, first: number, last: number): Character[] {
  const texts = new Map<number, string>();
  for (let code = first; code <= last; code += 1) {
    const character = String.fromCodePoint(code);
    texts.set(code, `${character} a${character}b`);
  }
  const alone = new Map<number, string>();
  const within = new Map<number, string>();
  for (const { number, word } of tokenizer.wordsOf(texts)) {
    if ([...word].length > 1) within.set(number, word.slice(1, -1));
    else alone.set(number, word);
  }
  return [...within]
    .map(([code, folded]) => ({
      code,
      folded: folded.codePointAt(0),
      canStart: alone.get(code) === folded && folded !== '',
    }))
    .sort((a, b) => a.code - b.code);
}

function rangesOf(codes: readonly number[]): string {
  const runs: { from: number; count: number }[] = [];
  for (const code of codes) {
    const last = runs.at(-1);
    if (last !== undefined && last.from + last.count === code) last.count += 1;
    else runs.push({ from: code, count: 1 });
  }
  return written(runs.map(({ from, count }) => [from, count]));
}

const shapes = [
  [1, 1],
  [1, 0],
  [2, 2],
  [2, 0],
] as const;

/** Characters that become others, in as few runs as it takes to begin each with the first that is left. */
function foldedRuns(folded: ReadonlyMap<number, number>): string {
  const left = new Map([...folded].filter(([code, to]) => code !== to));
  const runs: (readonly number[])[] = [];
  for (const [from, to] of left) {
    const lengths = shapes.map(([step, slope]) => {
      let count = 1;
      while (left.get(from + count * step) === to + count * slope) count += 1;
      return { step, slope, count };
    });
    const best = lengths.reduce((a, b) => (b.count > a.count ? b : a));
    for (let i = 0; i < best.count; i += 1) left.delete(from + i * best.step);
    runs.push([from, best.count, best.step, to, best.slope]);
  }
  return written(runs);
}

/** Numbers of base 36, each run from the beginning of the one before it. */
function written(runs: readonly (readonly number[])[]): string {
  let before = 0;
  return runs
    .map(([from = 0, ...rest]) => {
      const gap = from - before;
      before = from;
      return [gap, ...rest].map((number) => number.toString(36)).join('.');
    })
    .join(' ');
}
