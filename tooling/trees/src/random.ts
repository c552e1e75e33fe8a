import { ulid } from 'ulid';

/** Seeded source of everything that varies in a generated tree: the same seed gives the same values on every machine. */
export class Random {
  #state: number;

  /** @param seed - any integer */
  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** A number in [0, 1). Algorithm: mulberry32 (public domain), one 32-bit word of state. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let word = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    word ^= word + Math.imul(word ^ (word >>> 7), word | 61);
    return ((word ^ (word >>> 14)) >>> 0) / 4_294_967_296;
  }

  /** An integer from `low` to `high`, both included. */
  int(low: number, high: number): number {
    return low + Math.floor(this.next() * (high - low + 1));
  }

  /** True with the given probability, 0 to 1. */
  chance(probability: number): boolean {
    return this.next() < probability;
  }

  /** One of `choices`, each equally likely. */
  pick<T>(choices: readonly T[]): T {
    const choice = choices[this.int(0, choices.length - 1)];
    if (choice === undefined) throw new Error('cannot pick from an empty list');
    return choice;
  }

  /** `length` bytes of noise. */
  bytes(length: number): Buffer {
    const noise = Buffer.allocUnsafe(length);
    for (let at = 0; at < length; at += 1) noise[at] = this.int(0, 255);
    return noise;
  }

  /** A valid ULID of the given time (milliseconds since 1970 UTC). */
  ulid(timeMs: number): string {
    return ulid(timeMs, () => this.next());
  }
}
