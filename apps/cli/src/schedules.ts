import type { RunServiceOptions } from '@deespec/storage';

/** The options of a command that runs the background service. */
export interface ScheduleOptions {
  readonly backupSchedule?: string | undefined;
  readonly checkSchedule?: string | undefined;
}

/** When the service does what; what was not asked for is as by default. */
export function schedulesFrom({
  backupSchedule: backup,
  checkSchedule: check,
}: ScheduleOptions): NonNullable<RunServiceOptions['schedules']> {
  return { ...(backup === undefined ? {} : { backup }), ...(check === undefined ? {} : { check }) };
}
