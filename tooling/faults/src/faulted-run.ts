import type { Command, Operation } from './operation.js';
import { copyPlace, type Place } from './place.js';
import { wasHit, type Template } from './points.js';
import { killStrays, runProduct, type ProductRun } from './product.js';
import type { Left } from './state.js';
import { traced } from './strace.js';
import type { Bad, SuiteContext } from './suite.js';
import type { Call } from './trace.js';

/** A run with a fault in one call. */
export interface Fault {
  readonly point: Call;
  /** strace's words, such as `signal=SIGKILL` or `error=ENOSPC`. */
  readonly fault: string;
  /** `on`: this call and every later one of its name. */
  readonly reach: 'once' | 'on';
  /** Where the run works; what stands there is removed. */
  readonly directory: string;
  /** Begin from this place instead of the template's. */
  readonly from?: Place;
  /** Run this instead of the operation. */
  readonly command?: (place: Place) => Command;
}

/** What a faulted run left. */
export interface Faulted {
  readonly place: Place;
  readonly run: ProductRun;
}

/** Tries before a call that the runtime moves about counts as missed. */
const TRIES = 3;

/** Runs the operation in a fresh copy with the fault in it; `undefined` when the fault did not hit the call in the place. */
export async function runFaulted(
  { bugs }: SuiteContext,
  { operation, place: template }: Template,
  { point, fault, reach, directory, from, command }: Fault,
): Promise<Faulted | undefined> {
  for (let attempt = 1; attempt <= TRIES; attempt += 1) {
    const place = copyPlace(from ?? template, directory);
    const file = `${directory}.trace`;
    const when = reach === 'once' ? String(point.ordinal) : `${point.ordinal}+`;
    const wrapper = traced(file, [{ call: point.name, when, fault }], [point.name]);
    const args = command?.(place).args ?? operation.args(place);
    const run = await runProduct({ args, bugs, wrapper });
    if (run.timedOut) killStrays(directory);
    if (wasHit(file, point, place)) return { place, run };
  }
  return undefined;
}

/** What came of a faulted run. */
export interface Outcome {
  readonly wrong: readonly string[];
  readonly left: Left | undefined;
}

/**
 * Judges what a faulted run left, lets the product bring it to an end, and judges again. What a run reported as done before the
 * fault hit it must be there.
 */
export async function settle(
  { bugs }: SuiteContext,
  { operation, judge }: Template,
  { place, run }: Faulted,
): Promise<Outcome> {
  const ended = await judge.ended(place, run);
  const after = await judge.recovered(place, bugs);
  const left = ended.left ?? after.left;
  const wrong = [
    ...ended.wrong.map((what) => `directly after: ${what}`),
    ...after.wrong.map((what) => `after the next run: ${what}`),
  ];
  if (left === 'old' && isAcknowledged(operation, run))
    wrong.push('success was reported, and the new state is not there');
  return { wrong, left };
}

/** True when a run said that it had done its work, however it ended. A verification says so too when it was not recorded. */
export function isAcknowledged({ exitCode }: Operation, { document }: ProductRun): boolean {
  if (document?.exitCode !== exitCode) return false;
  return !String(document.data?.['evidence']).startsWith('not recorded: ');
}

/** Counts what suites of faults have in common. */
export class FaultTally {
  readonly bad: Bad[] = [];
  points = 0;
  missed = 0;
  readonly left: Record<Left, number> = { old: 0, new: 0 };

  /** @param say - told of each bad point at once: a sweep takes long */
  constructor(private readonly say: (line: string) => void) {}

  /** Notes one point and what was wrong with it. */
  note(point: string, wrong: readonly string[], left?: Left): void {
    this.points += 1;
    if (left !== undefined) this.left[left] += 1;
    for (const what of wrong) {
      this.bad.push({ point, what });
      this.say(`  BAD ${point}: ${what}`);
    }
  }

  get facts(): Record<string, number> {
    return { 'left old': this.left.old, 'left new': this.left.new, 'not hit': this.missed };
  }
}
