import { isStorageError, StorageError } from '@deespec/domain';
import { LockTurn, openHandle, toStorageError } from '@deespec/sqlite-adapter';

import { prepareLock } from './barrier.js';
import type { HomePaths } from './home.js';

/** How long a writer waits for its turn, milliseconds. */
const WAIT_MS = 30_000;

/** How often who waits tries at first, milliseconds. A write takes some; a payment takes longer, and its callers do not wait for it. */
const EVERY_MS: Readonly<Record<LockPurpose, number>> = { write: 10, pay: 40 };

/** What a lock is for: changing the files, or paying what one store owes to the other. */
export type LockPurpose = 'write' | 'pay';

/**
 * Lets one at a time do something, in all processes: the write lock of an empty database, which the kernel drops when its holder
 * dies. In this process calls go first in, first out.
 *
 * Source: docs/adr/0013.
 */
export class WriterLock {
  private readonly file: string;
  private readonly turn: LockTurn;
  private handle: ReturnType<typeof openHandle> | undefined;
  private tail: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly paths: HomePaths,
    purpose: LockPurpose = 'write',
  ) {
    this.turn = new LockTurn(EVERY_MS[purpose]);
    this.file = purpose === 'write' ? paths.writerLock : paths.payerLock;
    prepareLock(paths, this.file);
  }

  /**
   * Runs `work` alone among all that have this lock.
   *
   * @throws StorageError `LOCK.HELD` after 30 s; what `work` throws
   */
  readonly alone = <T>(work: () => T | Promise<T>): Promise<T> => {
    const result = this.tail.then(() => this.run(work));
    this.tail = result.catch(() => undefined);
    return result;
  };

  /** Releases the lock file, after what is queued. */
  async close(): Promise<void> {
    await this.tail;
    this.handle?.close();
  }

  private async run<T>(work: () => T | Promise<T>): Promise<T> {
    if (!(await this.turn.take(() => this.tryTake(), WAIT_MS))) {
      throw new StorageError('LOCK.HELD', `others wrote to ${this.paths.home} for ${WAIT_MS} ms`, {
        hint: 'try again; "deespec status" shows who works on the tree',
      });
    }
    try {
      return await work();
    } finally {
      this.handle?.exec('ROLLBACK');
      this.turn.released();
    }
  }

  private tryTake(): boolean {
    try {
      this.handle ??= openHandle(this.file, 'lock');
      this.handle.exec('BEGIN IMMEDIATE');
      return true;
    } catch (error) {
      const known = toStorageError(error, this.file);
      if (isStorageError(known, 'SQLITE.BUSY')) return false;
      throw known;
    }
  }
}
