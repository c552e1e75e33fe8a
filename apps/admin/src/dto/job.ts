import { ErrorDto } from './error.js';
import { flag, nested, number, object, oneOf, text, texts, whole } from './property.js';

/** What runs long: each is a command of the CLI. */
export const jobKinds = [
  'backup-create',
  'backup-verify',
  'cutover',
  'migrate',
  'quarantine-retry',
  'rehearse',
  'restore',
  'rollback',
  'sync',
  'verify',
] as const;
export type JobKind = (typeof jobKinds)[number];

export class JobRequest {
  @oneOf(jobKinds) kind!: JobKind;
  @flag({
    optional: true,
    about: 'migrate, cutover, rollback, restore, sync, quarantine-retry: change nothing',
  })
  dryRun?: boolean;
  @flag({ optional: true, about: 'migrate, cutover, rehearse: keep what breaks a rule instead of refusing' })
  quarantine?: boolean;
  @flag({ optional: true, about: 'verify: read every byte of both sides' }) checkAll?: boolean;
  @flag({ optional: true, about: 'rollback: write all files anew' }) rebuild?: boolean;
  @flag({ optional: true, about: 'restore: where files are the truth' }) withTree?: boolean;
  @flag({ optional: true, about: 'sync: take a mass deletion for what it is' }) allowDeletions?: boolean;
  @text({ optional: true, pattern: /^backup_\d{8}_\d{6}_\d{6,9}$/u, about: 'backup-verify, restore' })
  backupId?: string;
  @text({ optional: true, max: 1_000, about: 'backup-create: why' }) note?: string;
  @whole({ optional: true, min: 0, max: 100_000, about: 'rehearse: changes in between' }) writes?: number;
  @text({
    optional: true,
    max: 1_000,
    about: 'migrate, cutover, rollback, restore without dryRun: the name of the project, typed again',
  })
  confirm?: string;
}

export class JobProgressDto {
  @text({ about: 'scan, load, compare, verify, write or publish' }) phase!: string;
  @whole() doneBytes!: number;
  @whole({ optional: true, about: 'absent while it is not known' }) totalBytes?: number;
  @whole() doneEntries!: number;
  @number({ optional: true, about: 'of this phase' }) etaSeconds?: number;
}

export class JobStepDto {
  @text() name!: string;
  @text({ about: 'in words' }) about!: string;
  @oneOf(['begun', 'done', 'kept'], { about: 'kept: a run that was cut off had done it' }) state!: string;
  @whole({ optional: true }) ms?: number;
}

/** A long job: running, or how it ended. */
export class JobDto {
  @text() id!: string;
  @oneOf(jobKinds) kind!: JobKind;
  @flag() dryRun!: boolean;
  @oneOf(['running', 'done', 'failed', 'cancelled']) state!: string;
  @flag({ about: 'somebody asked it to stop; it ends where nothing is left half done' }) stopping!: boolean;
  @text({ about: 'the command that does the same' }) command!: string;
  @text({ about: 'UTC' }) startedAt!: string;
  @text({ optional: true, about: 'UTC' }) endedAt?: string;
  @nested(JobProgressDto, 'object', { optional: true }) progress?: JobProgressDto;
  @nested(JobStepDto, 'list', { about: 'of a cut-over, rollback or rehearsal' }) steps!: JobStepDto[];
  @texts() warnings!: string[];
  @object({ optional: true, about: 'what the use case reports, once it is done' }) report?: Record<
    string,
    unknown
  >;
  @nested(ErrorDto, 'object', { optional: true }) error?: ErrorDto;
}

export class JobListDto {
  @nested(JobDto, 'list', { about: 'newest first, at most 20, since the server started' }) items!: JobDto[];
}

export class JobParams {
  @text({ pattern: /^[0-9a-f]{16}$/u }) id!: string;
}

/** Parts of the tree that a page may show. */
export const changeAreas = [
  'status',
  'sbis',
  'audit',
  'config',
  'conflicts',
  'quarantine',
  'backups',
] as const;

/** Data of the event `change`. */
export class ChangeEventDto {
  @texts({ about: 'what to load again: status, sbis, audit, config, conflicts, quarantine, backups' })
  areas!: string[];
}
