// What the background service says of itself: shapes alone, for the service, its clients and its jobs.

import type { StorageMode } from '@deespec/domain';

/** What the service does by the clock: `backup` makes one and prunes the old ones, `check` reads every byte of both stores. */
export type JobName = 'backup' | 'check';

/** When each job runs: a cron pattern in the time of this machine, or `off`. */
export type Schedules = Readonly<Record<JobName, string>>;

/** A job and its runs. Times are UTC, fixed width. */
export interface ScheduleStatus {
  readonly name: JobName;
  readonly pattern: string;
  /** Absent when it is off. */
  readonly next?: string;
  /** Absent before the first run of this service. */
  readonly last?: {
    readonly at: string;
    readonly durationMs: number;
    readonly ok: boolean;
    readonly message: string;
  };
}

/** What a run says of itself. */
export interface JobResult {
  readonly ok: boolean;
  readonly message: string;
}

/** How the background service is. Times are UTC, fixed width. */
export interface ServiceStatus {
  readonly pid: number;
  readonly since: string;
  /**
   * `watching`: it keeps two stores in step; `waiting`: there is nothing to keep in step in this mode or state; `failing`: it cannot, says
   * why in `problem`, and tries again.
   */
  readonly state: 'watching' | 'waiting' | 'failing';
  /** Absent before it could be read. */
  readonly mode?: StorageMode;
  /** The last pass that did something, and the first. */
  readonly lastPass?: { readonly at: string; readonly wrote: number; readonly debts: number };
  /** What went wrong last. */
  readonly problem?: { readonly at: string; readonly code: string; readonly message: string };
  readonly schedules: readonly ScheduleStatus[];
  /** Lines of the log that could not be written. */
  readonly lostLogLines: number;
}
