import { execa } from 'execa';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import { whyNot } from '../capabilities.js';
import { catalogue } from '../hostile/catalogue.js';
import type { HostileCase } from '../hostile/hostile-case.js';
import { renderPage } from '../hostile/render-page.js';
import { runCase } from '../hostile/run-case.js';
import { eachInParallel } from '../parallel.js';
import type { Bad, Suite, SuiteContext, SuiteReport } from '../suite.js';

/** Input that is broken, misleading or made to harm: one row of the catalogue is one case. */
export const hostile: Suite = {
  name: 'hostile',
  about:
    'hostile names, links, contents, JSON, YAML, journals and options: stored exactly, kept apart or refused',
  needs: [],
  run,
};

async function run(context: SuiteContext): Promise<SuiteReport> {
  const cases = catalogue.flatMap((section) => section.cases);
  const wanted = cases.filter(({ id }) => context.only.length === 0 || context.only.includes(id));
  const chosen = context.share === 'full' ? wanted : shareOf(wanted, context.seed);
  const findings = new Findings();
  const applicable = chosen.filter(({ expect }) => expect.verdict !== 'not applicable');
  const visit = (one: HostileCase): Promise<void> => runOne(one, context, findings);
  await eachInParallel(
    applicable.filter(({ isHeavy }) => isHeavy !== true),
    context.workers,
    visit,
  );
  // One at a time and after the others: their input is made at one go, which holds up every clock of the harness.
  await eachInParallel(
    applicable.filter(({ isHeavy }) => isHeavy === true),
    1,
    visit,
  );
  const { bad, seen, skipped, peakBytes, slowest } = findings;
  const isComplete =
    bad.length === 0 && skipped === 0 && context.share === 'full' && context.only.length === 0;
  return {
    points: seen.size,
    bad,
    facts: {
      ...(skipped === 0 ? {} : { skipped }),
      'largest memory (MiB)': Math.round(peakBytes / 1_048_576),
      'slowest command': `${slowest.id} ${(slowest.ms / 1000).toFixed(1)} s`,
    },
    // Only what every case was seen to do is written down.
    ...(isComplete ? { page: renderPage(catalogue, seen) } : {}),
  };
}

/** A third of the cases that do not take minutes; three seeds in a row are all of them. */
function shareOf(cases: readonly HostileCase[], seed: number): readonly HostileCase[] {
  return cases.filter(({ isHeavy }) => isHeavy !== true).filter((_, at) => (at + seed) % 3 === 0);
}

/** What all cases together have shown. */
class Findings {
  readonly bad: Bad[] = [];
  readonly seen = new Map<string, string>();
  skipped = 0;
  peakBytes = 0;
  slowest = { id: '', ms: 0 };
}

async function runOne(one: HostileCase, context: SuiteContext, findings: Findings): Promise<void> {
  const reason = one.needs?.map((need) => whyNot(need)).find((why) => why !== undefined);
  if (reason !== undefined) {
    findings.skipped += 1;
    return context.say(`${one.id} skipped: ${reason}`);
  }
  const directory = join(context.directory, one.id);
  mkdirSync(directory);
  try {
    const { seen, bad, peakBytes, slowestMs } = await runCase(one, directory, context.bugs);
    findings.seen.set(one.id, seen);
    findings.peakBytes = Math.max(findings.peakBytes, peakBytes);
    if (slowestMs > findings.slowest.ms) findings.slowest = { id: one.id, ms: slowestMs };
    for (const what of bad) findings.bad.push({ point: `${one.id} (${one.input})`, what });
  } finally {
    // Node's own `rm` cannot remove names that are no UTF-8.
    await execa('rm', ['-rf', directory]);
  }
}
