import type { StorageMode } from '@deespec/domain';

import type { RunOptions } from '../reports.js';
import type { RehearsalRecord } from './rehearsal-record.js';
import type { RunKind, StepResult } from './journal.js';

/** A step of a run, as somebody who watches it hears of it. */
export interface StepEvent {
  readonly name: string;
  /** What it does, in words. */
  readonly about: string;
  /** `kept`: a run that was cut off had done it. */
  readonly state: 'begun' | 'done' | 'kept';
  /** Milliseconds; absent when it only begins. */
  readonly ms?: number;
  readonly result?: StepResult;
}

/** What a cut-over and a rollback take. */
export interface RunRequest extends RunOptions {
  /** Tries what can be tried without stopping anybody, and names every step. */
  readonly dryRun?: boolean;
  /** How this program is run, without its arguments, to start the background service again when it ran; absent: it is not. */
  readonly program?: readonly [string, ...string[]];
  readonly onStep?: (event: StepEvent) => void;
}

/** What `cutover` takes. */
export interface CutoverOptions extends RunRequest {
  /** Keep entries that break a rule as quarantined instead of refusing. */
  readonly quarantine?: boolean;
}

/** What `rollback` takes. */
export interface RollbackOptions extends RunRequest {
  /** Write all files anew from the database instead of writing what they lack. */
  readonly rebuild?: boolean;
}

/** One step in a report. */
export interface StepReport {
  readonly name: string;
  readonly about: string;
  /** Absent in a dry run of a step that is not tried. */
  readonly ms?: number;
  readonly result?: StepResult;
}

/** What a cut-over or rollback did, or would do. */
export interface RunReport {
  readonly kind: RunKind;
  /** Absent when there was nothing to do, and in a dry run. */
  readonly runId?: string;
  readonly home: string;
  readonly dryRun: boolean;
  /** `nothing`: the mode was in force; `undone`: a cut-over that had not switched was taken back. */
  readonly outcome: 'done' | 'nothing' | 'undone' | 'planned';
  /** True when it continued a run that was cut off. */
  readonly continued: boolean;
  readonly from: StorageMode;
  readonly to: StorageMode;
  readonly steps: readonly StepReport[];
  /** The last rehearsal on record. */
  readonly rehearsal?: RehearsalRecord;
  readonly warnings: readonly string[];
  readonly durationMs: number;
}
