import type { Random } from '@deespec/trees';

import { awkwardBytes, awkwardTokens } from './awkward-tokens.js';

/** Changes bytes in one way; what it draws by chance comes from `random` alone. */
type Mutation = (bytes: Buffer, random: Random) => Buffer;

/** Largest content that a mutation makes by repeating. Bytes. */
const MOST_BYTES = 2_500_000;

/** Tokens of JSON and YAML, as latin1 text: quoted texts, words and numbers, single marks. */
const token = /"(?:[^"\\\n]|\\[^\n])*"|'[^'\n]*'|[\w.&+-]+|[^\s\w]/gu;

const mutations = {
  'flip bytes': (bytes, random) => {
    const copy = Buffer.from(bytes);
    for (let left = random.int(1, 4); left > 0 && copy.length > 0; left -= 1) {
      const at = random.int(0, copy.length - 1);
      copy[at] = copy[at]! ^ (1 << random.int(0, 7));
    }
    return copy;
  },
  truncate: (bytes, random) => bytes.subarray(0, random.int(0, bytes.length)),
  'cut the start': (bytes, random) => bytes.subarray(random.int(0, bytes.length)),
  'insert a token': (bytes, random) => insert(bytes, random.pick(awkwardTokens), random),
  'insert bytes': (bytes, random) => insert(bytes, random.pick(awkwardBytes), random),
  'replace a token': (bytes, random) => replaceToken(bytes, random, () => random.pick(awkwardTokens)),
  'replace a token by bytes': (bytes, random) => replaceToken(bytes, random, () => random.pick(awkwardBytes)),
  'double a token': (bytes, random) =>
    replaceToken(bytes, random, (found) => Buffer.concat([found, Buffer.from(','), found])),
  'swap a token with another': (bytes, random) => {
    const all = tokensOf(bytes);
    const by = all.length === 0 ? Buffer.alloc(0) : sliceOf(bytes, random.pick(all));
    return replaceToken(bytes, random, () => by);
  },
  'change the case of a token': (bytes, random) =>
    replaceToken(bytes, random, (found) => swapCase(found.toString('latin1'))),
  'double a line': (bytes, random) => onLines(bytes, random, (lines, at) => lines.splice(at, 0, lines[at]!)),
  'remove a line': (bytes, random) => onLines(bytes, random, (lines, at) => lines.splice(at, 1)),
  'move a line': (bytes, random) =>
    onLines(bytes, random, (lines, at) =>
      lines.splice(random.int(0, lines.length - 1), 0, ...lines.splice(at, 1)),
    ),
  'remove a range': (bytes, random) => {
    const from = random.int(0, bytes.length);
    return Buffer.concat([bytes.subarray(0, from), bytes.subarray(from + random.int(0, 40))]);
  },
  'repeat a range': (bytes, random) => repeat(bytes, random),
  'nest a token': (bytes, random) => nest(bytes, random),
  'lengthen a token': (bytes, random) =>
    replaceToken(bytes, random, (found) => {
      const fill = random.pick(['a', '0', '\\u0061', '\\\\', ' ', 'é', '9']);
      const by = Buffer.from(fill.repeat(random.pick([10, 300, 5_000, 270_000])));
      return Buffer.concat([found.subarray(0, -1), by, found.subarray(-1)]);
    }),
  'add a byte order mark': (bytes) => Buffer.concat([Buffer.from('\ufeff'), bytes]),
  'encode in UTF-16': (bytes) => Buffer.from(`\ufeff${bytes.toString('utf8')}`, 'utf16le'),
  'fill with zero bytes': (bytes) => Buffer.alloc(bytes.length),
  'end lines with CR LF': (bytes) => Buffer.from(bytes.toString('latin1').replaceAll('\n', '\r\n'), 'latin1'),
  'join all lines': (bytes) => Buffer.from(bytes.toString('latin1').replaceAll('\n', ' '), 'latin1'),
  'alias bomb': (bytes, random) => insertLines(bytes, aliasBomb(random.int(2, 40)), random),
} as const satisfies Record<string, Mutation>;

const names = Object.keys(mutations) as (keyof typeof mutations)[];

/** `bytes` after one to three mutations, and their names. */
export function mutateBytes(bytes: Buffer, random: Random): { bytes: Buffer; how: string } {
  const how: string[] = [];
  let changed = bytes;
  for (let left = random.pick([1, 1, 1, 2, 2, 3]); left > 0; left -= 1) {
    const name = random.pick(names);
    changed = mutations[name](changed, random).subarray(0, MOST_BYTES);
    how.push(name);
  }
  return { bytes: Buffer.from(changed), how: how.join(', ') };
}

function insert(bytes: Buffer, piece: Buffer, random: Random): Buffer {
  const at = random.chance(0.7) ? random.pick(boundaries(bytes)) : random.int(0, bytes.length);
  return Buffer.concat([bytes.subarray(0, at), piece, bytes.subarray(at)]);
}

function insertLines(bytes: Buffer, lines: Buffer, random: Random): Buffer {
  const at = random.pick(lineStarts(bytes));
  return Buffer.concat([bytes.subarray(0, at), lines, bytes.subarray(at)]);
}

/** Where tokens begin and end: what is put there has the best chance to be parsed. */
function boundaries(bytes: Buffer): readonly number[] {
  return [0, ...tokensOf(bytes).flatMap(([from, to]) => [from, to])];
}

function lineStarts(bytes: Buffer): readonly number[] {
  const starts = [0];
  for (let at = bytes.indexOf(10); at >= 0; at = bytes.indexOf(10, at + 1)) starts.push(at + 1);
  return starts;
}

type Range = readonly [from: number, to: number];

/** Bytes at the start of a content in which tokens are looked for. */
const LOOKED_AT = 20_000;

function tokensOf(bytes: Buffer): readonly Range[] {
  const text = bytes.toString('latin1', 0, LOOKED_AT);
  return Array.from(text.matchAll(token), ({ 0: found, index }) => [index, index + found.length] as const);
}

function sliceOf(bytes: Buffer, [from, to]: Range): Buffer {
  return bytes.subarray(from, to);
}

function replaceToken(bytes: Buffer, random: Random, by: (found: Buffer) => Buffer): Buffer {
  const all = tokensOf(bytes);
  if (all.length === 0) return bytes;
  const range = random.pick(all);
  const parts = [bytes.subarray(0, range[0]), by(sliceOf(bytes, range)), bytes.subarray(range[1])];
  return Buffer.concat(parts);
}

function onLines(bytes: Buffer, random: Random, change: (lines: string[], at: number) => unknown): Buffer {
  const lines = bytes.toString('latin1').split('\n');
  change(lines, random.int(0, lines.length - 1));
  return Buffer.from(lines.join('\n'), 'latin1');
}

function swapCase(text: string): Buffer {
  const swapped = text.replace(/[a-z]/giu, (c) =>
    c === c.toLowerCase() ? c.toUpperCase() : c.toLowerCase(),
  );
  return Buffer.from(swapped, 'latin1');
}

function repeat(bytes: Buffer, random: Random): Buffer {
  const from = random.int(0, bytes.length);
  const piece = bytes.subarray(from, from + random.int(1, 200));
  const times = Math.min(
    random.pick([2, 20, 500, 20_000]),
    Math.floor(MOST_BYTES / Math.max(1, piece.length)),
  );
  return Buffer.concat([
    bytes.subarray(0, from),
    ...Array.from({ length: times }, () => piece),
    bytes.subarray(from),
  ]);
}

/** Ways to open and close one level of nesting. */
const levels = [
  ['[', ']'],
  ['{"a":', '}'],
  ['{a: ', '}'],
  ['- ', ''],
  ['? ', ''],
  ['[[', ']'],
] as const;

function nest(bytes: Buffer, random: Random): Buffer {
  const depth = random.pick([2, 60, 64, 65, 1_000, 100_000]);
  const [open, close] = random.pick(levels);
  return replaceToken(bytes, random, (found) =>
    Buffer.concat([Buffer.from(open.repeat(depth)), found, Buffer.from(close.repeat(depth))]),
  );
}

function aliasBomb(depth: number): Buffer {
  const lines = Array.from({ length: depth }, (_, i) =>
    i === 0 ? 'l0: &l0 [x, x]\n' : `l${i}: &l${i} [*l${i - 1}, *l${i - 1}]\n`,
  );
  return Buffer.from(lines.join(''));
}
