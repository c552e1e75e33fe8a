import { join } from 'node:path';

import { backupOperations } from '../backup/backup-operations.js';
import { runFaulted, settle } from '../faulted-run.js';
import { runOperations } from '../runs/run-operations.js';
import { schemaOperations } from '../schema/schema-operations.js';
import type { Suite, SuiteContext } from '../suite.js';
import { sweep, type Visit } from '../sweep.js';
import { describeCall, type Call } from '../trace.js';

/** What other suites do not try. */
const further = [...schemaOperations, ...runOperations];

/** SIGKILL before every system call that changes something; then the commands that recover. */
export const kill: Suite = {
  name: 'kill',
  about: 'SIGKILL before each system call that changes something; the next run must finish by itself',
  needs: ['strace'],
  run: (context) =>
    sweep(context, { ciPoints: { job: 3, other: 1 }, ciTrees: 6, further, rare: backupOperations }, (visit) =>
      killAt(context, visit),
    ),
};

async function killAt(context: SuiteContext, { template, point, worker, tally }: Visit<Call>): Promise<void> {
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
  const { operation, place } = template;
  const { wrong, left } = await settle(context, template, killed);
  tally.note(`${operation.name}: killed before ${describeCall(point, place.directory)}`, wrong, left);
}
