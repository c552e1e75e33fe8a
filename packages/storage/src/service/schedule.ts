import { StorageError, timeFromDate } from '@deespec/domain';
import { Cron } from 'croner';

import type { JobName, JobResult, Schedules, ScheduleStatus } from './service-status.js';

/** By default every byte is checked daily at half past four. */
export const defaultSchedules: Schedules = { check: '30 4 * * *' };

/** A pattern that can be kept to. @throws StorageError `USAGE.INVALID` */
export function requireSchedule(name: string, pattern: string): void {
  if (pattern === 'off') return;
  try {
    new Cron(pattern, { paused: true }).stop();
  } catch (error) {
    throw new StorageError('USAGE.INVALID', `the schedule of ${name} is no cron pattern: "${pattern}"`, {
      hint: 'five fields, such as "30 4 * * *" for daily at half past four; or off',
      cause: error,
    });
  }
}

/** Runs jobs when their time has come: one at a time, and none that is still waiting or at work. A failure is told and shown. */
export class Scheduler {
  private readonly jobs: Job[];
  private tail: Promise<void> = Promise.resolve();
  private isClosed = false;

  /** @param onRun - told of each run that is over */
  constructor(
    schedules: Schedules,
    private readonly run: (name: JobName) => Promise<JobResult>,
    private readonly onRun: (name: JobName, result: JobResult & { readonly durationMs: number }) => void,
  ) {
    this.jobs = (Object.keys(schedules) as JobName[]).map((name) => ({ name, pattern: schedules[name] }));
  }

  begin(): void {
    for (const job of this.jobs) {
      if (job.pattern !== 'off') job.cron = new Cron(job.pattern, () => this.due(job));
    }
  }

  status(): ScheduleStatus[] {
    return this.jobs.map(({ name, pattern, cron, last }) => {
      const next = cron?.nextRun();
      return {
        name,
        pattern,
        ...(next == null ? {} : { next: timeFromDate(next) }),
        ...(last === undefined ? {} : { last }),
      };
    });
  }

  /** Begins no run any more and waits for the one at work. */
  async close(): Promise<void> {
    this.isClosed = true;
    for (const { cron } of this.jobs) cron?.stop();
    await this.tail;
  }

  private due(job: Job): void {
    if (job.isWaiting === true) return;
    job.isWaiting = true;
    this.tail = this.tail.then(() => this.carryOut(job)).finally(() => (job.isWaiting = false));
  }

  private async carryOut(job: Job): Promise<void> {
    if (this.isClosed) return;
    const at = timeFromDate(new Date());
    const startedMs = performance.now();
    const { ok, message } = await this.run(job.name).catch((error: unknown) => ({
      ok: false,
      message: String(error),
    }));
    const durationMs = Math.round(performance.now() - startedMs);
    job.last = { at, durationMs, ok, message };
    this.onRun(job.name, { ok, message, durationMs });
  }
}

interface Job {
  readonly name: JobName;
  readonly pattern: string;
  cron?: Cron;
  last?: NonNullable<ScheduleStatus['last']>;
  isWaiting?: boolean;
}
