import { isStorageError, StorageError } from '@deespec/domain';
import type { Database } from 'better-sqlite3';

import { LockTurn } from './lock-turn.js';
import { LogBound } from './log-bound.js';
import { toStorageError } from './sqlite-error.js';

/** How long a write waits for another process, milliseconds. */
const WAIT_MS = 5_000;

/** How often it tries again at first, milliseconds. */
const EVERY_MS = 10;

/**
 * One writer at a time on one connection, first in, first out. TypeORM shares one connection per DataSource, so two
 * overlapping transactions would nest and an acknowledged write vanish with somebody else's rollback.
 *
 * Source: docs/adr/0004.
 */
export class WriteQueue {
  private tail: Promise<unknown> = Promise.resolve();
  private readonly turn = new LockTurn(EVERY_MS);
  private readonly log: LogBound;

  constructor(
    private readonly handle: Database,
    private readonly path: string,
  ) {
    this.log = new LogBound(handle, path);
  }

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

  private async begin<T>(work: () => T): Promise<T> {
    try {
      // better-sqlite3 issues BEGIN IMMEDIATE, rolls back on a throw and keeps the first error.
      return await waitForLock(() => this.handle.transaction(work).immediate(), this.path, this.turn);
    } finally {
      this.turn.released();
      this.log.committed();
    }
  }
}

/**
 * Repeats what another process's lock prevents, without blocking the event loop.
 *
 * @throws StorageError `SQLITE.BUSY` when the lock was kept for 5 s; what `work` throws
 */
export async function waitForLock<T>(work: () => T, path: string, turn = new LockTurn(EVERY_MS)): Promise<T> {
  let made: { readonly value: T } | undefined;
  let cause: unknown;
  const isMade = await turn.take(() => {
    try {
      made = { value: work() };
      return true;
    } catch (error) {
      const known = toStorageError(error, path);
      if (!isStorageError(known, 'SQLITE.BUSY')) throw known;
      cause = known;
      return false;
    }
  }, WAIT_MS);
  if (isMade) return made!.value;
  throw new StorageError('SQLITE.BUSY', `another process kept the write lock of ${path} for ${WAIT_MS} ms`, {
    hint: '"deespec status" names the holder; try again',
    cause,
  });
}
