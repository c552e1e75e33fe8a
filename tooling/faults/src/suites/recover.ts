import { rmSync } from 'node:fs';
import { join } from 'node:path';

import { FaultTally, recover as runAgain, runFaulted } from '../faulted-run.js';
import { chooseOperations } from '../operation.js';
import { eachInParallel, sample } from '../parallel.js';
import { copyPlace, type Place } from '../place.js';
import { makeTemplate, pointsOf, type Template } from '../points.js';
import { judge } from '../state.js';
import type { Suite, SuiteContext } from '../suite.js';
import { describeCall, type Call } from '../trace.js';

/** How many first kills, and how many kills of the run after each, per operation. */
const amounts = { ci: { first: 1, second: 3 }, full: { first: 15, second: 12 } } as const;

/** SIGKILL in a run, then SIGKILL in the run that would have recovered, then a third run. */
export const recover: Suite = {
  name: 'recover',
  about: 'a run is killed, and the run after it too; the third must finish by itself',
  needs: ['strace'],
  run: async (context) => {
    const tally = new FaultTally(context.say);
    const { first, second } = amounts[context.share];
    for (const operation of chooseOperations(context.only)) {
      const template = await makeTemplate(context.directory, operation);
      // Not the very ends: a run killed at its first call leaves nothing to recover from.
      const firsts = sample(
        (await pointsOf(template, context.bugs)).slice(first === 1 ? -12 : 0),
        first,
        context.seed,
      );
      for (const point of firsts) await killTwice(context, template, { point, second, tally });
      context.say(`  ${operation.name}: ${tally.points} pairs, ${tally.bad.length} bad so far`);
    }
    return { points: tally.points, bad: tally.bad, facts: tally.facts };
  },
};

/** Kills the operation at `point`, and its recovery at each of its calls in turn. */
async function killTwice(
  context: SuiteContext,
  template: Template,
  { point, second, tally }: { point: Call; second: number; tally: FaultTally },
): Promise<void> {
  const fault = { fault: 'signal=SIGKILL', reach: 'once' } as const;
  const killed = await runFaulted(context, template, {
    point,
    ...fault,
    directory: join(context.directory, 'crashed'),
  });
  const again = killed === undefined ? undefined : await recoveryOf(context, template, killed.place);
  if (again === undefined) {
    tally.missed += 1;
    return;
  }
  await eachInParallel(sample(again.points, second, context.seed), context.workers, async (next, worker) => {
    const directory = join(context.directory, `worker-${worker}`);
    const from = again.from;
    const twice = await runFaulted(context, template, { point: next, ...fault, directory, from });
    if (twice === undefined) {
      tally.missed += 1;
      return;
    }
    const crashed = await judge(template.operation, twice.place, template.before);
    const wrong = [...crashed.wrong, ...(await runAgain(context, template, twice.place))];
    const [one, two] = [describeCall(point, template.place.directory), describeCall(next, from.directory)];
    tally.note(`${template.operation.name}: killed before ${one}, then before ${two}`, wrong, crashed.left);
  });
  rmSync(again.from.directory, { recursive: true, force: true });
}

/** The calls of the run that recovers; `undefined` when there is nothing left to do because the first was complete. */
async function recoveryOf(
  context: SuiteContext,
  template: Template,
  crashed: Place,
): Promise<{ from: Place; points: readonly Call[] } | undefined> {
  const { left } = await judge(template.operation, crashed, template.before);
  if (left === 'new' && template.operation.makes === 'export') return undefined;
  const from = copyPlace(crashed, join(context.directory, 'crashed-kept'));
  return { from, points: await pointsOf({ ...template, place: from }, context.bugs) };
}
