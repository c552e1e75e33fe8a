import { realpathSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { displayPath, StorageError } from '@deespec/domain';
import { DiskReader, type DiskEntry } from './disk-entry.js';
import { fileError, systemCode } from './file-error.js';
import type { Pace } from './pace.js';
import { Counter, type Tally } from './tally.js';
import { foundAt, walk } from './walk.js';

/** Litter of another program that is not part of the tree. */
export interface IgnoredEntry {
  /** For display. */
  readonly path: string;
  /** Length of a file or of a symlink's target, 0 for anything else. */
  readonly bytes: number;
}

/** What a pass met. */
export interface ScanCount {
  /** Everything, ignored or not; what this product keeps beside the tree is not looked at. */
  readonly scanned: Tally;
  /** Litter of other programs. */
  readonly ignored: Tally;
}

/** How many ignored paths are kept by name; all are counted. A bound, so that memory stays flat. */
const keptIgnored = 1000;

/** One pass over a tree on disk. */
export class TreeScan {
  readonly #root: Buffer;
  readonly #reader: DiskReader;
  readonly ignored: IgnoredEntry[] = [];
  readonly #ignored = new Counter();
  readonly #scanned = new Counter();

  /** @throws StorageError `TREE.NOT_FOUND` when `directory`, a symlink in it resolved once, is no directory */
  constructor(
    directory: string,
    private readonly pace: Pace,
  ) {
    this.#root = resolveRoot(directory);
    this.#reader = new DiskReader(pace);
  }

  /**
   * Hands every entry of the tree to `onEntry`, paths in byte order, and awaits the promise that it may return.
   *
   * @throws StorageError as {@link DiskReader.read}, and `INTERRUPTED`
   */
  async run(depth: 'stat' | 'content', onEntry: (entry: DiskEntry) => unknown): Promise<ScanCount> {
    await this.pace.turn();
    for (const found of walk(this.#root)) {
      if (this.pace.due) await this.pace.turn();
      if (found.ignored && found.kind === 'special') {
        this.#ignore({ path: displayPath(found.path), bytes: 0 });
        continue;
      }
      const reading = this.#reader.read(found, found.ignored ? 'stat' : depth);
      const entry = reading instanceof Promise ? await reading : reading;
      if (entry === undefined) continue;
      if (found.ignored) {
        this.#ignore({ path: displayPath(found.path), bytes: entry.size });
        continue;
      }
      this.#scanned.add(entry.size);
      this.pace.addEntry();
      const work = onEntry(entry);
      if (work instanceof Promise) await work;
    }
    return { scanned: this.#scanned.tally, ignored: this.#ignored.tally };
  }

  /** The file at `path` with the hash of its content; `undefined` when it is gone. */
  async reread(path: string): Promise<DiskEntry | undefined> {
    return this.#reader.read(foundAt(this.#root, { path, kind: 'file', ignored: false }), 'content');
  }

  #ignore(entry: IgnoredEntry): void {
    this.#scanned.add(entry.bytes);
    this.#ignored.add(entry.bytes);
    if (this.ignored.length < keptIgnored) this.ignored.push(entry);
  }
}

function resolveRoot(directory: string): Buffer {
  const cause = notDirectory(directory);
  if (cause === undefined) return realpathSync(directory, { encoding: 'buffer' });
  const path = resolve(directory);
  throw new StorageError('TREE.NOT_FOUND', `no directory at "${path}"`, {
    hint: 'name a .deespec directory',
    details: { path },
    cause,
  });
}

/** Why `directory` cannot be a tree, or `undefined` when it is a directory. */
function notDirectory(directory: string): Error | undefined {
  try {
    return statSync(directory).isDirectory() ? undefined : new Error('not a directory');
  } catch (error) {
    const code = systemCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return error as Error;
    throw fileError(error, Buffer.from(directory).toString('latin1'));
  }
}
