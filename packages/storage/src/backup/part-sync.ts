import { fdatasync } from 'node:fs';

/** How long a thread waits before it looks whether a part is durable by now, milliseconds. */
const NAP_MS = 1;

/** Makes a file durable part by part, beside the one who writes it and does not get ahead by more than a part. */
export class PartSync {
  #running: Promise<void> | undefined;
  #failure: Error | undefined;
  readonly #nap = new Int32Array(new SharedArrayBuffer(4));

  constructor(private readonly descriptor: number) {}

  /**
   * Begins with what is written by now. While the part before is not durable yet, it waits for a moment, blocking its thread, and
   * begins nothing: to be called again in another turn.
   *
   * @returns whether it has begun
   * @throws what the system says of the part before
   */
  begin(): boolean {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#running !== undefined) {
      Atomics.wait(this.#nap, 0, 0, NAP_MS);
      return false;
    }
    this.#running = new Promise((resolve) => {
      fdatasync(this.descriptor, (error) => {
        this.#running = undefined;
        this.#failure ??= error ?? undefined;
        resolve();
      });
    });
    return true;
  }

  /** Waits until nothing is under way: then the file can be closed. @throws what the system says of the last part */
  async end(): Promise<void> {
    await this.#running;
    if (this.#failure !== undefined) throw this.#failure;
  }
}
