import { isStorageError, StorageError, type TreeLoader } from '@deespec/domain';
import { setImmediate as nextTurn } from 'node:timers/promises';

import { UnitContents, type ContentHasher, type SourceStat, type TreeSource } from './source.js';

/** Entries of any kind, and the bytes of their contents. */
export interface Tally {
  readonly entries: number;
  readonly bytes: number;
}

/** How a live tree is compared with a stored one. */
export interface MatchOptions {
  readonly source: TreeSource;
  readonly target: Pick<TreeLoader, 'lookup' | 'count'>;
  /**
   * Entries whose recorded kind, mode, size and time still hold, and which were not touched since this time (nanoseconds
   * since 1970 UTC), are taken as unchanged without reading them. Absent: every content is read and hashed.
   */
  readonly trustBeforeNs?: bigint;
  /** Reads a part of the contents; absent: all are read here. */
  readonly hasher?: ContentHasher;
  readonly onProgress?: (done: Tally) => void;
  readonly signal?: AbortSignal;
}

/** Milliseconds of work between two reports of progress. */
const SLICE_MS = 50;

/** Contents that are compared at a time, and their bytes. */
const BATCH = 64;
const BATCH_BYTES = 8_388_608;

/**
 * Compares every entry, up to the first difference. Never writes.
 *
 * @returns whether both sides hold the same entries, and what was compared until then
 * @throws StorageError those of reading the source; `INTERRUPTED`
 */
export async function matchTree(
  options: MatchOptions,
): Promise<{ readonly same: boolean; readonly scanned: Tally }> {
  const scanned = { entries: 0, bytes: 0 };
  const contents = new MatchedContents(options);
  let sliceEnd = Date.now() + SLICE_MS;
  for (const stat of options.source.scan()) {
    const stored = matchRow(stat, options);
    if (stored === 'different') return { same: false, scanned };
    if (stored !== 'same') contents.add(stat, stored.sha256);
    scanned.entries += 1;
    scanned.bytes += stat.size;
    if (contents.isFull) {
      if (!contents.compare()) return { same: false, scanned };
      await nextTurn();
      if (options.signal?.aborted === true) throw interrupted();
    }
    if (Date.now() < sliceEnd) continue;
    options.onProgress?.({ ...scanned });
    await nextTurn();
    if (options.signal?.aborted === true) throw interrupted();
    sliceEnd = Date.now() + SLICE_MS;
  }
  const same = (await contents.finish()) && options.target.count() === scanned.entries;
  return { same, scanned };
}

/** What a row says of an entry; where the content is to be read, the hash that it has to have. */
function matchRow(
  stat: SourceStat,
  { target, trustBeforeNs }: MatchOptions,
): 'same' | 'different' | { readonly sha256: string } {
  const row = target.lookup(stat.path);
  if (row === undefined || row.kind !== stat.kind || row.mode !== stat.mode) return 'different';
  if (row.mtimeNs !== stat.mtimeNs || row.size !== stat.size) return 'different';
  if (stat.kind === 'directory') return 'same';
  if (trustBeforeNs !== undefined && stat.ctimeNs < trustBeforeNs) return 'same';
  return { sha256: row.sha256 };
}

/** True when the stored entry still is what stands in the source. */
export function isStored(stat: SourceStat, contents: UnitContents, options: MatchOptions): boolean {
  const stored = matchRow(stat, options);
  return typeof stored === 'string' ? stored === 'same' : contents.hash(stat) === stored.sha256;
}

interface Wanted {
  readonly stat: SourceStat;
  readonly sha256: string;
}

/** What the hasher has in hand. */
interface Asked {
  readonly wanted: readonly Wanted[];
  /** Ends when the hashes are there. */
  readonly answer: Promise<void>;
  hashes?: readonly (string | undefined)[];
}

/** Compares contents a batch at a time: the hasher's share when it has read them, the rest at once. */
class MatchedContents {
  #batch: Wanted[] = [];
  #bytes = 0;
  readonly #asked: Asked[] = [];

  constructor(private readonly options: MatchOptions) {}

  add(stat: SourceStat, sha256: string): void {
    this.#batch.push({ stat, sha256 });
    this.#bytes += stat.size;
  }

  get isFull(): boolean {
    return this.#batch.length >= BATCH || this.#bytes >= BATCH_BYTES;
  }

  /** Hands the batch to the hasher, or compares it; false as soon as a content is known to differ. */
  compare(): boolean {
    const wanted = this.#batch;
    this.#batch = [];
    this.#bytes = 0;
    const read = this.options.hasher?.hash(wanted.map(({ stat }) => stat.path));
    if (read === undefined) return this.#isSame(wanted, []) && this.#compareAnswered();
    const answer = read.then((hashes) => void (asked.hashes = hashes));
    const asked: Asked = { wanted, answer };
    this.#asked.push(asked);
    return this.#compareAnswered();
  }

  async finish(): Promise<boolean> {
    if (!this.compare()) return false;
    for (const { answer } of this.#asked) await answer;
    return this.#compareAnswered();
  }

  #compareAnswered(): boolean {
    for (let next = this.#asked[0]; next?.hashes !== undefined; next = this.#asked[0]) {
      this.#asked.shift();
      if (!this.#isSame(next.wanted, next.hashes)) return false;
    }
    return true;
  }

  /** A file that is gone when it is read is a difference like any other. */
  #isSame(wanted: readonly Wanted[], hashes: readonly (string | undefined)[]): boolean {
    const { source } = this.options;
    try {
      return wanted.every(
        ({ stat, sha256 }, at) => (hashes[at] ?? new UnitContents(source).hash(stat)) === sha256,
      );
    } catch (error) {
      if (isStorageError(error, 'FILE.NOT_FOUND')) return false;
      throw error;
    }
  }
}

/** The error of a run that was asked to stop. */
export function interrupted(): StorageError {
  return new StorageError('INTERRUPTED', 'interrupted; nothing was published', {
    hint: 'run the command again',
  });
}
