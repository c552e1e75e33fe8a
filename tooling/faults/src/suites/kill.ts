import { rmSync } from 'node:fs';
import { join } from 'node:path';

import { chooseOperations } from '../operation.js';
import { eachInParallel, sample } from '../parallel.js';
import { copyPlace, type Place } from '../place.js';
import { makeTemplate, pointsOf, wasHit, type Template } from '../points.js';
import { endingOf, misbehaviour, runProduct } from '../product.js';
import { judge, residue } from '../state.js';
import { killStrays, traced } from '../strace.js';
import type { Bad, Suite, SuiteContext, SuiteReport } from '../suite.js';
import { describeCall, type Call } from '../trace.js';

/** Kill points per operation in the CI share. */
const CI_POINTS = 16;

/** SIGKILL before every system call that changes something; then the same command again. */
export const kill: Suite = {
  name: 'kill',
  about: 'SIGKILL before each system call that changes something; the next run must finish by itself',
  needs: ['strace'],
  run: async (context) => {
    const bad: Bad[] = [];
    const tally = { points: 0, missed: 0, old: 0, new: 0 };
    const facts: Record<string, number> = {};
    for (const operation of chooseOperations(context.only)) {
      const template = await makeTemplate(context.directory, operation);
      const all = await pointsOf(template, context.bugs);
      const chosen = context.share === 'full' ? all : sample(all, CI_POINTS);
      await eachInParallel(chosen, context.workers, async (point, worker) => {
        const outcome = await killAt(context, template, { point, worker });
        if (outcome === undefined) tally.missed += 1;
        else {
          tally.points += 1;
          tally[outcome.left] += 1;
          bad.push(...outcome.bad);
        }
      });
      facts[`${operation.name}`] = chosen.length;
      context.say(`  ${operation.name}: ${chosen.length} of ${all.length} calls, ${bad.length} bad so far`);
    }
    return report(tally, bad, facts);
  },
};

function report(
  { points, missed, ...left }: { points: number; missed: number; old: number; new: number },
  bad: readonly Bad[],
  facts: Record<string, number>,
): SuiteReport {
  return { points, bad, facts: { ...facts, 'left old': left.old, 'left new': left.new, 'not hit': missed } };
}

/** Tries before a call that the runtime moves about counts as missed. */
const TRIES = 3;

/** Kills one run and looks; `undefined` when the kill did not hit a call in the place. */
async function killAt(
  context: SuiteContext,
  template: Template,
  { point, worker }: { point: Call; worker: number },
): Promise<{ left: 'old' | 'new'; bad: Bad[] } | undefined> {
  const { operation, before } = template;
  const directory = join(context.directory, `worker-${worker}`);
  const place = await runUntilKilled(context, template, { point, directory });
  if (place === undefined) return undefined;
  const name = `${operation.name}: killed before ${describeCall(point, template.place.directory)}`;
  const crashed = await judge(operation, place, before);
  const recovered = await recover(context, template, place);
  const wrong = [...crashed.wrong.map((what) => `after the kill: ${what}`), ...recovered];
  if (wrong.length === 0) rmSync(place.directory, { recursive: true, force: true });
  return { left: crashed.left, bad: wrong.map((what) => ({ point: name, what })) };
}

/** Runs the operation in a fresh copy and kills it at the point. */
export async function runUntilKilled(
  context: SuiteContext,
  template: Template,
  { point, directory, again }: { point: Call; directory: string; again?: Place },
): Promise<Place | undefined> {
  for (let attempt = 1; attempt <= TRIES; attempt += 1) {
    const place = copyPlace(again ?? template.place, directory);
    const file = `${directory}.trace`;
    const injection = { call: point.name, when: String(point.ordinal), fault: 'signal=SIGKILL' };
    const run = await runProduct({
      args: template.operation.args(place),
      bugs: context.bugs,
      wrapper: traced(file, [injection], [point.name]),
    });
    if (run.timedOut) killStrays(directory);
    if (run.signal === 'SIGKILL' && wasHit(file, point, place)) return place;
  }
  return undefined;
}

/** The same command again, undisturbed: it must end as it should, leave the new state and nothing else. */
export async function recover(context: SuiteContext, template: Template, place: Place): Promise<string[]> {
  const { operation, before } = template;
  const run = await runProduct({ args: operation.args(place), bugs: context.bugs });
  const wrong = misbehaviour(run);
  // An export that was complete when it was killed stands in the way of the next: that is its being complete.
  const isDone = operation.makes === 'export' && run.document?.error?.code === 'EXPORT.TARGET_NOT_EMPTY';
  if (run.exitCode !== operation.exitCode && !isDone) wrong.push(endingOf(run));
  const settled = await judge(operation, place, before);
  wrong.push(...settled.wrong);
  if (settled.left !== 'new') wrong.push('the target is not the new state');
  const left = residue(place);
  if (left.length > 0) wrong.push(`left behind: ${left.join(', ')}`);
  return wrong.map((what) => `after the next run: ${what}`);
}
