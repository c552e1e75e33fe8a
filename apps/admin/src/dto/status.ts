import { storageModes } from '@deespec/domain';
import { flag, nested, number, object, oneOf, text, texts, whole } from './property.js';

export class ModeDto {
  @oneOf(storageModes) mode!: string;
  @text() meaning!: string;
  @oneOf(['files', 'sqlite']) reads!: string;
  @flag({ about: 'the mode in force' }) current!: boolean;
}

export class DebtDto {
  @whole({ min: 0 }) count!: number;
  @text({ optional: true, about: 'UTC' }) since?: string;
  @text({ optional: true }) lastError?: string;
}

export class RowCountsDto {
  @whole() sbi!: number;
  @whole() execution!: number;
  @whole() config!: number;
  @whole() auditLog!: number;
  @whole() treeEntry!: number;
  @whole() quarantined!: number;
  @object({ values: 'integer' }) byStatus!: Record<string, number>;
}

export class DatabaseDto {
  @oneOf(['absent', 'refused', 'ours']) state!: string;
  @text({ optional: true, about: 'of a refused one' }) code?: string;
  @text({ optional: true }) message?: string;
  @text({ optional: true }) hint?: string;
  @whole({ optional: true }) schemaVersion?: number;
  @whole({ optional: true }) epoch?: number;
  @whole({ optional: true, about: 'without its log' }) sizeBytes?: number;
  @nested(RowCountsDto, 'object', { optional: true }) rows?: RowCountsDto;
}

export class EvidenceDto {
  @text({ about: 'UTC' }) at!: string;
  @text({ optional: true, about: 'absent when not every byte was read' }) digest?: string;
  @whole() entries!: number;
  @whole() sizeBytes!: number;
  @whole() differences!: number;
}

export class ScanDto {
  @text({ about: 'UTC' }) at!: string;
  @whole() entries!: number;
  @whole() sizeBytes!: number;
}

export class ProcessDto {
  @whole() pid!: number;
  @text() host!: string;
  @text() command!: string;
  @text({ about: 'UTC' }) since!: string;
  @text({ optional: true }) role?: string;
}

export class BackupNoteDto {
  @text() id!: string;
  @text({ about: 'UTC' }) createdAt!: string;
  @flag() verified!: boolean;
}

export class UnfinishedDto {
  @oneOf(['cutover', 'rollback']) kind!: string;
  @text() id!: string;
  @text({ about: 'UTC' }) startedAt!: string;
  @texts({ about: 'steps that are done' }) done!: string[];
  @text({ optional: true }) begun?: string;
}

export class RehearsalDto {
  @text({ about: 'UTC' }) at!: string;
  @flag() ok!: boolean;
  @whole() writes!: number;
}

export class NextStepDto {
  @text({ about: 'in words' }) text!: string;
  @text({ optional: true, about: 'the command that does it' }) command?: string;
}

/** Where the tree stands: what `deespec status --json` says, and what is to be done next. */
export class StatusDto {
  @text() project!: string;
  @oneOf(storageModes) mode!: string;
  @text() modeMeaning!: string;
  @nested(ModeDto, 'list') modes!: ModeDto[];
  @oneOf(['files', 'sqlite'], { about: 'what holds the truth' }) truth!: string;
  @text({ optional: true, about: 'what setting.json asks for, when that is another mode' })
  requested?: string;
  @text({ optional: true, about: 'why setting.json cannot be read' }) settingProblem?: string;
  @nested(DebtDto, 'object', { optional: true }) debt?: DebtDto;
  @whole({ min: 0 }) conflicts!: number;
  @nested(DatabaseDto, 'object') database!: DatabaseDto;
  @nested(EvidenceDto, 'object', { optional: true }) evidence?: EvidenceDto;
  @nested(ScanDto, 'object', { optional: true }) lastScan?: ScanDto;
  @flag({ about: 'a command has the tree to itself: writes answer 423' }) locked!: boolean;
  @nested(ProcessDto, 'object', { optional: true }) holder?: ProcessDto;
  @text({ optional: true, about: 'since when changes are refused (UTC)' }) stoppedSince?: string;
  @nested(ProcessDto, 'object', { optional: true }) service?: ProcessDto;
  @nested(ProcessDto, 'list') processes!: ProcessDto[];
  @flag({ about: 'the workflow tool holds a lock' }) goToolRuns!: boolean;
  @text({ optional: true, about: 'the SBI that the workflow tool has in work' }) wip?: string;
  @nested(BackupNoteDto, 'object', { optional: true }) lastBackup?: BackupNoteDto;
  @nested(BackupNoteDto, 'object', { optional: true }) lastVerifiedBackup?: BackupNoteDto;
  @nested(UnfinishedDto, 'object', { optional: true }) run?: UnfinishedDto;
  @nested(RehearsalDto, 'object', { optional: true }) rehearsal?: RehearsalDto;
  @nested(NextStepDto, 'object') nextStep!: NextStepDto;
}

export class HealthCheckDto {
  @text() name!: string;
  @oneOf(['machine', 'live', 'ready', 'deep']) level!: string;
  @oneOf(['ok', 'warn', 'fail']) status!: string;
  @text() value!: string;
  @text({ optional: true }) threshold?: string;
  @text({ optional: true }) fix?: string;
  @text({ optional: true }) code?: string;
}

export class HealthDto {
  @oneOf(['ok', 'warn', 'fail'], { about: 'the worst of all' }) status!: string;
  @text({ about: 'UTC' }) at!: string;
  @nested(HealthCheckDto, 'list') checks!: HealthCheckDto[];
  @object({
    values: 'number',
    about: 'such as wal_bytes, database_bytes, disk_free_bytes; docs/health.md, "Metrics"',
  })
  numbers!: Record<string, number>;
}

export class LivenessDto {
  @oneOf(['ok', 'warn', 'fail']) status!: string;
  @object({ about: 'the worst of each level' }) levels!: Record<string, string>;
}

export class StatusCountDto {
  @text() status!: string;
  @whole({ min: 0 }) count!: number;
}

export class DayDto {
  @text({ about: 'UTC day, such as 2026-01-31' }) day!: string;
  @whole({ min: 0, about: 'SBIs that were completed' }) completed!: number;
  @whole({ min: 0, about: 'executions that ended' }) executions!: number;
}

export class StepTimeDto {
  @text() step!: string;
  @whole({ min: 0 }) count!: number;
  @number() medianMs!: number;
  @number() p95Ms!: number;
}

export class ActivityQuery {
  @whole({ optional: true, min: 1, max: 365, about: 'default 30' }) days?: number;
}

/** What was done lately. */
export class ActivityDto {
  @nested(StatusCountDto, 'list', { about: 'SBIs by status, all of them' }) counts!: StatusCountDto[];
  @nested(DayDto, 'list', { about: 'oldest first; days without anything are there' }) days!: DayDto[];
  @nested(StepTimeDto, 'list', { about: 'how long each step took in these days' }) steps!: StepTimeDto[];
}
