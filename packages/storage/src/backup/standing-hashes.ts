import { isStorageError, type DiskStat, type TreePath } from '@deespec/domain';
import type { FileTreeStore } from '@deespec/file-adapter';
import { createHash } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';

/** Files of fewer bytes take as long to open as to hash. */
const LARGE = 1_048_576;

/** Files that are remembered: a bound for memory. */
const MOST = 10_000;

/**
 * How long a file must not have been changed, nanoseconds: a change within one tick of the system's clock leaves the times as they are.
 *
 * Source: https://git-scm.com/docs/racy-git.
 */
const QUIET_NS = 2_000_000_000n;

/** Milliseconds of work between two turns of the event loop. */
const SLICE_MS = 50;

/**
 * Hashes of the large files of a tree, taken while it is open to others, so that it is closed for less time. One counts only where
 * neither size nor a time nor the inode is another since. Whoever relies on them reads every byte again at the end.
 */
export class StandingHashes {
  readonly #taken = new Map<TreePath, { readonly stat: DiskStat; readonly sha256: string }>();
  #turnAtMs = 0;

  constructor(private readonly files: FileTreeStore) {}

  /** Goes on until all are taken, or the signal. What cannot be read is left to whoever needs its hash, and meets the reason. */
  async take(signal: AbortSignal): Promise<void> {
    try {
      for (const stat of this.files.scan()) {
        const sha256 = isLarge(stat) ? await this.#hash(stat.path, signal) : undefined;
        if (sha256 !== undefined) this.#taken.set(stat.path, { stat, sha256 });
        if (this.#isDue()) await this.#turn();
        if (signal.aborted || this.#taken.size >= MOST) return;
      }
    } catch (error) {
      if (!isStorageError(error)) throw error;
    }
  }

  /** The hash of a file that is still what it was; `undefined` when that is not known. */
  find(stat: DiskStat): string | undefined {
    const taken = this.#taken.get(stat.path);
    return taken !== undefined && isSame(taken.stat, stat) ? taken.sha256 : undefined;
  }

  /** `undefined` when the signal came first. */
  async #hash(path: TreePath, signal: AbortSignal): Promise<string | undefined> {
    const sum = createHash('sha256');
    for (const chunk of this.files.read(path)) {
      sum.update(chunk);
      if (this.#isDue()) await this.#turn();
      if (signal.aborted) return undefined;
    }
    return sum.digest('hex');
  }

  #isDue(): boolean {
    return performance.now() > this.#turnAtMs;
  }

  async #turn(): Promise<void> {
    await nextTurn();
    this.#turnAtMs = performance.now() + SLICE_MS;
  }
}

function isLarge({ kind, size, mtimeNs, ctimeNs }: DiskStat): boolean {
  const quietSinceNs = BigInt(Date.now()) * 1_000_000n - QUIET_NS;
  return kind === 'file' && size >= LARGE && mtimeNs < quietSinceNs && ctimeNs < quietSinceNs;
}

function isSame(one: DiskStat, other: DiskStat): boolean {
  return (
    one.size === other.size &&
    one.mtimeNs === other.mtimeNs &&
    one.ctimeNs === other.ctimeNs &&
    one.ino === other.ino
  );
}
