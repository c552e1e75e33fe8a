import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import type { Report } from './report.js';

/** What a ratio may grow by between two runs before it is a regression. */
export const MOST_GROWTH = 1.2;

/** The figures of the last run that was kept, which is committed. */
export const resultsFile = fileURLToPath(new URL('../results.json', import.meta.url));

/** What a kept run says: enough to compare with, on whatever machine it was. */
export interface KeptResults {
  /** SBIs of its tree; ratios of trees of other sizes are not compared. */
  readonly sbis: number;
  /** Of its backups, bytes. */
  readonly backupBytes: number;
  readonly runs: number;
  readonly cpu: string;
  readonly node: string;
  /** By name of the case. */
  readonly ratios: Readonly<Record<string, number>>;
}

/** A ratio beside that of the kept run. */
export interface Comparison {
  readonly name: string;
  readonly before: number;
  readonly now: number;
  /** Above {@link MOST_GROWTH}. */
  readonly isRegression: boolean;
}

/** What is kept of a run. @param backupBytes - size of the database that was backed up */
export function keptResults(
  { machine, runs, tree, cases, queries }: Report,
  backupBytes: number,
): KeptResults {
  const named = [
    ...cases.map(({ name, ratio }) => [name, ratio] as const),
    ...queries.flatMap(({ name, toBare }) => (toBare === undefined ? [] : [[name, toBare] as const])),
  ];
  return {
    sbis: tree.sbis,
    backupBytes,
    runs,
    cpu: machine.cpu,
    node: machine.node,
    ratios: Object.fromEntries(named.map(([name, ratio]) => [nameOf(name), Number(ratio.toFixed(3))])),
  };
}

/** A name without the counts in it, which another tree has others of. */
function nameOf(name: string): string {
  return name.replace(/ \(\d+ items\)/u, '').replace(/ of \d+ items/u, ' of some items');
}

/** The kept run, or `undefined` when there is none. @throws Error when it is no JSON */
export function readKept(file: string): KeptResults | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as KeptResults;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Every ratio that both runs have; `undefined` when they are not of the same size. */
export function compareRatios(before: KeptResults, now: KeptResults): readonly Comparison[] | undefined {
  if (before.sbis !== now.sbis || before.backupBytes !== now.backupBytes) return undefined;
  return Object.entries(now.ratios).flatMap(([name, ratio]) => {
    const last = before.ratios[name];
    if (last === undefined) return [];
    return [{ name, before: last, now: ratio, isRegression: ratio > last * MOST_GROWTH }];
  });
}
