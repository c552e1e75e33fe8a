import { displayPath } from '@deespec/domain';
import { removeTree } from '@deespec/file-adapter';
import { digestTree } from '@deespec/verifier';
import { join } from 'node:path';
import { ulid } from 'ulid';

import { homePaths, type HomePaths } from '../home.js';
import { programVersion } from '../manifest.js';
import { migrate } from '../migrate.js';
import { makeOwnDirectory } from '../own-directory.js';
import { requireFit, requireSpace } from '../preflight.js';
import type { RunOptions } from '../reports.js';
import { sync } from '../sync.js';
import { cutover } from './cutover.js';
import { requireNoRun } from './journal.js';
import { takeRunLock } from './lock.js';
import { makeCopies, type Copies } from './rehearsal-copy.js';
import { keepRehearsal, type RehearsalPhase, type RehearsalRecord } from './rehearsal-record.js';
import { makeWrites, planWrites, type Round } from './rehearsal-writes.js';
import { rollback } from './rollback.js';
import { walk } from './walk.js';

/** What {@link rehearse} takes. */
export interface RehearseOptions extends RunOptions {
  /** Changes between cut-over and rollback; default 500. */
  readonly writes?: number;
  /** Any number: the same one makes the same changes. Default: the present time. */
  readonly seed?: number;
  /** Keep entries that break a rule as quarantined, as the cut-over would. */
  readonly quarantine?: boolean;
  /** Leaves the copies where they are. */
  readonly keep?: boolean;
  /** Called when a part begins. */
  readonly onPhase?: (name: string) => void;
}

/** What {@link rehearse} proved. */
export interface RehearsalReport extends RehearsalRecord {
  readonly home: string;
  readonly seed: number;
  /** Changes that both copies refused, because the layout has no place for them. */
  readonly refused: number;
  /** What differs; `[]` when nothing does. */
  readonly problems: readonly string[];
  /** Where the copies are, when they were kept. */
  readonly kept?: string;
  readonly durationMs: number;
}

/** Two copies, two databases and what is built beside: so many times the tree. */
const SPACE_FACTOR = 6;

/**
 * Tries a whole cut-over on a copy of the tree: migrate, cut over, change things at random through the API and as a program that knows
 * nothing of us, roll back. A second copy never leaves its files and gets the same changes: in the end both are the same, byte for
 * byte, or it is not ok. The tree itself is only read. The proof is kept; `cutover` shows it.
 *
 * @throws StorageError of a part that failed; `PREFLIGHT.*`, `LOCK.HELD`, `RUN.UNFINISHED`, `INTERRUPTED`
 *
 * Source: docs/adr/0020.
 */
export async function rehearse(options: RehearseOptions): Promise<RehearsalReport> {
  const startedMs = performance.now();
  const paths = homePaths(options.home);
  requireFit(paths);
  const release = takeRunLock(paths);
  const directory = join(paths.rehearsal, ulid());
  try {
    requireNoRun(paths, 'rehearse');
    requireSpace(paths, treeBytes(paths) * SPACE_FACTOR);
    makeOwnDirectory(paths.rehearsal);
    const report = await rehearseIn(directory, paths, options);
    const { home: _home, seed: _seed, refused: _refused, problems: _problems, ...record } = report;
    keepRehearsal(paths, record);
    const durationMs = Math.round(performance.now() - startedMs);
    return { ...report, ...(options.keep === true ? { kept: directory } : {}), durationMs };
  } finally {
    try {
      if (options.keep !== true) removeTree(directory);
    } finally {
      release();
    }
  }
}

/** What stands in the tree and in the database, at least: for the preflight. */
function treeBytes({ home }: HomePaths): number {
  let bytes = 0;
  for (const { stat } of walk(home, '', (path) => path !== '.storage' && path !== 'backups'))
    bytes += stat?.isFile() === true ? Number(stat.size) : 0;
  return bytes;
}

async function rehearseIn(
  directory: string,
  paths: HomePaths,
  options: RehearseOptions,
): Promise<Omit<RehearsalReport, 'durationMs' | 'kept'>> {
  const { writes = 500, seed = Date.now(), quarantine = false, signal, onProgress } = options;
  const common = {
    ...(signal === undefined ? {} : { signal }),
    ...(onProgress === undefined ? {} : { onProgress }),
  };
  const { phases, timed } = stopwatch(options);
  const rounds = planWrites(writes, seed);
  const copies = await timed('copy', () => makeCopies(paths, directory, common));
  const home = copies.tried;
  await timed('migrate', () => migrate({ home, quarantine, ...common }));
  await timed('cutover', () => cutover({ home, quarantine, ...common }));
  const tried = await timed('writes', () => makeWrites(home, rounds, () => sync({ home, ...common })));
  await timed('sync', () => sync({ home, ...common }));
  await timed('rollback', () => rollback({ home, ...common }));
  const expected = await timed('writes to files', () =>
    makeWrites(copies.kept, rounds, async () => undefined),
  );
  const found = await timed('compare', () => compare(copies, tried, expected));
  return {
    home: paths.home,
    at: new Date().toISOString(),
    version: programVersion(),
    ok: found.problems.length === 0,
    ...found,
    writes: countWrites(rounds),
    refused: tried.filter((outcome) => outcome !== 'done').length,
    entries: copies.entries,
    bytes: copies.bytes,
    phases,
    seed,
  };
}

function countWrites(rounds: readonly Round[]): RehearsalRecord['writes'] {
  const count = (of: (round: Round) => number): number => rounds.reduce((sum, round) => sum + of(round), 0);
  return { api: count(({ changes }) => changes.length), foreign: count(({ files }) => files.length) };
}

interface Compared {
  readonly digest: string;
  readonly expected: string;
  readonly problems: readonly string[];
}

/** Digests of both, and the first entries that differ. */
async function compare(
  { tried, kept }: Copies,
  outcomes: readonly string[],
  expected: readonly string[],
): Promise<Compared> {
  const [one, other] = [await digestTree(tried), await digestTree(kept)];
  const isSame = outcomes.length === expected.length && outcomes.every((name, i) => name === expected[i]);
  const problems = [
    ...(isSame ? [] : ['a change was refused in one mode only']),
    ...(one.digest === other.digest ? [] : await differing(tried, kept)),
  ];
  return { digest: one.digest, expected: other.digest, problems };
}

/** The first entries in which two trees differ. */
async function differing(tried: string, kept: string): Promise<string[]> {
  const [one, other] = [await linesOf(tried), await linesOf(kept)];
  return [
    ...[...one].filter((line) => !other.has(line)).map((line) => `after the rollback: ${line}`),
    ...[...other].filter((line) => !one.has(line)).map((line) => `in files alone: ${line}`),
  ].slice(0, LISTED);
}

/** Differences that are listed. */
const LISTED = 20;

async function linesOf(directory: string): Promise<ReadonlySet<string>> {
  const lines = new Set<string>();
  await digestTree(directory, { onLine: (line) => void lines.add(displayPath(line.toString('latin1'))) });
  return lines;
}

function stopwatch({ onPhase, signal }: RehearseOptions): {
  readonly phases: RehearsalPhase[];
  readonly timed: <T>(name: string, work: () => Promise<T>) => Promise<T>;
} {
  const phases: RehearsalPhase[] = [];
  const timed = async <T>(name: string, work: () => Promise<T>): Promise<T> => {
    signal?.throwIfAborted();
    onPhase?.(name);
    const startedMs = performance.now();
    const result = await work();
    phases.push({ name, ms: Math.round(performance.now() - startedMs) });
    return result;
  };
  return { phases, timed };
}
