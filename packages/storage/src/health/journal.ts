import { lstatSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** How long a rollback journal is waited for, milliseconds: the writes that use one are short. */
const WAIT_MS = 200;

/**
 * True when a rollback journal with content stays beside a database: a long write is at work, or one was cut off. To read the
 * database would roll it back, which is a write. Looks at it by name only.
 */
export async function hasJournal(database: string): Promise<boolean> {
  const isThere = (): boolean => (lstatSync(`${database}-journal`, { throwIfNoEntry: false })?.size ?? 0) > 0;
  for (let waitedMs = 0; isThere(); waitedMs += 20) {
    if (waitedMs >= WAIT_MS) return true;
    await sleep(20);
  }
  return false;
}
