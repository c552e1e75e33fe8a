import { rmSync } from 'node:fs';
import { join } from 'node:path';

import { FaultTally, runFaulted, settle } from '../faulted-run.js';
import type { Command } from '../operation.js';
import { eachInParallel, sample } from '../parallel.js';
import { copyPlace, type Place } from '../place.js';
import { makeTemplate, pointsOf, type Template } from '../points.js';
import type { ProductRun } from '../product.js';
import type { Suite, SuiteContext } from '../suite.js';
import { eachOperation } from '../sweep.js';
import { describeCall, type Call } from '../trace.js';

/** How many first kills, and how many kills of the run after each, per operation. */
const amounts = { ci: { first: 1, second: 1 }, full: { first: 15, second: 12 } } as const;

/** SIGKILL in a run, then SIGKILL in the run that would have recovered, then a third run. */
export const recover: Suite = {
  name: 'recover',
  about: 'a run is killed, and the run after it too; the third must finish by itself',
  needs: ['strace'],
  run: async (context) => {
    const tally = new FaultTally(context.say);
    const { first, second } = amounts[context.share];
    const most = Math.min(first, context.points ?? Infinity);
    await eachOperation(context, { most: 2 }, async (operation, slots) => {
      const template = await makeTemplate(context.directory, operation);
      // Not the very ends: a run killed at its first call leaves nothing to recover from.
      const firsts = sample(
        (await pointsOf(template, context.bugs)).slice(first === 1 ? -12 : 0),
        most,
        context.seed,
      );
      for (const point of firsts) await killTwice(context, template, { point, second, tally, slots });
      context.say(`  ${operation.name}: ${tally.points} pairs, ${tally.bad.length} bad so far`);
    });
    return { points: tally.points, bad: tally.bad, facts: tally.facts };
  },
};

/** A first kill, and how its recovery is killed. */
interface Twice {
  readonly point: Call;
  /** So many calls of the recovery. */
  readonly second: number;
  readonly tally: FaultTally;
  /** Of directories that nobody else uses meanwhile. */
  readonly slots: readonly number[];
}

/** Kills the operation at `point`, and its recovery at each of its calls in turn. */
async function killTwice(
  context: SuiteContext,
  template: Template,
  { point, second, tally, slots }: Twice,
): Promise<void> {
  const { operation } = template;
  const crashed = join(context.directory, `crashed-${slots[0]}`);
  const fault = { fault: 'signal=SIGKILL', reach: 'once' } as const;
  const killed = await runFaulted(context, template, {
    point,
    ...fault,
    directory: crashed,
  });
  const again = killed === undefined ? undefined : await recoveryOf(context, template, killed);
  if (killed === undefined || again === undefined) {
    tally.missed += 1;
    return;
  }
  await eachInParallel(sample(again.points, second, context.seed), slots.length, async (next, worker) => {
    const directory = join(context.directory, `worker-${slots[worker]}`);
    const { from } = again;
    const twice = await runFaulted(context, template, {
      ...{ point: next, ...fault, directory, from },
      command: firstOf(template),
    });
    if (twice === undefined) {
      tally.missed += 1;
      return;
    }
    // What the first run said is what counts: the second is one that recovers.
    const { wrong, left } = await settle(context, template, { place: twice.place, run: killed.run });
    const [one, two] = [describeCall(point, template.place.directory), describeCall(next, from.directory)];
    tally.note(`${operation.name}: killed before ${one}, then before ${two}`, wrong, left);
  });
  rmSync(again.from.directory, { recursive: true, force: true });
}

/** The command that recovers first. */
function firstOf({ operation }: Template): (place: Place) => Command {
  return (place) => operation.recovery(place)[0]!;
}

/** The calls of the run that recovers; `undefined` when there is nothing left to do because the first was complete. */
async function recoveryOf(
  context: SuiteContext,
  template: Template,
  { place, run }: { place: Place; run: ProductRun },
): Promise<{ from: Place; points: readonly Call[] } | undefined> {
  const { isOver } = await template.judge.ended(place, run);
  if (isOver === true) return undefined;
  const from = copyPlace(place, `${place.directory}-kept`);
  return { from, points: await pointsOf({ ...template, place: from }, context.bugs, firstOf(template)) };
}
