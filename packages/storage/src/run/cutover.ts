import { displayPath, modeMeanings, StorageError, type StorageMode } from '@deespec/domain';
import { openFileStorage } from '@deespec/file-adapter';

import { homePaths, type HomePaths } from '../home.js';
import { migrate } from '../migrate.js';
import { requireNoConflicts } from '../mode.js';
import { requireFit } from '../preflight.js';
import { grantedMode } from '../setting.js';
import { passOver, type SyncOptions, type SyncResult } from '../sync.js';
import { verify } from '../verify.js';
import { alone, base, finishRun, requireKind, type RunGoal, type StepsOf } from './begin.js';
import type { StepResult } from './journal.js';
import type { Run, Step } from './machine.js';
import { modeInForce } from './mode-in-force.js';
import type { CutoverOptions, RunReport, StepReport } from './reports.js';
import { backup, requireStopped, runOptions, start, stop, switchMode } from './steps.js';

/**
 * Makes the database the truth of a tree, in the seven steps of the strategy document: stop writers, back up, dry run, migrate (or
 * `sync` where both stores are in use), verify everything, switch, start. One run from its journal: killed at any point, the same
 * command continues; when a step fails before the switch, everything is as it was and writers go on.
 *
 * @throws StorageError of the step that failed, with `details.step`; `RUN.UNFINISHED` while a rollback is not over; `LOCK.HELD`
 *
 * Source: migration strategy, "Phase 3: Cutover Process"; docs/adr/0020.
 */
export async function cutover(options: CutoverOptions): Promise<RunReport> {
  const startedMs = performance.now();
  const paths = homePaths(options.home);
  return alone(options.home, async (unfinished) => {
    if (unfinished !== undefined) {
      requireKind(unfinished, 'cutover');
      return options.dryRun === true
        ? { ...planned(options, unfinished, startedMs), continued: true }
        : finishRun(options, unfinished, stepsOf);
    }
    const from = await grantedMode(paths);
    const how = options.quarantine === true ? 'quarantine' : 'plain';
    const goal: RunGoal = { kind: 'cutover', from, to: 'sqlite', how };
    if (modeMeanings[from].reads === 'sqlite')
      return { ...base(options, { ...goal, to: from }, startedMs), outcome: 'nothing' };
    preflight(paths);
    if (options.dryRun !== true) return finishRun(options, goal, stepsOf);
    return { ...planned(options, goal, startedMs), steps: await tried(options, goal) };
  });
}

/** What can be refused before anybody is stopped. */
function preflight(paths: HomePaths): void {
  requireFit(paths);
  requireNoConflicts(openFileStorage({ home: paths.home }).store.listConflicts().length, 'sqlite');
}

const stepsOf: StepsOf = ({ from }) => [
  stop,
  backup,
  ...(from === 'file' ? [tryMigration, migration] : [trySync, syncing]),
  verification,
  switchMode,
  start,
];

/** Every step, by name: none is tried. */
function planned(options: CutoverOptions, goal: RunGoal, startedMs: number): RunReport {
  const steps = stepsOf(goal).map(({ name, about }) => ({ name, about }));
  return { ...base(options, goal, startedMs), outcome: 'planned', steps };
}

/** Every step; the dry run of the migration is tried, because nobody has to be stopped for it. */
async function tried(options: CutoverOptions, goal: RunGoal): Promise<StepReport[]> {
  const reports: StepReport[] = [];
  for (const { name, about, run } of stepsOf(goal)) {
    if (name !== 'dry-run') {
      reports.push({ name, about });
      continue;
    }
    const startedMs = performance.now();
    const result = await run({ paths: homePaths(options.home), options, record: { ...nobody, ...goal } });
    reports.push({ name, about, ms: Math.round(performance.now() - startedMs), result });
  }
  return reports;
}

/** A run that only tries has no journal. */
const nobody = { id: '', startedAt: '', wasStopped: false, hadService: false, done: [] };

async function migrateFor(run: Run, dryRun: boolean): Promise<StepResult> {
  const { outcome, digest, equation, quarantined, findings } = await migrate({
    ...runOptions(run),
    dryRun,
    quarantine: run.record.how === 'quarantine',
  });
  const { entries, bytes } = equation.stored;
  return { outcome, digest, entries, bytes, quarantined, findings: findings.length };
}

const tryMigration: Step = {
  name: 'dry-run',
  about: 'migrate into a temporary database, prove it, and discard it',
  run: (run) => migrateFor(run, true),
};

const migration: Step = {
  name: 'migrate',
  about: 'migrate the tree into its database',
  requires: requireStopped,
  run: (run) => migrateFor(run, false),
};

const trySync: Step = {
  name: 'dry-run',
  about: 'see what differs between files and database',
  run: trySyncFor,
};

const syncing: Step = {
  name: 'sync',
  about: 'bring files and database into step',
  requires: requireStopped,
  run: async (run) => {
    const report = await pass(run);
    requireInStep(report);
    return summary(report);
  },
};

/** A pass over both stores in the mode in force, whatever `setting.json` asks for. */
export async function pass(
  { paths, options: { signal } }: Run,
  options: Omit<SyncOptions, 'home'> = {},
): Promise<SyncResult> {
  const stopping = signal === undefined ? {} : { signal };
  return passOver(paths, { ...options, ...stopping }, () => modeInForce(paths));
}

/** What a pass would do, in numbers. */
export async function trySyncFor(run: Run): Promise<StepResult> {
  let different = 0;
  const { scanned } = await pass(run, { dryRun: true, onAction: () => (different += 1) });
  return { scanned, different };
}

/** What a pass did, in numbers. */
export function summary({ scanned, imported, projected, conflicts }: SyncResult): StepResult {
  return { scanned, imported, projected, conflicts: conflicts.length };
}

function requireInStep({ failed, unstable, conflicts }: SyncResult): void {
  requireNoConflicts(conflicts.length, 'sqlite');
  if (failed.length === 0 && unstable.length === 0) return;
  const paths = [...failed.map(({ path }) => path), ...unstable].slice(0, 20).map(displayPath);
  throw new StorageError(
    'MODE.REFUSED',
    `${failed.length + unstable.length} paths cannot be brought into step`,
    {
      hint: 'see why with "deespec sync"',
      details: { paths },
    },
  );
}

const verification: Step = {
  name: 'verify',
  about: 'compare every byte of the tree with the database, by the independent verifier',
  requires: ({ paths }) => requireUnswitched(modeInForce(paths)),
  run: async (run) => {
    const { ok, treeDigest, differenceCount, differences, equation } = await verify({
      ...runOptions(run),
      checkAll: true,
    });
    if (ok) return { digest: treeDigest, ...equation.stored };
    throw new StorageError('TRANSFER.MISMATCH', `${differenceCount} differences between files and database`, {
      hint: 'see them with "deespec verify --check-all"',
      details: { differenceCount, differences: differences.slice(0, 20) },
    });
  },
};

/** The files are still what is read. */
function requireUnswitched(mode: StorageMode): void {
  if (modeMeanings[mode].reads === 'files') return;
  throw new StorageError('RUN.UNFINISHED', `the mode was changed to ${mode} in the middle of a cutover`, {
    hint: 'deespec rollback takes the cut-over back',
    details: { mode },
  });
}
