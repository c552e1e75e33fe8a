import { readdirSync } from 'node:fs';
import { join } from 'node:path';

import { generateTree, type TreeSummary } from '@deespec/trees';

import { baselines, cases, type BaselineName, type Case, type Place } from './cases.js';
import { measure, type Sample } from './measure.js';
import { timeQueries, type QuerySamples } from './queries.js';

export interface BenchmarkOptions {
  /** Directory to work in; exists and is empty. Needs five times the tree's size. */
  readonly directory: string;
  readonly sbis: number;
  /** How often everything is measured, 1 or more; medians are taken over these. */
  readonly runs: number;
  /** Called before each step. */
  readonly onStep: (title: string) => void;
}

/** Samples of one case and of its baseline, one of each per round. */
export interface CaseResult {
  readonly case: Case;
  readonly samples: readonly Sample[];
  readonly baseline: readonly Sample[];
}

export interface BenchmarkResult {
  readonly tree: TreeSummary;
  readonly cases: readonly CaseResult[];
  readonly queries: readonly QuerySamples[];
}

/**
 * Generates the tree, reads it once so that every run finds it in the page cache, then measures all cases and baselines in
 * rounds: what disturbs the machine for a while disturbs all of them.
 *
 * @throws Error when a command fails: a benchmark of something that does not work is worth nothing
 */
export async function runBenchmark({
  directory,
  sbis,
  runs,
  onStep,
}: BenchmarkOptions): Promise<BenchmarkResult> {
  const home = join(directory, '.deespec');
  onStep(`generate ${sbis} SBIs in ${directory}`);
  const tree = generateTree(home, { layout: 'mixed', sbis, seed: 1 });
  const sbiId = readdirSync(join(home, 'specs/sbi'))
    .toSorted()[0]!
    .slice(0, 'SBI-'.length + 26);
  const place = { home, scratch: directory, sbiId };
  onStep('read the tree once: warm cache');
  await measure(baselines.sha256sum(place, 0));
  const results = cases.map((entry) => ({ case: entry, samples: [] as Sample[], baseline: [] as Sample[] }));
  for (let round = 1; round <= runs; round += 1) {
    await runRound(place, round, { results, onStep: (title) => onStep(`round ${round}/${runs}: ${title}`) });
  }
  onStep('queries in process');
  return { tree, cases: results, queries: await timeQueries(home) };
}

interface Round {
  readonly results: readonly {
    readonly case: Case;
    readonly samples: Sample[];
    readonly baseline: Sample[];
  }[];
  readonly onStep: (title: string) => void;
}

/** Each baseline once, directly before the first case that needs it, and each case once. */
async function runRound(place: Place, round: number, { results, onStep }: Round): Promise<void> {
  const measured = new Map<BaselineName, Sample>();
  for (const { case: entry, samples, baseline } of results) {
    if (!measured.has(entry.baseline)) {
      onStep(entry.baseline);
      measured.set(entry.baseline, await measure(baselines[entry.baseline](place, round)));
    }
    entry.prepare?.(place);
    onStep(entry.name);
    samples.push(await measure(entry.command(place, round)));
    baseline.push(measured.get(entry.baseline)!);
  }
}
