import { isStorageError, StorageError } from '@deespec/domain';
import type { Database } from 'better-sqlite3';
import { setTimeout as sleep } from 'node:timers/promises';

import { toStorageError } from './sqlite-error.js';

/** How long a write waits for another process, milliseconds. */
const WAIT_MS = 5_000;

/**
 * One writer at a time on one connection, first in, first out. TypeORM shares one connection per DataSource, so two
 * overlapping transactions would nest and an acknowledged write vanish with somebody else's rollback.
 *
 * Source: docs/adr/0004.
 */
export class WriteQueue {
  private tail: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly handle: Database,
    private readonly path: string,
  ) {}

  /**
   * Runs `work` in one `BEGIN IMMEDIATE ... COMMIT`, after all writes queued before it. Commits when `work` returns, rolls
   * back when it throws. `work` is synchronous: nothing can be awaited while the transaction is open.
   *
   * @throws StorageError `SQLITE.BUSY` when another process kept the write lock for 5 s; what `work` throws
   */
  run<T>(work: () => T): Promise<T> {
    const result = this.tail.then(() => this.begin(work));
    this.tail = result.catch(() => undefined);
    return result;
  }

  private begin<T>(work: () => T): Promise<T> {
    // better-sqlite3 issues BEGIN IMMEDIATE, rolls back on a throw and keeps the first error.
    return waitForLock(() => this.handle.transaction(work).immediate(), this.path);
  }
}

/**
 * Repeats what another process's lock prevents, without blocking the event loop.
 *
 * @throws StorageError `SQLITE.BUSY` when the lock was kept for 5 s; what `work` throws
 */
export async function waitForLock<T>(work: () => T, path: string): Promise<T> {
  const deadline = Date.now() + WAIT_MS;
  for (;;) {
    try {
      return work();
    } catch (error) {
      const known = toStorageError(error, path);
      if (!isStorageError(known, 'SQLITE.BUSY')) throw known;
      if (Date.now() >= deadline) {
        throw new StorageError(
          'SQLITE.BUSY',
          `another process kept the write lock of ${path} for ${WAIT_MS} ms`,
          {
            hint: '"deespec status" names the holder; try again',
            cause: known,
          },
        );
      }
    }
    await sleep(1 + Math.random() * 20);
  }
}
