// A process of its own that counts through the API: each number comes with a content, in one transaction.
import { isStorageError, type Storage } from '@deespec/domain';
import { openStorage } from '@deespec/storage';
import { setTimeout as sleep } from 'node:timers/promises';

import type { CounterOptions } from './counter-options.js';
import { countOn, passing, progressOf } from './counts.js';
import { Ledger } from './ledger.js';

/** 2026-01-01: what a number is written with does not depend on when that is. */
const START_MS = Date.UTC(2026, 0, 1);

/** Between two tries of a number, milliseconds. */
const RETRY_MS = 50;

const options = JSON.parse(process.argv[2]!) as CounterOptions;
const { home, counter, until, pauseMs } = options;
const ledger = new Ledger(options.ledger);
const earlier = progressOf(options.ledger);
const state = { number: earlier.least, call: earlier.calls, isWanted: true };
process.on('message', () => (state.isWanted = false));
const fixed = {
  now: () => new Date(START_MS + state.number * 1_000 + counter),
  lineId: () => `counter-${counter}-${state.number}`,
};
const storage = await openStorage({
  ...{ home, user: `counter-${counter}` },
  ...(options.clock === 'fixed' ? fixed : {}),
});
while (state.isWanted && state.number < until) await sleep((await count(storage)) ? pauseMs : RETRY_MS);
await storage.settled();
await storage.close();
ledger.close();
process.disconnect?.();

/** @returns whether a number was acknowledged */
async function count(tree: Storage): Promise<boolean> {
  const startedMs = performance.now();
  const call = (state.call += 1);
  let isBegun = false;
  const end = (outcome: string, message?: string): void => {
    const tookMs = performance.now() - startedMs;
    const rest = message === undefined ? {} : { message };
    ledger.end({ at: 'end', call, outcome, tookMs, atMs: Date.now(), ...rest });
  };
  try {
    const number = await countOn(tree, counter, (next) => {
      isBegun = true;
      ledger.begin({ at: 'start', call, op: 'count', key: '', value: String(next), atMs: Date.now() });
    });
    end('ok');
    state.number = number;
    return true;
  } catch (error) {
    const code = isStorageError(error) ? error.code : 'untyped';
    if (isBegun) end(code, (error as Error).message);
    else if (!passing.includes(code)) throw error;
    return false;
  }
}
