import { StorageError } from '@deespec/domain';
import { ulid } from 'ulid';

import { homePaths } from '../home.js';
import { livingProcesses } from '../service/registry.js';
import { readStopped } from '../service/stopped.js';
import { continuation, readRun, type RunKind, type RunRecord } from './journal.js';
import { takeRunLock } from './lock.js';
import { carryOut, type Run, type Step } from './machine.js';
import { lastRehearsal } from './rehearsal-record.js';
import type { RunReport, RunRequest } from './reports.js';
import { undo } from './steps.js';

/** What is fixed when a run begins. */
export type RunGoal = Pick<RunRecord, 'kind' | 'from' | 'to' | 'how'>;

/** The steps of a run, by what it is about. */
export type StepsOf = (record: RunGoal) => readonly Step[];

/** Begins a run, or goes on with the one that was cut off, to its end. Runs under the run's lock. */
export async function finishRun(
  options: RunRequest,
  goal: RunGoal | RunRecord,
  stepsOf: StepsOf,
): Promise<RunReport> {
  const startedMs = performance.now();
  const paths = homePaths(options.home);
  const record = 'id' in goal ? goal : beginRecord(options, goal);
  const run: Run = { paths, options, record };
  const steps = await carryOut(run, stepsOf(record), undo);
  return {
    ...base(options, goal, startedMs),
    runId: record.id,
    outcome: 'done',
    continued: 'id' in goal,
    steps,
  };
}

function beginRecord({ home }: RunRequest, goal: RunGoal): RunRecord {
  const paths = homePaths(home);
  return {
    ...goal,
    id: ulid(),
    startedAt: new Date().toISOString(),
    wasStopped: readStopped(paths) !== undefined,
    hadService: livingProcesses(paths).some(({ role }) => role === 'service'),
    done: [],
  };
}

/** A report without what was done. */
export function base(
  { home, dryRun = false }: RunRequest,
  { kind, from, to }: RunGoal,
  startedMs: number,
): Omit<RunReport, 'outcome'> {
  const paths = homePaths(home);
  const rehearsal = lastRehearsal(paths);
  return {
    kind,
    home: paths.home,
    dryRun,
    continued: false,
    from,
    to,
    steps: [],
    ...(rehearsal === undefined ? {} : { rehearsal }),
    warnings: [],
    durationMs: Math.round(performance.now() - startedMs),
  };
}

/** Runs `work` alone among all runs of the tree, with the run that was cut off. */
export async function alone<T>(
  home: string,
  work: (unfinished: RunRecord | undefined) => Promise<T>,
): Promise<T> {
  const paths = homePaths(home);
  const release = takeRunLock(paths);
  try {
    return await work(readRun(paths));
  } finally {
    release();
  }
}

/** @throws StorageError `RUN.UNFINISHED` for a run of another kind */
export function requireKind(record: RunRecord, kind: RunKind): void {
  if (record.kind === kind) return;
  throw new StorageError('RUN.UNFINISHED', `a ${record.kind} is not over`, {
    hint: continuation(record),
    details: { run: record.id, kind: record.kind },
  });
}
