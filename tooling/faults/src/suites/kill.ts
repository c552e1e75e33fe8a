import { join } from 'node:path';

import { recover, runFaulted } from '../faulted-run.js';
import { judge } from '../state.js';
import type { Suite, SuiteContext } from '../suite.js';
import { sweep, type Visit } from '../sweep.js';
import { describeCall, type Call } from '../trace.js';

/** Kill points per operation in the CI share. */
const CI_POINTS = 8;

/** SIGKILL before every system call that changes something; then the same command again. */
export const kill: Suite = {
  name: 'kill',
  about: 'SIGKILL before each system call that changes something; the next run must finish by itself',
  needs: ['strace'],
  run: (context) => sweep(context, { ciPoints: CI_POINTS }, (visit) => killAt(context, visit)),
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
  const { operation, before, place } = template;
  const crashed = await judge(operation, killed.place, before);
  const wrong = [
    ...crashed.wrong.map((what) => `after the kill: ${what}`),
    ...(await recover(context, template, killed.place)),
  ];
  tally.note(`${operation.name}: killed before ${describeCall(point, place.directory)}`, wrong, crashed.left);
}
