import { join } from 'node:path';

import { FaultTally, runFaulted } from '../faulted-run.js';
import { chooseOperations } from '../operation.js';
import { eachInParallel, sample } from '../parallel.js';
import { makeTemplate, pointsOf, type Template } from '../points.js';
import { misbehaviour } from '../product.js';
import { judge } from '../state.js';
import type { Suite, SuiteContext } from '../suite.js';
import { describeCall, type Call } from '../trace.js';

/** Writes per operation that are lied about in the CI share. */
const CI_POINTS = 14;

/** The system says that a write was done, and did not do it: what is published must still be what was read. */
export const lies: Suite = {
  name: 'lies',
  about: 'a write is lost although the system says it was done; nothing wrong may be published',
  needs: ['strace'],
  run: async (context) => {
    const tally = new FaultTally(context.say);
    const facts: Record<string, number> = {};
    for (const operation of chooseOperations(context.only)) {
      if (operation.makes === 'evidence') continue;
      const template = await makeTemplate(context.directory, operation);
      const all = (await pointsOf(template, context.bugs)).filter(isDataWrite);
      const chosen = context.share === 'full' ? all : sample(all, CI_POINTS);
      await eachInParallel(chosen, context.workers, (point, worker) =>
        lieAt(context, template, { point, worker, tally }),
      );
      facts[operation.name] = chosen.length;
      context.say(
        `  ${operation.name}: ${chosen.length} of ${all.length} writes, ${tally.bad.length} bad so far`,
      );
    }
    return { points: tally.points, bad: tally.bad, facts: { ...facts, ...tally.facts } };
  },
};

/** A write into the database that is built, or into the export. Locks and notes hold no data. */
function isDataWrite({ name, args }: Call): boolean {
  return (name === 'pwrite64' || name === 'write') && /\/runs\/|\/\.deespec-export-/u.test(args);
}

async function lieAt(
  context: SuiteContext,
  template: Template,
  { point, worker, tally }: { point: Call; worker: number; tally: FaultTally },
): Promise<void> {
  const { operation, before, place } = template;
  const lied = await runFaulted(context, template, {
    point,
    fault: `retval=${point.result}`,
    reach: 'once',
    directory: join(context.directory, `worker-${worker}`),
  });
  if (lied === undefined) {
    tally.missed += 1;
    return;
  }
  const after = await judge(operation, lied.place, before);
  const wrong = [...misbehaviour(lied.run), ...after.wrong];
  if (lied.run.exitCode === operation.exitCode && after.left === 'old')
    wrong.push('success without the new state');
  tally.note(`${operation.name}: lost ${describeCall(point, place.directory)}`, wrong, after.left);
}
