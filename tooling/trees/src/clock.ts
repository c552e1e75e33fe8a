import type { Random } from './random.js';

/** First moment of every generated tree: 2024-01-01T00:00:00Z, in microseconds. In the past, so no lease is live. */
const START_US = 1_704_067_200_000_000;

/** The tree's own time. It moves only when told to, so that the same seed gives the same times. */
export class Clock {
  readonly #random: Random;
  #nowUs = START_US;

  constructor(random: Random) {
    this.#random = random;
  }

  /** Microseconds since 1970 UTC. */
  get nowUs(): number {
    return this.#nowUs;
  }

  /** Milliseconds since 1970 UTC. */
  get nowMs(): number {
    return Math.floor(this.#nowUs / 1000);
  }

  /** Moves on by a random time of up to `limitMs` milliseconds, at least one microsecond. */
  advance(limitMs: number): void {
    this.#nowUs += this.#random.int(1, limitMs * 1000);
  }

  /** Now as Go writes it: RFC 3339 in UTC with nanoseconds, trailing zeros cut. */
  text(): string {
    return this.textAfter(0);
  }

  /** The time `laterMs` milliseconds from now, as {@link text}. */
  textAfter(laterMs: number): string {
    const us = this.#nowUs + laterMs * 1000;
    const fraction = `${String(us % 1_000_000).padStart(6, '0')}${String(us % 997).padStart(3, '0')}`;
    return `${this.seconds(us)}.${fraction}`.replace(/\.?0+$/u, '') + 'Z';
  }

  /** The day of now: `YYYY-MM-DD`. */
  day(): string {
    return this.seconds(this.#nowUs).slice(0, 10);
  }

  private seconds(us: number): string {
    return new Date(Math.floor(us / 1000)).toISOString().slice(0, 19);
  }
}
