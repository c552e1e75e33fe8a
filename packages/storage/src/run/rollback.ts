import { isStorageError, modeMeanings, StorageError, type StorageMode } from '@deespec/domain';
import { openFileStorage } from '@deespec/file-adapter';

import { takeAlone } from '../alone.js';
import { homePaths, type HomePaths } from '../home.js';
import { finishChange } from '../mode.js';
import { readModeChange } from '../mode-change.js';
import { requireFit } from '../preflight.js';
import { grantedMode, requestedMode } from '../setting.js';
import { WriterLock } from '../writer-lock.js';
import { alone, base, finishRun, type RunGoal, type StepsOf } from './begin.js';
import { pass, summary, trySyncFor } from './cutover.js';
import { readExchange } from './exchange-plan.js';
import { exchangeTree } from './exchange.js';
import { removeRun, type RunRecord, type StepResult } from './journal.js';
import type { Run, Step } from './machine.js';
import { modeInForce } from './mode-in-force.js';
import { rebuildTree } from './rebuild.js';
import type { RollbackOptions, RunReport, StepReport } from './reports.js';
import { backup, requireStopped, runOptions, start, stop, switchMode, undo } from './steps.js';

/**
 * Makes the files the truth again, with everything that was written since. From `dual_write` and `sqlite` the files get what they lack,
 * compared before it is put; from `sqlite_only`, from `sqlite` when many files vanished, or when asked to, all of them are built
 * anew from the database, proven, and exchanged. Both stores are compared, every byte, before the mode changes. One run from its
 * journal: killed at any point, the same command continues. A cut-over that was cut off before it switched is taken back.
 *
 * @throws StorageError of the step that failed, with `details.step`; `MODE.REFUSED`, `LOCK.HELD`
 *
 * Source: migration strategy, "Rollback Procedure"; docs/adr/0020.
 */
export async function rollback(options: RollbackOptions): Promise<RunReport> {
  const startedMs = performance.now();
  const paths = homePaths(options.home);
  return alone(options.home, async (unfinished) => {
    if (options.dryRun === true) return tryRollback(options, unfinished);
    if (unfinished?.kind === 'rollback') return finishRun(options, unfinished, stepsOf);
    if (readModeChange(paths) !== undefined) await finishChange(paths);
    if (unfinished !== undefined && modeInForce(paths) === unfinished.from)
      return takeBack(options, unfinished, startedMs);
    const from = unfinished === undefined ? await modeToLeave(paths, options) : modeInForce(paths);
    const goal = goalOf(from, options);
    if (from === 'file') return { ...base(options, goal, startedMs), outcome: 'nothing' };
    requireFit(paths);
    // What the cut-over had stopped, this run starts again.
    const kept = unfinished === undefined ? goal : { ...unfinished, ...goal, done: [] };
    return { ...(await finishRun(options, kept, stepsOf)), continued: false };
  });
}

/** A hand edit may ask for the mode that the rollback brings; a damaged `setting.json` keeps nobody from building it anew. */
async function modeToLeave(paths: HomePaths, { rebuild = false }: RollbackOptions): Promise<StorageMode> {
  if (!rebuild && (await requestedMode(paths)) !== 'file') await grantedMode(paths);
  return modeInForce(paths);
}

function goalOf(from: StorageMode, { rebuild = false }: RollbackOptions): RunGoal {
  if (rebuild && modeMeanings[from].reads === 'files' && from !== 'file') {
    throw new StorageError(
      'MODE.REFUSED',
      `in mode ${from} the files are the truth: they are not built anew`,
      {
        hint: 'deespec rollback, without --rebuild',
        details: { from },
      },
    );
  }
  return { kind: 'rollback', from, to: 'file', how: rebuild || from === 'sqlite_only' ? 'rebuild' : 'plain' };
}

/** A cut-over that had changed nothing yet: whoever it had stopped may begin again. */
async function takeBack(options: RollbackOptions, record: RunRecord, startedMs: number): Promise<RunReport> {
  const paths = homePaths(options.home);
  await undo({ paths, options, record });
  removeRun(paths);
  const goal: RunGoal = { ...record, kind: 'rollback', to: record.from };
  return { ...base(options, goal, startedMs), outcome: 'undone', runId: record.id };
}

/** Every step, and what differs between the stores where that can be seen; nobody is stopped. */
async function tryRollback(options: RollbackOptions, unfinished: RunRecord | undefined): Promise<RunReport> {
  const startedMs = performance.now();
  const paths = homePaths(options.home);
  const known = unfinished?.kind === 'rollback' ? unfinished : undefined;
  const goal = known ?? goalOf(await modeToLeave(paths, options), options);
  if (goal.from === 'file') return { ...base(options, goal, startedMs), outcome: 'nothing' };
  const run: Run = {
    paths,
    options,
    record: { id: '', startedAt: '', wasStopped: false, hadService: false, done: [], ...goal },
  };
  const isTried = known === undefined && look.isNeeded?.(run) !== false;
  const triedMs = performance.now();
  const result = isTried ? await look.run(run) : undefined;
  const ms = Math.round(performance.now() - triedMs);
  const steps = stepsOf(goal)
    .filter((step) => step.isNeeded?.(run) !== false)
    .map(({ name, about }): StepReport => {
      return name === look.name && result !== undefined ? { name, about, ms, result } : { name, about };
    });
  return { ...base(options, goal, startedMs), outcome: 'planned', continued: known !== undefined, steps };
}

const isRebuilt = ({ record }: Run): boolean => record.how === 'rebuild';
const keepsFiles = ({ record }: Run): boolean => record.from !== 'sqlite_only';

/** Finds out what there is to be done; when the files are damaged, that they are to be built anew. */
const look: Step = {
  name: 'dry-run',
  about: 'see what differs between database and files',
  isNeeded: keepsFiles,
  run: async (run) => {
    try {
      return await trySyncFor(run);
    } catch (error) {
      const isDamaged = isStorageError(error, 'SYNC.MASS_DELETION') && run.record.from === 'sqlite';
      if (!isDamaged && !isRebuilt(run)) throw error;
      run.record = { ...run.record, how: 'rebuild' };
      return { rebuild: true, why: error instanceof Error ? error.message : String(error) };
    }
  },
};

/** What other programs wrote into the files goes into the database first, as far as it can. */
const saveChanges: Step = {
  name: 'sync',
  about: 'bring what other programs wrote into the database, as far as possible',
  isNeeded: (run) => isRebuilt(run) && keepsFiles(run),
  requires: requireStopped,
  run: async (run) => {
    try {
      return summary(await pass(run));
    } catch (error) {
      if (!isStorageError(error) || error.code === 'INTERRUPTED') throw error;
      // It stays in the files, which are kept: the exchange names what the database does not have.
      return { stopped: error.code, why: error.message };
    }
  },
};

const rebuild: Step = {
  name: 'rebuild',
  about: 'write the tree of the database beside the files, and prove it',
  isNeeded: isRebuilt,
  requires: requireStopped,
  run: async (run) =>
    underBarrier(run, async () => ({
      ...(await rebuildTree(run.paths, run.record.id, runOptions(run))),
    })),
};

const exchange: Step = {
  name: 'exchange',
  about: 'put it in the place of the files, which go to .storage/trash',
  isNeeded: isRebuilt,
  requires: requireStopped,
  run: async (run) => underBarrier(run, async () => ({ ...exchangeTree(run.paths, run.record.id) })),
  check: ({ paths }) => requireOver(paths),
  isPassed: ({ paths }) => readExchange(paths) !== undefined,
};

function requireOver(paths: HomePaths): void {
  if (readExchange(paths) === undefined) return;
  throw new StorageError('FILE.OUTCOME_UNKNOWN', 'the exchange of the files has not ended', {
    hint: 'run it again: deespec rollback',
  });
}

/** Alone on the tree, with no edit of the files half done. */
async function underBarrier(run: Run, work: () => Promise<StepResult>): Promise<StepResult> {
  const { paths, record } = run;
  const release = await takeAlone(paths, record.kind);
  const writers = new WriterLock(paths);
  try {
    if (readExchange(paths) === undefined)
      await openFileStorage({ home: paths.home, alone: writers.alone }).store.recover();
    return await work();
  } finally {
    await writers.close();
    release();
  }
}

const stepsOf: StepsOf = () => [stop, backup, look, saveChanges, rebuild, exchange, switchMode, start];
