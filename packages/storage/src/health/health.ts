import { timeFromDate, type StorageMode } from '@deespec/domain';

import { homePaths, type HomePaths } from '../home.js';
import { programVersion } from '../manifest.js';
import type { RunOptions } from '../reports.js';
import {
  check,
  ok,
  refused,
  worst,
  type CheckLevel,
  type CheckStatus,
  type Found,
  type HealthCheck,
  type Made,
  type Numbers,
} from './check.js';
import { defaultLimits, type HealthLimits } from './limits.js';
import { checkPlace, checkProgram, sqliteFound } from './machine-checks.js';
import type { TreeChecks } from './tree-checks.js';

/** What {@link readHealth} takes. */
export interface HealthOptions extends RunOptions {
  /** Reads every byte first; else the last result of that is shown with its age. Default false. */
  readonly deep?: boolean;
  readonly limits?: Partial<HealthLimits>;
  /** The present; default the clock of this machine. */
  readonly now?: Date;
}

/** What {@link runDoctor} takes. */
export type DoctorOptions = Pick<HealthOptions, 'limits' | 'now'> & {
  /** The tree; absent: there is none, and only the machine is looked at. */
  readonly home?: string;
};

/** Whether a tree can be worked with, and what is in the way. */
export interface HealthReport {
  /** The tree; absent when there is none. */
  readonly home?: string;
  /** Version of this program. */
  readonly version: string;
  /** The storage mode in force; absent without a tree, and when the record of it cannot be read. */
  readonly mode?: StorageMode;
  /** UTC, fixed width. */
  readonly at: string;
  /** The worst of all checks. */
  readonly status: CheckStatus;
  /** The worst of each level; a level without a check is absent. */
  readonly levels: Partial<Record<CheckLevel, CheckStatus>>;
  readonly checks: readonly HealthCheck[];
  /** What was counted and measured; a number that could not be had is absent. Source: docs/health.md, "Metrics". */
  readonly numbers: Numbers;
}

/**
 * Looks at a tree: can this program answer, can the tree be worked with, and, with `deep`, is every byte as it should be. Without
 * `deep` it takes well below a second whatever the size of the tree, and writes nothing; with it the result is kept in
 * `.storage/`, and tree and database stay as they are.
 *
 * @returns what is wrong as checks, never as an error
 * @throws StorageError `TREE.NOT_FOUND`; `INTERRUPTED`
 */
export async function readHealth(options: HealthOptions): Promise<HealthReport> {
  const { home, now = new Date() } = options;
  const paths = homePaths(home);
  const program = await check('live program', sqliteFound);
  const made = program.check.status === 'fail' ? noTree : await treeChecks(paths, { ...options, now });
  return report([program, ...made.made], { ...made, home: paths.home, now });
}

/**
 * Looks at the machine, and at the tree as {@link readHealth} does. Answers where SQLite cannot be loaded, and where there is no
 * tree. Writes nothing.
 */
export async function runDoctor(options: DoctorOptions): Promise<HealthReport> {
  const { home, now = new Date() } = options;
  const machine = await checkProgram();
  const paths = home === undefined ? noTreeFound() : pathsOf(home);
  if ('status' in paths)
    return report([...machine, await check('live tree', () => paths)], { ...noTree, now });
  const place = await checkPlace(paths, now);
  const isAble = machine.every((one) => one.check.name !== 'sqlite' || one.check.status !== 'fail');
  const tree = isAble ? await treeChecks(paths, { ...options, home: paths.home, now }) : noTree;
  return report([...machine, ...place, ...tree.made], { ...tree, home: paths.home, now });
}

function noTreeFound(): Found {
  return ok('there is no .deespec directory here or above: only the machine was looked at');
}

/** The paths of a tree, or why there is none. */
function pathsOf(home: string): HomePaths | Found {
  try {
    return homePaths(home);
  } catch (error) {
    return refused(error);
  }
}

const noTree: TreeChecks = { made: [], past: [], mode: undefined };

async function treeChecks(
  paths: HomePaths,
  { deep, limits: given, now, onProgress, signal }: HealthOptions & { readonly now: Date },
): Promise<TreeChecks> {
  const limits = { ...defaultLimits, ...given };
  // Loaded late: it needs SQLite.
  const { checkTree } = await import('./tree-checks.js');
  const { makeDeepCheck } = await (deep === true ? import('./deep.js') : { makeDeepCheck: undefined });
  const problem = await makeDeepCheck?.({
    paths,
    now,
    ...(onProgress === undefined ? {} : { onProgress }),
    ...(signal === undefined ? {} : { signal }),
  });
  return checkTree({ paths, limits, now, problem });
}

interface Around extends Pick<TreeChecks, 'past' | 'mode'> {
  readonly home?: string;
  readonly now: Date;
}

const levels: readonly CheckLevel[] = ['machine', 'live', 'ready', 'deep'];

function report(made: readonly Made[], { home, now, past, mode }: Around): HealthReport {
  const checks = [...made.map((one) => one.check), ...past];
  const ordered = levels.map((level) => [level, checks.filter((one) => one.level === level)] as const);
  return {
    ...(home === undefined ? {} : { home }),
    version: programVersion(),
    ...(mode === undefined ? {} : { mode }),
    at: timeFromDate(now),
    status: worst(checks),
    levels: Object.fromEntries(
      ordered.filter(([, some]) => some.length > 0).map(([level, some]) => [level, worst(some)]),
    ),
    checks: ordered.flatMap(([, some]) => some),
    numbers: Object.assign({}, ...made.map((one) => one.numbers)) as Numbers,
  };
}
