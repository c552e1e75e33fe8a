import { isStorageError } from '@deespec/domain';
import { setTimeout as sleep } from 'node:timers/promises';

import { takeBarrier, type Release } from './barrier.js';
import type { HomePaths } from './home.js';

/** How long a command waits for calls of services to end, milliseconds. */
const WAIT_MS = 5_000;

/**
 * The barrier alone. Waits without blocking: a call that is at work may be one of this process.
 *
 * @throws StorageError as `takeBarrier`
 */
export async function takeAlone(paths: HomePaths, command: string): Promise<Release> {
  const deadline = performance.now() + WAIT_MS;
  for (;;) {
    try {
      return takeBarrier(paths, { access: 'exclusive', command, patienceMs: 0 });
    } catch (error) {
      if (!isStorageError(error, 'LOCK.HELD') || performance.now() > deadline) throw error;
    }
    await sleep(20);
  }
}
