import { setTimeout as sleep } from 'node:timers/promises';

/** After so much waiting, milliseconds, the next try comes in half the time. */
const AGED_MS = 250;

/** For so long after somebody else had the lock, milliseconds, others are taken to want it. */
const WANTED_MS = 1_000;

/** So long one process may have the lock time after time, milliseconds, before it leaves a gap in which others get it. */
const TURN_MS = 100;

/** The shortest and the longest gap, milliseconds: who waited for some time tries more often than that. */
const GAP_MS = { least: 4, most: 50 };

/** Of the longest time that the lock was kept at once, so much is the gap: who keeps it long has slow neighbours to wait for. */
const GAP_SHARE = 0.25;

/**
 * Turns of one process at a lock that many processes want and that can only be tried, off the event loop.
 *
 * Who waits asks seldom at first, so that many who wait leave the processor to the one at work, and the oftener the longer it
 * waits; who let the lock go a moment ago lets others go first, and leaves a gap now and then where none are known. So nobody is
 * passed by for ever, and no order is kept.
 */
export class LockTurn {
  #wantedUntilMs = -Infinity;
  #releasedAtMs = -Infinity;
  #turnSinceMs = -Infinity;
  #takenAtMs = 0;
  /** The longest time that the lock was kept in this turn. */
  #longestMs = 0;

  /** @param everyMs - mean time between the first tries, milliseconds */
  constructor(private readonly everyMs: number) {}

  /**
   * Tries until the lock is there.
   *
   * @param tryTake - returns false when somebody else has it; what it throws ends the waiting
   * @returns false when somebody else had it for `waitMs` milliseconds
   */
  async take(tryTake: () => boolean, waitMs: number): Promise<boolean> {
    const sinceMs = performance.now();
    await this.#letOthers(sinceMs);
    for (;;) {
      this.#takenAtMs = performance.now();
      if (tryTake()) return true;
      const nowMs = performance.now();
      this.#wantedUntilMs = nowMs + WANTED_MS;
      if (nowMs - sinceMs > waitMs) return false;
      await this.#pause(nowMs - sinceMs);
    }
  }

  /** The lock was let go. */
  released(): void {
    this.#releasedAtMs = performance.now();
    this.#longestMs = Math.max(this.#longestMs, this.#releasedAtMs - this.#takenAtMs);
  }

  async #letOthers(nowMs: number): Promise<void> {
    const { least, most } = GAP_MS;
    if (nowMs - this.#releasedAtMs > least) this.#beginTurn(nowMs);
    else if (nowMs < this.#wantedUntilMs) await this.#pause(0);
    else if (nowMs - this.#turnSinceMs > TURN_MS) {
      await sleep(Math.min(most, Math.max(least, GAP_SHARE * this.#longestMs)));
      this.#beginTurn(performance.now());
    }
  }

  #beginTurn(nowMs: number): void {
    this.#turnSinceMs = nowMs;
    this.#longestMs = 0;
  }

  #pause(waitedMs: number): Promise<void> {
    return sleep((this.everyMs * (0.5 + Math.random())) / (1 + waitedMs / AGED_MS));
  }
}
