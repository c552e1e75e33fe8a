import { chooseOperations, type OperationChoice } from './all-operations.js';
import { FaultTally } from './faulted-run.js';
import { operations as jobs, type Operation } from './operation.js';
import { eachInParallel, sample, spread } from './parallel.js';
import { makeTemplate, pointsOf, type Template } from './points.js';
import type { SuiteContext, SuiteReport } from './suite.js';
import type { Call } from './trace.js';

/** One point of a sweep, and where to note what was seen there. */
export interface Visit<P> {
  readonly template: Template;
  readonly point: P;
  /** Slot of the worker, from 0: for a directory of its own. */
  readonly worker: number;
  readonly tally: FaultTally;
}

/** Which points a sweep has. */
export interface SweepOptions<P> {
  /** Calls per operation in the CI share: of those of the main job, and of all others. */
  readonly ciPoints: { readonly job: number; readonly other: number };
  /** So many operations that write into the tree in the CI share; absent: one of each kind. */
  readonly ciTrees?: number;
  /** The calls that are points; absent: every call that changes something. */
  readonly isPoint?: (call: Call) => boolean;
  /** Points beside the calls, in every share. */
  readonly more?: readonly P[];
  /** Operations beside those of every suite: see `chooseOperations`. */
  readonly further?: readonly Operation[];
  readonly rare?: readonly Operation[];
}

/** Visits the points of each operation that is asked for: all of them, or in the CI share a sample. */
export async function sweep<P = never>(
  context: SuiteContext,
  { ciPoints, ciTrees, isPoint = () => true, more = [], further = [], rare = [] }: SweepOptions<P>,
  visit: (visit: Visit<Call | P>) => Promise<void>,
): Promise<SuiteReport> {
  const tally = new FaultTally(context.say);
  const facts: Record<string, number> = {};
  await eachOperation(context, { most: ciTrees, further, rare }, async (operation, slots) => {
    const template = await makeTemplate(context.directory, operation);
    const isNear = ({ args }: Call): boolean => context.near?.test(args) ?? true;
    const found = await pointsOf(template, context.bugs);
    const calls = (operation.thin?.(found) ?? found).filter(isPoint).filter(isNear);
    const isJob = jobs.some(({ name }) => name === operation.name);
    const most = Math.min(
      context.points ?? Infinity,
      context.share === 'full' ? Infinity : ciPoints[isJob ? 'job' : 'other'],
    );
    const chosen = [...sample(calls, most, context.seed), ...more];
    const ordered = context.enough < chosen.length ? spread(chosen) : chosen;
    await eachInParallel(ordered, slots.length, async (point, worker) => {
      if (tally.bad.length < context.enough) await visit({ template, point, worker: slots[worker]!, tally });
    });
    facts[operation.name] = chosen.length;
    const all = calls.length + more.length;
    context.say(`  ${operation.name}: ${chosen.length} of ${all} points, ${tally.bad.length} bad so far`);
  });
  return { points: tally.points, bad: tally.bad, facts: { ...facts, ...tally.facts } };
}

/**
 * Does something with each operation that is asked for. Where each has a few points only, several operations are at work at the
 * same time; else one, with all workers for itself.
 *
 * @param choice - see `chooseOperations`
 * @param work - gets the slots that it may use at the same time, from 0
 */
export async function eachOperation(
  context: SuiteContext,
  choice: OperationChoice,
  work: (operation: Operation, slots: readonly number[]) => Promise<void>,
): Promise<void> {
  const chosen = chooseOperations(context, choice);
  const all = Array.from({ length: context.workers }, (_, slot) => slot);
  const isSample = context.share === 'ci' && chosen.length > 1;
  await eachInParallel(chosen, isSample ? context.workers : 1, (operation, worker) =>
    work(operation, isSample ? [worker] : all),
  );
}
