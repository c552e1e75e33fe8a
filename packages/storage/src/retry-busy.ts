import { isStorageError } from '@deespec/domain';
import { setTimeout as sleep } from 'node:timers/promises';

/** Mean time between two tries, milliseconds: writers hold a database for a few. */
const PAUSE_MS = 20;

/** Tries again until nobody else keeps the database for `waitMs` milliseconds. @throws StorageError `SQLITE.BUSY`, and what `work` throws */
export async function retryBusy<T>(work: () => T, waitMs: number): Promise<T> {
  const deadline = performance.now() + waitMs;
  for (;;) {
    try {
      return work();
    } catch (error) {
      if (!isStorageError(error, 'SQLITE.BUSY') || performance.now() > deadline) throw error;
    }
    await sleep(PAUSE_MS * (0.5 + Math.random()));
  }
}
