import { isStorageError, StorageError } from '@deespec/domain';
import { openHandle, toStorageError } from '@deespec/sqlite-adapter';
import { setTimeout as sleep } from 'node:timers/promises';

import { prepareLock } from './barrier.js';
import type { HomePaths } from './home.js';

/** How long a writer waits for its turn, milliseconds. */
const WAIT_MS = 30_000;

/**
 * Makes one writer of the files at a time, in all processes: the write lock of an empty database, which the kernel drops when
 * its holder dies. In this process writers go first in, first out.
 *
 * Source: docs/adr/0013.
 */
export class WriterLock {
  private readonly handle: ReturnType<typeof openHandle>;
  private tail: Promise<unknown> = Promise.resolve();

  constructor(private readonly paths: HomePaths) {
    prepareLock(paths, paths.writerLock);
    this.handle = openHandle(paths.writerLock, 'lock');
  }

  /**
   * Runs `work`, which is synchronous, alone among all writers of this tree's files.
   *
   * @throws StorageError `LOCK.HELD` after 30 s; what `work` throws
   */
  readonly alone = <T>(work: () => T): Promise<T> => {
    const result = this.tail.then(() => this.run(work));
    this.tail = result.catch(() => undefined);
    return result;
  };

  /** Releases the lock file, after what is queued. */
  async close(): Promise<void> {
    await this.tail;
    this.handle.close();
  }

  private async run<T>(work: () => T): Promise<T> {
    const deadline = performance.now() + WAIT_MS;
    while (!this.tryTake()) {
      if (performance.now() > deadline) {
        throw new StorageError('LOCK.HELD', `others wrote to ${this.paths.home} for ${WAIT_MS} ms`, {
          hint: 'try again; "deespec status" shows who works on the tree',
        });
      }
      await sleep(Math.random() * 5);
    }
    try {
      return work();
    } finally {
      this.handle.exec('ROLLBACK');
    }
  }

  private tryTake(): boolean {
    try {
      this.handle.exec('BEGIN IMMEDIATE');
      return true;
    } catch (error) {
      const known = toStorageError(error, this.paths.writerLock);
      if (isStorageError(known, 'SQLITE.BUSY')) return false;
      throw known;
    }
  }
}
