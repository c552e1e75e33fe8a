import { chooseOperations } from './all-operations.js';
import { FaultTally } from './faulted-run.js';
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
  /** Calls per operation in the CI share: of those of the main job, and of those that write into the tree. */
  readonly ciPoints: { readonly job: number; readonly tree: number };
  /** So many operations that write into the tree in the CI share; absent: one of each kind. */
  readonly ciTrees?: number;
  /** The calls that are points; absent: every call that changes something. */
  readonly isPoint?: (call: Call) => boolean;
  /** Points beside the calls, in every share. */
  readonly more?: readonly P[];
}

/** Visits the points of each operation that is asked for: all of them, or in the CI share a sample. */
export async function sweep<P = never>(
  context: SuiteContext,
  { ciPoints, ciTrees, isPoint = () => true, more = [] }: SweepOptions<P>,
  visit: (visit: Visit<Call | P>) => Promise<void>,
): Promise<SuiteReport> {
  const tally = new FaultTally(context.say);
  const facts: Record<string, number> = {};
  for (const operation of chooseOperations(context, ciTrees)) {
    const template = await makeTemplate(context.directory, operation);
    const calls = (await pointsOf(template, context.bugs)).filter(isPoint);
    const most = Math.min(
      context.points ?? Infinity,
      context.share === 'full' ? Infinity : ciPoints[operation.writesTree ? 'tree' : 'job'],
    );
    const chosen = [...sample(calls, most, context.seed), ...more];
    const ordered = context.enough < chosen.length ? spread(chosen) : chosen;
    await eachInParallel(ordered, context.workers, async (point, worker) => {
      if (tally.bad.length < context.enough) await visit({ template, point, worker, tally });
    });
    facts[operation.name] = chosen.length;
    const all = calls.length + more.length;
    context.say(`  ${operation.name}: ${chosen.length} of ${all} points, ${tally.bad.length} bad so far`);
  }
  return { points: tally.points, bad: tally.bad, facts: { ...facts, ...tally.facts } };
}
