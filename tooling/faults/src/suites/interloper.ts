import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { FaultTally } from '../faulted-run.js';
import { operations } from '../operation.js';
import { eachInParallel, sample } from '../parallel.js';
import { copyPlace, type Place } from '../place.js';
import { makeTemplate, pointsOf, type Template } from '../points.js';
import { endOf, endingOf, killStrays, misbehaviour, runProduct, startProduct, type ProductRun } from '../product.js';
import { traced, untilStopped } from '../strace.js';
import type { Suite, SuiteContext } from '../suite.js';
import { describeCall, type Call } from '../trace.js';

const MOST = { ci: 6, full: 400 } as const;
const FOREIGN = 'bytes of somebody else\n';

/**
 * A migration is stopped at a call. Meanwhile a second command must be told who is at work, and a file that somebody puts at
 * the database's name must survive the publication.
 */
export const interloper: Suite = {
  name: 'interloper',
  about: 'a run is stopped midway: a second command gets 75 with the holder, a foreign file survives',
  needs: ['strace'],
  run: async (context) => {
    const tally = new FaultTally(context.say);
    const template = await makeTemplate(context.directory, operations[0]!);
    const all = (await pointsOf(template, context.bugs)).filter(inRun);
    const chosen = sample(all, MOST[context.share], context.seed);
    await eachInParallel(chosen, context.workers, (point, worker) =>
      stopAt(context, template, { point, worker, tally }),
    );
    return { points: tally.points, bad: tally.bad, facts: { 'not hit': tally.missed } };
  },
};

/** Only while the run holds the barrier and has said so, and before it lets go: there, its directory is at work. */
function inRun({ args, name }: Call): boolean {
  return args.includes('/.storage/runs/') && !['rmdir', 'unlink', 'link'].includes(name);
}

async function stopAt(
  context: SuiteContext,
  template: Template,
  { point, worker, tally }: { point: Call; worker: number; tally: FaultTally },
): Promise<void> {
  const directory = join(context.directory, `worker-${worker}`);
  const place = copyPlace(template.place, directory);
  const file = `${directory}.trace`;
  const injection = { call: point.name, when: String(point.ordinal), fault: 'signal=SIGSTOP' };
  const first = startProduct({
    args: template.operation.args(place),
    bugs: context.bugs,
    wrapper: traced(file, [injection], [point.name]),
    timeoutMs: 60_000,
  });
  const stopped = await untilStopped(file, first);
  if (stopped === undefined) {
    tally.missed += 1;
    killStrays(directory);
    await first;
    return;
  }
  const second = await runProduct({ args: ['migrate', '--home', place.home] });
  const wrong = [...misbehaviour(second), ...wrongRefusal(second, stopped)];
  const isForeignThere = !existsSync(place.database);
  if (isForeignThere) writeFileSync(place.database, FOREIGN);
  process.kill(stopped, 'SIGCONT');
  const run = endOf(await first);
  if (run.timedOut) killStrays(directory);
  wrong.push(...misbehaviour(run));
  if (isForeignThere) wrong.push(...wrongWithForeign(run, place));
  tally.note(`migrate stopped at ${describeCall(point, template.place.directory)}`, wrong);
}

function wrongRefusal(second: ProductRun, holder: number): string[] {
  const { error } = second.document ?? {};
  if (second.exitCode !== 75 || error?.code !== 'LOCK.HELD')
    return [`the second command: ${endingOf(second)}`];
  const named = JSON.stringify(error.details['holders'] ?? '');
  const isNamed = ['"pid":' + String(holder), '"host":', '"command":"migrate"', '"since":'].every((part) =>
    named.includes(part),
  );
  return isNamed ? [] : [`the second command does not name the holder: ${named}`];
}

function wrongWithForeign(run: ProductRun, { database }: Place): string[] {
  const isIntact = existsSync(database) && readFileSync(database, 'utf8') === FOREIGN;
  if (!isIntact) return ['a file that appeared at the name of the database was replaced'];
  return run.exitCode === 73 ? [] : [`the run that found a foreign file at its end: ${endingOf(run)}`];
}
