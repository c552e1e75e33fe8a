/** A number of entries (files, directories and symlinks) and the bytes of their contents. */
export interface Tally {
  readonly entries: number;
  /** Bytes of files' contents and of symlinks' targets. */
  readonly bytes: number;
}

/** A tally that grows. */
export class Counter {
  #entries = 0;
  #bytes = 0;

  add(bytes: number): void {
    this.#entries += 1;
    this.#bytes += bytes;
  }

  get tally(): Tally {
    return { entries: this.#entries, bytes: this.#bytes };
  }
}
