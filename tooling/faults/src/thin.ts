import type { Call } from './trace.js';

/** Of many pages that are written one after the other into files that nobody reads yet, one in so many is a point. */
const EVERY = 40;

/** Leaves out calls that write into a copy of which one stands for many. */
export function thin(calls: readonly Call[]): readonly Call[] {
  let beside = 0;
  return calls.filter(({ name, args }) => {
    if (!/^p?write/u.test(name) || !/\/\.storage\/(?:runs|backups|rebuild)\//u.test(args)) return true;
    beside += 1;
    return beside % EVERY === 1;
  });
}
