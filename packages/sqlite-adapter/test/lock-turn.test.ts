import { describe, expect, test } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';

import { LockTurn } from '../src/index.js';

/** A lock that can only be tried. */
class TriedLock {
  tries = 0;
  private isTaken = false;

  readonly tryTake = (): boolean => {
    this.tries += 1;
    if (this.isTaken) return false;
    this.isTaken = true;
    return true;
  };

  release(): void {
    this.isTaken = false;
  }
}

describe('LockTurn', () => {
  test('lets others go first after it let go of a lock that they want', async () => {
    const lock = new TriedLock();
    const greedy = new LockTurn(10);
    const other = new LockTurn(10);
    let isOver = false;
    let passedBy = 0;
    const again = (async () => {
      while (!isOver) {
        await greedy.take(lock.tryTake, 5_000);
        passedBy += 1;
        await sleep(5);
        lock.release();
        greedy.released();
      }
    })();
    await sleep(50);
    passedBy = 0;
    const isTaken = await other.take(lock.tryTake, 10_000);
    isOver = true;
    lock.release();
    await again;

    // Without a gap the one that lets go takes it again at once, every time.
    expect(isTaken).toBe(true);
    expect(passedBy).toBeLessThan(600);
  });

  test('who waits long asks more often than who comes', async () => {
    const lock = new TriedLock();
    lock.tryTake();
    const waiting = new LockTurn(40).take(lock.tryTake, 1_200);

    await sleep(300);
    const before = lock.tries;
    await sleep(900);
    const after = lock.tries - before;
    lock.release();
    await waiting;

    expect(before).toBeLessThan(20);
    expect(after).toBeGreaterThan(2 * before);
  });

  test('gives up after the time that it was given, and says so', async () => {
    const lock = new TriedLock();
    lock.tryTake();

    expect(await new LockTurn(5).take(lock.tryTake, 60)).toBe(false);
  });

  test('takes a free lock at once', async () => {
    const lock = new TriedLock();

    expect(await new LockTurn(60_000).take(lock.tryTake, 0)).toBe(true);
  });
});
