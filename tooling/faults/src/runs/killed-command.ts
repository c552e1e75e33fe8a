import { lstatSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import type { Place } from '../place.js';
import { endOf, startProduct, type ProductRun } from '../product.js';
import type { BugName } from '../seeded-bugs.js';

/** When a command is killed: after a time, or when so many things that it notes down about itself have changed. */
export type Instant = { readonly afterMs: number } | { readonly changes: number };

/** What runs note down about themselves: their steps, and what is not over yet. */
const notes = ['run', 'restore.json', 'restore.db', 'stopped', 'mode-change', 'exchange', 'epoch'];

/** Runs a command, and kills it at an instant; absent: lets it end. */
export async function runKilled(
  place: Place,
  words: readonly string[],
  { at, bugs }: { readonly at: Instant | undefined; readonly bugs: readonly BugName[] },
): Promise<ProductRun> {
  const run = startProduct({ args: [...words, '--home', place.home], bugs, timeoutMs: 300_000 });
  const state = { isOver: false };
  const over = (): void => void (state.isOver = true);
  run.then(over, over);
  if (at === undefined) return endOf(await run);
  if ('afterMs' in at) await Promise.race([sleep(at.afterMs), run]);
  else await untilChanged(place, at.changes, () => state.isOver);
  run.kill('SIGKILL');
  return endOf(await run);
}

async function untilChanged(place: Place, changes: number, isOver: () => boolean): Promise<void> {
  let last = notesOf(place);
  for (let seen = 0; seen < changes && !isOver(); await sleep(1)) {
    const now = notesOf(place);
    if (now !== last) seen += 1;
    last = now;
  }
}

function notesOf({ home }: Place): string {
  const stats = notes.map((name) =>
    lstatSync(join(home, '.storage', name), { bigint: true, throwIfNoEntry: false }),
  );
  return stats.map((stat) => (stat === undefined ? '' : `${stat.ino} ${stat.mtimeNs}`)).join();
}
