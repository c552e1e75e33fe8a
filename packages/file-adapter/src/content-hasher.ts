import type { TreePath } from '@deespec/domain';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';

type Hashes = readonly (string | undefined)[];

/** Requests that the thread has at a time: one that it works on, and the next. */
const MOST_REQUESTS = 2;

/** Memory of young objects in the thread, MiB: all it makes is soon forgotten. */
const YOUNG_MIB = 4;

/** Beside this file, unless this is a source. */
const file = import.meta.url.endsWith('.ts') ? '../dist/hasher-thread.js' : './hasher-thread.js';
const program = fileURLToPath(new URL(file, import.meta.url));

/** Hashes contents of a tree in a thread of its own, read as `FileTreeStore.read` does. Close it. */
export class ContentHasher {
  readonly #worker: Worker;
  /** Who waits, in the order of the requests. */
  #waiting: ((hashes: Hashes | undefined) => void)[] = [];
  #isGone = false;

  /** @param directory - that holds the tree, without symlinks in its path */
  constructor(directory: string) {
    const resourceLimits = { maxYoungGenerationSizeMb: YOUNG_MIB };
    this.#worker = new Worker(program, { workerData: directory, resourceLimits });
    this.#worker.on('message', (hashes: Hashes) => this.#waiting.shift()?.(hashes));
    // A thread that cannot go on makes nothing fail: who asked reads by itself.
    this.#worker.on('error', () => this.#end());
    this.#worker.on('exit', () => this.#end());
  }

  /**
   * Reads and hashes contents of any size.
   *
   * @returns `undefined` when the thread has enough to do; else SHA-256 (hex) in the order of `paths`, `undefined` for what could not be
   *   read: to be read by the caller, who meets the reason. Never rejects
   */
  hash(paths: readonly TreePath[]): Promise<Hashes> | undefined {
    if (this.#isGone || this.#waiting.length >= MOST_REQUESTS) return undefined;
    return new Promise((resolve) => {
      this.#waiting.push((hashes) => resolve(hashes ?? paths.map(() => undefined)));
      this.#worker.postMessage(paths);
    });
  }

  async close(): Promise<void> {
    this.#end();
    await this.#worker.terminate();
  }

  #end(): void {
    this.#isGone = true;
    for (const resolve of this.#waiting) resolve(undefined);
    this.#waiting = [];
  }
}
