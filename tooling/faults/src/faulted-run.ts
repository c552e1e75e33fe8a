import { copyPlace, type Place } from './place.js';
import { wasHit, type Template } from './points.js';
import { endingOf, misbehaviour, runProduct, type ProductRun } from './product.js';
import { judge, residue, type Left } from './state.js';
import { killStrays, traced } from './strace.js';
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
  { point, fault, reach, directory, from }: Fault,
): Promise<Faulted | undefined> {
  for (let attempt = 1; attempt <= TRIES; attempt += 1) {
    const place = copyPlace(from ?? template, directory);
    const file = `${directory}.trace`;
    const when = reach === 'once' ? String(point.ordinal) : `${point.ordinal}+`;
    const wrapper = traced(file, [{ call: point.name, when, fault }], [point.name]);
    const run = await runProduct({ args: operation.args(place), bugs, wrapper });
    if (run.timedOut) killStrays(directory);
    if (wasHit(file, point, place)) return { place, run };
  }
  return undefined;
}

/** The same command again, undisturbed: it must end as it should, leave the new state and nothing else. */
export async function recover(
  { bugs }: SuiteContext,
  { operation, before }: Template,
  place: Place,
): Promise<string[]> {
  const run = await runProduct({ args: operation.args(place), bugs });
  const wrong = misbehaviour(run);
  // An export that was complete when it was killed stands in the way of the next: that is its being complete.
  const isDone = operation.makes === 'export' && run.document?.error?.code === 'EXPORT.TARGET_NOT_EMPTY';
  if (run.exitCode !== operation.exitCode && !isDone) wrong.push(endingOf(run));
  const settled = await judge(operation, place, before);
  wrong.push(...settled.wrong);
  if (settled.left !== 'new') wrong.push('the target is not the new state');
  const left = isDone ? [] : residue(place);
  if (left.length > 0) wrong.push(`left behind: ${left.join(', ')}`);
  return wrong.map((what) => `after the next run: ${what}`);
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
