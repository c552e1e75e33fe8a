import { join } from 'node:path';

import { FaultTally, recover, runFaulted } from '../faulted-run.js';
import { chooseOperations } from '../operation.js';
import { eachInParallel, sample } from '../parallel.js';
import { makeTemplate, pointsOf, type Template } from '../points.js';
import { judge } from '../state.js';
import type { Suite, SuiteContext } from '../suite.js';
import { describeCall, type Call } from '../trace.js';

/** Kill points per operation in the CI share. */
const CI_POINTS = 8;

/** SIGKILL before every system call that changes something; then the same command again. */
export const kill: Suite = {
  name: 'kill',
  about: 'SIGKILL before each system call that changes something; the next run must finish by itself',
  needs: ['strace'],
  run: async (context) => {
    const tally = new FaultTally(context.say);
    const facts: Record<string, number> = {};
    for (const operation of chooseOperations(context.only)) {
      const template = await makeTemplate(context.directory, operation);
      const all = await pointsOf(template, context.bugs);
      const chosen = context.share === 'full' ? all : sample(all, CI_POINTS);
      await eachInParallel(chosen, context.workers, (point, worker) =>
        killAt(context, template, { point, worker, tally }),
      );
      facts[operation.name] = chosen.length;
      context.say(
        `  ${operation.name}: ${chosen.length} of ${all.length} calls, ${tally.bad.length} bad so far`,
      );
    }
    return { points: tally.points, bad: tally.bad, facts: { ...facts, ...tally.facts } };
  },
};

async function killAt(
  context: SuiteContext,
  template: Template,
  { point, worker, tally }: { point: Call; worker: number; tally: FaultTally },
): Promise<void> {
  const directory = join(context.directory, `worker-${worker}`);
  const killed = await runFaulted(context, template, {
    point,
    directory,
    fault: 'signal=SIGKILL',
    reach: 'once',
  });
  if (killed === undefined) {
    tally.missed += 1;
    return;
  }
  const { operation, before, place } = template;
  const crashed = await judge(operation, killed.place, before);
  const wrong = [
    ...crashed.wrong.map((what) => `after the kill: ${what}`),
    ...(await recover(context, template, killed.place)),
  ];
  tally.note(`${operation.name}: killed before ${describeCall(point, place.directory)}`, wrong, crashed.left);
}
