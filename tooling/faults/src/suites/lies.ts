import { join } from 'node:path';

import { runFaulted } from '../faulted-run.js';
import { misbehaviour } from '../product.js';
import type { Suite, SuiteContext } from '../suite.js';
import { sweep, type Visit } from '../sweep.js';
import { describeCall, type Call } from '../trace.js';

/** The system says that a write was done, and did not do it: what is published must still be what was read. */
export const lies: Suite = {
  name: 'lies',
  about: 'a write is lost although the system says it was done; nothing wrong may be published',
  needs: ['strace'],
  run: (context) =>
    sweep(context, { ciPoints: { job: 4, other: 0 }, ciTrees: 0, isPoint: isDataWrite }, (visit) =>
      lieAt(context, visit),
    ),
};

/** A write into the database that is built, or into the export. Locks and notes hold no data. */
function isDataWrite({ name, args }: Call): boolean {
  return (name === 'pwrite64' || name === 'write') && /\/runs\/|\/\.deespec-export-/u.test(args);
}

async function lieAt(context: SuiteContext, { template, point, worker, tally }: Visit<Call>): Promise<void> {
  const { operation, place } = template;
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
  const after = await template.judge.ended(lied.place, lied.run);
  const wrong = [...misbehaviour(lied.run), ...after.wrong];
  if (lied.run.exitCode === operation.exitCode && after.left === 'old')
    wrong.push('success without the new state');
  tally.note(`${operation.name}: lost ${describeCall(point, place.directory)}`, wrong, after.left);
}
