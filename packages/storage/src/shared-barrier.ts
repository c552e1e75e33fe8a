import { isStorageError, StorageError } from '@deespec/domain';
import { openHandle, toStorageError } from '@deespec/sqlite-adapter';
import { setTimeout as sleep } from 'node:timers/promises';

import { requireRestored } from './backup/restore-journal.js';
import { prepareLock } from './barrier.js';
import type { HomePaths } from './home.js';
import { livingHolders } from './processes.js';

/** How long a call waits while a command has the tree to itself, milliseconds. */
const WAIT_MS = 5_000;

/** After this time, milliseconds, calls that come anew let the lock go once, so that a command that waits for it gets in. */
const TURN_MS = 100;

const always = (): boolean => true;

/**
 * The barrier as a long-running process holds it: shared, for the time of one call, without blocking the event loop. Calls that
 * overlap hold it together.
 *
 * Source: docs/adr/0013.
 */
export class SharedBarrier {
  /** Opened with the first hold: while somebody has the lock alone, not even that is possible. */
  private handle: ReturnType<typeof openHandle> | undefined;
  private isHeld = false;
  private holders = 0;
  private heldSinceMs = 0;
  private taking: Promise<boolean> | undefined;
  private waiting: (() => void)[] = [];

  constructor(private readonly paths: HomePaths) {
    prepareLock(paths);
  }

  /**
   * Runs `work` while nobody can publish, change the mode or restore.
   *
   * @throws StorageError `LOCK.HELD` when a command kept the tree to itself for 5 s; what `work` throws
   */
  async hold<T>(work: () => Promise<T>): Promise<T> {
    await this.enter(always);
    return this.held(work);
  }

  /**
   * As {@link hold}, for work that nobody awaits: once it is pointless it waits no longer. Who keeps the tree to itself may be waiting
   * for just that.
   *
   * @param isWanted - looked at every few milliseconds while it waits, and only then
   * @returns `undefined` when it became pointless
   * @throws StorageError as {@link hold}
   */
  async holdWhile<T>(isWanted: () => boolean, work: () => Promise<T>): Promise<T | undefined> {
    if (!(await this.enter(isWanted))) return undefined;
    return this.held(work);
  }

  /** Releases the lock file. Nothing may be held. */
  close(): void {
    this.handle?.close();
  }

  private async held<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } finally {
      this.leave();
    }
  }

  /** @returns whether it is held now; false once it is not wanted */
  private async enter(isWanted: () => boolean): Promise<boolean> {
    let sinceMs = performance.now();
    for (;;) {
      const isTurn = this.isHeld && performance.now() - this.heldSinceMs <= TURN_MS;
      if (isTurn || (this.isHeld && this.holders === 0)) break;
      if (!isWanted()) return false;
      if (this.isHeld) {
        await new Promise<void>((resolve) => this.waiting.push(resolve));
        sinceMs = performance.now();
      } else {
        // Another call may have let the lock go again before this one goes on.
        const isTaken = await (this.taking ??= this.take().finally(() => (this.taking = undefined)));
        if (!isTaken && performance.now() - sinceMs > WAIT_MS) throw this.refused();
      }
    }
    this.holders += 1;
    return true;
  }

  private leave(): void {
    this.holders -= 1;
    if (this.holders > 0) return;
    this.isHeld = false;
    this.handle?.exec('ROLLBACK');
    const { waiting } = this;
    this.waiting = [];
    for (const resume of waiting) resume();
  }

  /** One attempt, and a rest when it was in vain. */
  private async take(): Promise<boolean> {
    this.isHeld = this.tryTake();
    if (this.isHeld) this.heldSinceMs = performance.now();
    else await sleep(2 + Math.random() * 10);
    return this.isHeld;
  }

  private tryTake(): boolean {
    try {
      this.handle ??= openHandle(this.paths.lock, 'lock');
      // A deferred transaction holds its SHARED lock from its first read on.
      this.handle.exec('BEGIN DEFERRED');
      this.handle.prepare('SELECT count(*) FROM sqlite_schema').get();
      requireRestored(this.paths);
      return true;
    } catch (error) {
      if (this.handle?.inTransaction === true) this.handle.exec('ROLLBACK');
      const known = toStorageError(error, this.paths.lock);
      if (isStorageError(known, 'SQLITE.BUSY')) return false;
      throw known;
    }
  }

  private refused(): StorageError {
    const [holder] = livingHolders(this.paths).filter(({ pid }) => pid !== process.pid);
    const who = holder === undefined ? 'another process' : `${holder.command} (pid ${holder.pid})`;
    return new StorageError('LOCK.HELD', `${this.paths.home} has been kept by ${who} for ${WAIT_MS} ms`, {
      hint: 'wait until it ends, then try again',
      details: { holder },
    });
  }
}
