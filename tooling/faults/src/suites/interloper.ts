import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { allOperations } from '../all-operations.js';
import { isMarkKept, openForeignWriter } from '../dual/foreign-write.js';
import { FaultTally } from '../faulted-run.js';
import { eachInParallel, sample } from '../parallel.js';
import { copyPlace, type Place } from '../place.js';
import { makeTemplate, pointsOf, type Template } from '../points.js';
import {
  endOf,
  endingOf,
  killStrays,
  misbehaviour,
  runProduct,
  startProduct,
  type ProductRun,
} from '../product.js';
import { traced, untilStopped } from '../strace.js';
import type { Suite, SuiteContext } from '../suite.js';
import { describeCall, type Call } from '../trace.js';

const MOST = { ci: 5, full: 400 } as const;

/** Points of each operation that writes into the tree. */
const MOST_WRITES = { ci: 2, full: 100 } as const;
const FOREIGN = 'bytes of somebody else\n';

/**
 * A migration is stopped at a call. Meanwhile a second command must be told who is at work, and a file that somebody puts at
 * the database's name must survive the publication. And a write into the tree is stopped while it replaces a file, into which a
 * program writes that opened it before: its bytes must stay somewhere.
 */
export const interloper: Suite = {
  name: 'interloper',
  about: 'a run is stopped midway: a second command gets 75 with the holder, foreign files and bytes survive',
  needs: ['strace'],
  run: async (context) => {
    const tally = new FaultTally(context.say);
    const asked = allOperations.filter(({ name, kind }) => {
      const isOne = name === 'migrate' || (kind === 'execution-again' && !name.endsWith('.file'));
      return isOne && (context.only.length === 0 || context.only.includes(name));
    });
    for (const operation of asked) {
      const template = await makeTemplate(context.directory, operation);
      const isPoint = operation.writesTree ? inReplacement : inRun;
      const most = (operation.writesTree ? MOST_WRITES : MOST)[context.share];
      const all = (await pointsOf(template, context.bugs)).filter(isPoint);
      await eachInParallel(sample(all, most, context.seed), context.workers, (point, worker) =>
        (operation.writesTree ? writeInto : stopAt)(context, template, { point, worker, tally }),
      );
    }
    return { points: tally.points, bad: tally.bad, facts: { 'not hit': tally.missed } };
  },
};

/** While the file is there under its name, or has just lost it. */
function inReplacement({ args }: Call): boolean {
  return args.includes('/implement_2.md') && !args.includes('/histories/');
}

interface Stop {
  readonly point: Call;
  readonly worker: number;
  readonly tally: FaultTally;
}

async function writeInto(
  context: SuiteContext,
  template: Template,
  { point, worker, tally }: Stop,
): Promise<void> {
  const { operation } = template;
  const directory = join(context.directory, `worker-${worker}`);
  const place = copyPlace(template.place, directory);
  const writer = openForeignWriter(place);
  const stopped = await stopRun(context, template, { point, place });
  writer.write();
  if (stopped === undefined) {
    tally.missed += 1;
    return;
  }
  process.kill(stopped.pid, 'SIGCONT');
  const wrong = misbehaviour(endOf(await stopped.run));
  const sync = await runProduct({ args: ['sync', '--home', place.home], bugs: context.bugs });
  wrong.push(...misbehaviour(sync));
  if (![0, 2].includes(sync.exitCode ?? -1)) wrong.push(`sync: ${endingOf(sync)}`);
  if (!(await isMarkKept(place))) wrong.push('what another program wrote into the replaced file is nowhere');
  tally.note(`${operation.name} stopped at ${describeCall(point, template.place.directory)}`, wrong);
}

/** Starts the operation and waits until it stands still at the point; `undefined` when it did not, and was ended. */
async function stopRun(
  { bugs }: SuiteContext,
  { operation }: Template,
  { point, place }: { point: Call; place: Place },
): Promise<{ pid: number; run: ReturnType<typeof startProduct> } | undefined> {
  const file = `${place.directory}.trace`;
  const injection = { call: point.name, when: String(point.ordinal), fault: 'signal=SIGSTOP' };
  const wrapper = traced(file, [injection], [point.name]);
  const run = startProduct({ args: operation.args(place), bugs, wrapper, timeoutMs: 60_000 });
  const pid = await untilStopped(file, run);
  if (pid !== undefined) return { pid, run };
  killStrays(place.directory);
  await run;
  return undefined;
}

/** Only while the run holds the barrier and has said so, and before it lets go: there, its directory is at work. */
function inRun({ args, name }: Call): boolean {
  return args.includes('/.storage/runs/') && !['rmdir', 'unlink', 'link'].includes(name);
}

async function stopAt(
  context: SuiteContext,
  template: Template,
  { point, worker, tally }: Stop,
): Promise<void> {
  const directory = join(context.directory, `worker-${worker}`);
  const place = copyPlace(template.place, directory);
  const stopped = await stopRun(context, template, { point, place });
  if (stopped === undefined) {
    tally.missed += 1;
    return;
  }
  const second = await runProduct({ args: ['migrate', '--home', place.home] });
  const wrong = [...misbehaviour(second), ...wrongRefusal(second, stopped.pid)];
  const isForeignThere = !existsSync(place.database);
  if (isForeignThere) writeFileSync(place.database, FOREIGN);
  process.kill(stopped.pid, 'SIGCONT');
  const run = endOf(await stopped.run);
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
