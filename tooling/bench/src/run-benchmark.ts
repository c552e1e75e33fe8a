import { readdirSync } from 'node:fs';
import { join } from 'node:path';

import { generateTree, type TreeSummary } from '@deespec/trees';

import { timeBackups } from './backups.js';
import { baselines, cases, type BackupBaseline, type BaselineName, type Case, type Place } from './cases.js';
import { timeLists } from './lists.js';
import { measure, type Command, type Sample } from './measure.js';
import { timeQueries, type QuerySamples } from './queries.js';
import { timeSearches } from './searches.js';
import { timeWrites } from './writes.js';

export interface BenchmarkOptions {
  /** Directory to work in; exists and is empty. `bytesNeeded` says how much disk it takes. */
  readonly directory: string;
  readonly sbis: number;
  /** How often everything is measured, 1 or more; medians are taken over these. */
  readonly runs: number;
  /** Calls of each kind in each mode. */
  readonly writes: number;
  /** Size of the database that is backed up and restored, bytes. */
  readonly backupBytes: number;
  /** Items of the database whose lists are timed. */
  readonly items: number;
  /** Called before each step, and with the figure after each run. */
  readonly onStep: (title: string) => void;
  /** Ends the benchmark between or within two runs with an `AbortError`. */
  readonly signal?: AbortSignal;
}

/** Samples of one case and of its baseline, one of each per round. */
export interface CaseResult {
  readonly case: Pick<Case, 'name' | 'budget'> & { readonly baseline: BaselineName | BackupBaseline };
  readonly samples: readonly Sample[];
  readonly baseline: readonly Sample[];
}

export interface BenchmarkResult {
  readonly tree: TreeSummary;
  readonly cases: readonly CaseResult[];
  readonly queries: readonly QuerySamples[];
  /** Calls of the API in each mode, and a bare transaction. */
  readonly writes: readonly QuerySamples[];
}

/**
 * Generates the tree, reads it once so that every run finds it in the page cache, then measures all cases and baselines in
 * rounds: what disturbs the machine for a while disturbs all of them.
 *
 * @throws Error when a command fails: a benchmark of something that does not work is worth nothing
 */
export async function runBenchmark(options: BenchmarkOptions): Promise<BenchmarkResult> {
  const { directory, sbis, runs, writes, onStep, signal } = options;
  const home = join(directory, '.deespec');
  onStep(`generate ${sbis} SBIs in ${directory}`);
  const tree = generateTree(home, { layout: 'mixed', sbis, seed: 1 });
  const sbiId = readdirSync(join(home, 'specs/sbi'))
    .toSorted()[0]!
    .slice(0, 'SBI-'.length + 26);
  const place = { home, scratch: directory, sbiId };
  onStep('read the tree once: warm cache');
  await measure(baselines.sha256sum(place, 0), signal);
  const results = cases.map((entry) => ({ case: entry, samples: [] as Sample[], baseline: [] as Sample[] }));
  const time = async (title: string, command: Command): Promise<Sample> => {
    onStep(title);
    const sample = await measure(command, signal);
    onStep(`  ${Math.round(sample.wallMs)} ms`);
    return sample;
  };
  for (let round = 1; round <= runs; round += 1) {
    onStep(`round ${round} of ${runs}`);
    await runRound(place, round, { results, time });
  }
  onStep('queries in process');
  const queries = [...(await timeQueries(home)), ...(await timeSearches(home))];
  onStep(`lists of ${options.items} items`);
  queries.push(...(await timeLists(home, options)));
  onStep('writes in process, in each mode');
  const calls = await timeWrites(home, writes);
  const backups = await timeBackups(options);
  return {
    tree,
    cases: [...results, ...backups.cases],
    queries,
    writes: [...calls, ...backups.writes],
  };
}

interface Round {
  readonly results: readonly {
    readonly case: Case;
    readonly samples: Sample[];
    readonly baseline: Sample[];
  }[];
  readonly time: (title: string, command: Command) => Promise<Sample>;
}

/** Each baseline once, directly before the first case that needs it, and each case once. */
async function runRound(place: Place, round: number, { results, time }: Round): Promise<void> {
  const measured = new Map<BaselineName, Sample>();
  for (const { case: entry, samples, baseline } of results) {
    if (!measured.has(entry.baseline)) {
      const command = baselines[entry.baseline](place, round);
      measured.set(entry.baseline, await time(entry.baseline, command));
    }
    entry.prepare?.(place);
    samples.push(await time(entry.name, entry.command(place, round)));
    baseline.push(measured.get(entry.baseline)!);
  }
}
