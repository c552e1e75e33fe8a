import { isStorageError } from '@deespec/domain';
import { setTimeout as sleep } from 'node:timers/promises';

import { takeBarrier, type Release } from './barrier.js';
import type { HomePaths } from './home.js';
import { livingHolders } from './processes.js';

/** How long a command waits for calls of services to end, and for another command, milliseconds. */
const WAIT_MS = { calls: 10_000, command: 5_000 } as const;

/** How long one waits for another command that does not wait for those that may take minutes: some only look for an instant. */
export const AN_INSTANT_MS = 150;

/** How long the first and the longest attempt keep new calls out, milliseconds: services that write all the time leave no gap. */
const DRAIN_MS = { first: 100, longest: 1_000 } as const;

/**
 * The barrier alone. Between its attempts it waits without blocking: a call that is at work may be one of this process.
 *
 * @param commandsMs - how long it waits while another command holds the barrier, milliseconds
 * @throws StorageError as `takeBarrier`
 */
export async function takeAlone(
  paths: HomePaths,
  command: string,
  commandsMs: number = WAIT_MS.command,
): Promise<Release> {
  const since = performance.now();
  for (let drainMs: number = DRAIN_MS.first; ; drainMs = Math.min(drainMs * 2, DRAIN_MS.longest)) {
    try {
      return takeBarrier(paths, { access: 'exclusive', command, patienceMs: 0, drainMs });
    } catch (error) {
      const enoughMs = livingHolders(paths).length > 0 ? commandsMs : WAIT_MS.calls;
      if (!isStorageError(error, 'LOCK.HELD') || performance.now() - since > enoughMs) throw error;
    }
    await sleep(20);
  }
}
