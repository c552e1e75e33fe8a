import { setImmediate } from 'node:timers/promises';
import { StorageError } from '@deespec/domain';

/** What a run has done so far. */
export interface WorkDone {
  /** Bytes read from files and from the database. */
  readonly doneBytes: number;
  /** Entries read from the tree and from the database. */
  readonly doneEntries: number;
}

/** What every run of this package takes. */
export interface RunControl {
  /** Called about every 50 ms and once at the end. */
  readonly onProgress?: ((done: WorkDone) => void) | undefined;
  /** Ends the run with `INTERRUPTED` within about 50 ms. */
  readonly signal?: AbortSignal | undefined;
}

/** Longest the event loop is kept waiting, in milliseconds: an interrupt and a progress line still feel immediate. */
const sliceMs = 50;

/** Counts the work of one run and hands the event loop its turn. */
export class Pace {
  #bytes = 0;
  #entries = 0;
  #turnAt = performance.now();

  constructor(private readonly control: RunControl) {}

  /** Ends the run, see {@link turn}. */
  get signal(): AbortSignal | undefined {
    return this.control.signal;
  }

  /** True when {@link turn} is to be awaited before more work is done. */
  get due(): boolean {
    return performance.now() - this.#turnAt >= sliceMs;
  }

  addBytes(bytes: number): void {
    this.#bytes += bytes;
  }

  addEntry(): void {
    this.#entries += 1;
  }

  /**
   * Reports progress and lets timers, signals and other requests run.
   *
   * @throws StorageError `INTERRUPTED` when the signal is aborted
   */
  async turn(): Promise<void> {
    this.control.onProgress?.({ doneBytes: this.#bytes, doneEntries: this.#entries });
    await setImmediate();
    this.#turnAt = performance.now();
    if (this.control.signal?.aborted !== true) return;
    throw new StorageError('INTERRUPTED', 'the check was interrupted; nothing was changed', {
      hint: 'run the command again',
    });
  }
}
