import { isStorageError, StorageError, systemError } from '@deespec/domain';
import { writeFileDurably } from '@deespec/file-adapter';
import { toStorageError } from '@deespec/sqlite-adapter';
import { join } from 'node:path';

import type { HomePaths } from '../home.js';
import { makeOwnDirectory, removeUnfinished } from '../own-directory.js';
import { removeRun, writeRun, type RunRecord, type StepResult } from './journal.js';
import type { RunRequest, StepReport } from './reports.js';

/** A run that is carried out. */
export interface Run {
  readonly paths: HomePaths;
  readonly options: RunRequest;
  /** As it stands in the journal, and what was done since. */
  record: RunRecord;
}

/** One step of a run. */
export interface Step {
  readonly name: string;
  /** What it does, in words. */
  readonly about: string;
  /** Done again by a run that continues, because what it brought about may be over. */
  readonly isRenewed?: true;
  /** Whether this run has it; absent: it has. */
  readonly isNeeded?: (run: Run) => boolean;
  /** What must hold before it. @throws StorageError */
  readonly requires?: (run: Run) => void | Promise<void>;
  /** Does it; whatever a crash left of an earlier attempt, it can be done again. */
  readonly run: (run: Run) => Promise<StepResult>;
  /** Looks whether it was done, by another way than it was done. @throws StorageError */
  readonly check?: (run: Run, result: StepResult) => void | Promise<void>;
  /** True once it cannot be taken back: then the run stays begun when it fails, and the same command continues it. */
  readonly isPassed?: (run: Run) => boolean;
}

/** Takes back what a run did to the outside. */
export type Undo = (run: Run) => Promise<void>;

/**
 * Carries a run out, or on from where it was cut off: what is to be done next is written down durably before it is begun. When a
 * step fails, what the run did to the outside is taken back and the run is over; after a crash it continues.
 *
 * @throws StorageError of the step that failed, with `details.step`, `details.done` and `details.undone`
 *
 * Source: docs/adr/0020.
 */
export async function carryOut(run: Run, steps: readonly Step[], undo: Undo): Promise<StepReport[]> {
  const reports: StepReport[] = [];
  for (const step of steps) {
    if (step.isNeeded?.(run) === false) continue;
    const { name, about } = step;
    const known = run.record.done.find((done) => done.name === name);
    if (known !== undefined && step.isRenewed !== true) {
      reports.push({ name, about, ms: known.ms, result: known.result });
      run.options.onStep?.({ name, about, state: 'kept', ms: known.ms, result: known.result });
      continue;
    }
    reports.push(await carryOutStep(run, step, undo));
  }
  endRun(run, reports);
  return reports;
}

async function carryOutStep(run: Run, step: Step, undo: Undo): Promise<StepReport> {
  const { name, about } = step;
  const startedMs = performance.now();
  try {
    run.options.signal?.throwIfAborted();
    run.record = { ...run.record, begun: name };
    writeRun(run.paths, run.record);
    run.options.onStep?.({ name, about, state: 'begun' });
    await step.requires?.(run);
    const result = await step.run(run);
    await step.check?.(run, result);
    const ms = Math.round(performance.now() - startedMs);
    const others = run.record.done.filter((done) => done.name !== name);
    run.record = { ...run.record, done: [...others, { name, at: new Date().toISOString(), ms, result }] };
    run.options.onStep?.({ name, about, state: 'done', ms, result });
    return { name, about, ms, result };
  } catch (error) {
    throw await failed(run, { step, error, undo });
  }
}

interface Failure {
  readonly step: Step;
  readonly error: unknown;
  readonly undo: Undo;
}

/** Takes the run back unless it cannot be any more. The first error stays, whatever becomes of that. */
async function failed(run: Run, { step, error, undo }: Failure): Promise<unknown> {
  const known = systemError(error) ?? toStorageError(error, run.paths.database);
  const { record } = run;
  const again = `"deespec ${record.kind}" continues it`;
  let undone = false;
  let hint = `it cannot be taken back any more: when that is mended, ${again}`;
  let cause = known instanceof Error ? known.cause : undefined;
  if (step.isPassed?.(run) !== true) {
    try {
      await undo(run);
      removeRun(run.paths);
      undone = true;
      hint = 'what the run had done to others is taken back: the tree is in the mode it was in';
    } catch (second) {
      hint = `it could not be taken back either: when that is mended, ${again}`;
      cause = new AggregateError([cause, second], 'the run could not be taken back');
    }
  }
  if (!isStorageError(known)) return known;
  const { code, message, details } = known;
  return new StorageError(code, `${record.kind}, step "${step.name}": ${message}`, {
    hint: [known.hint, hint].filter(Boolean).join('; '),
    details: {
      ...details,
      run: record.id,
      step: step.name,
      done: record.done.map(({ name }) => name),
      undone,
    },
    cause,
  });
}

/** Keeps the report of a run that is over; only then is its journal removed. */
function endRun({ paths, record }: Run, steps: readonly StepReport[]): void {
  const { kind, id, from, to, startedAt } = record;
  const report = { kind, id, from, to, startedAt, endedAt: new Date().toISOString(), steps };
  makeOwnDirectory(paths.reports);
  // Whoever has the lock of the one run is alone there.
  removeUnfinished(paths.reports);
  writeFileDurably({
    kind: 'file',
    target: join(paths.reports, `${id}.json`),
    bytes: Buffer.from(`${JSON.stringify(report, undefined, 2)}\n`),
    mode: 0o600,
  });
  removeRun(paths);
}
