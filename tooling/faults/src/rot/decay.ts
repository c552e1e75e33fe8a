/** What happened to a database file: the bytes that were changed. */
export interface Decay {
  /** Which fault and where, for people. */
  readonly name: string;
  /** Changes a copy of the file's bytes. */
  apply(bytes: Buffer): void;
}

/** Bytes of a page of every database of ours. */
const PAGE = 4096;

/** Numbers from 0 (included) to 1, the same for the same seed. Source: mulberry32, public domain (T. Ettinger). */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Single bits anywhere in a file of `size` bytes. */
export function bitFlips(size: number, count: number, random: () => number): Decay[] {
  return Array.from({ length: count }, () => {
    const at = Math.floor(random() * size);
    const bit = Math.floor(random() * 8);
    return {
      name: `bit ${bit} of byte ${at} (page ${Math.floor(at / PAGE) + 1})`,
      apply: (bytes) => void (bytes[at]! ^= 1 << bit),
    };
  });
}

/** Whole pages that are lost or in the wrong place, the four kinds in turn. */
export function pageFaults(size: number, count: number, random: () => number): Decay[] {
  const pages = Math.floor(size / PAGE);
  const anyPage = (): number => Math.floor(random() * pages);
  return Array.from({ length: count }, (_, i) => {
    const [one, other] = [anyPage(), anyPage()];
    const kept = 1 + Math.floor(random() * (PAGE - 1));
    return kinds[i % kinds.length]!({ one, other, kept });
  });
}

interface Pages {
  /** Counted from 0. */
  readonly one: number;
  readonly other: number;
  /** Bytes of a page that are left. */
  readonly kept: number;
}

const kinds: readonly ((pages: Pages) => Decay)[] = [
  ({ one }) => ({ name: `page ${one + 1} zeroed`, apply: (bytes) => void pageOf(bytes, one).fill(0) }),
  ({ one, other }) => ({
    name: `page ${one + 1} replaced by page ${other + 1}`,
    apply: (bytes) => void pageOf(bytes, other).copy(pageOf(bytes, one)),
  }),
  ({ one, other }) => ({
    name: `pages ${one + 1} and ${other + 1} swapped`,
    apply: (bytes) => {
      const kept = Buffer.from(pageOf(bytes, one));
      pageOf(bytes, other).copy(pageOf(bytes, one));
      kept.copy(pageOf(bytes, other));
    },
  }),
  ({ one, kept }) => ({
    name: `page ${one + 1} cut after ${kept} bytes`,
    apply: (bytes) => void pageOf(bytes, one).fill(0, kept),
  }),
];

function pageOf(bytes: Buffer, page: number): Buffer {
  return bytes.subarray(page * PAGE, (page + 1) * PAGE);
}
