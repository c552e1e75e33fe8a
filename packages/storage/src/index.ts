export { findHome } from './home.js';
export type { FindHomeOptions } from './home.js';
export type { DigestRequest } from './digest.js';
export type { AuditProblem, AuditReport } from './audit.js';
export type { CheckOptions, CheckReport, RuleReport } from './check.js';
export type { OpenConflict, PresentVersion, ResolveOptions, ResolveReport } from './conflicts.js';
export type { CheckLevel, CheckStatus, HealthCheck } from './health/check.js';
export type { DoctorOptions, HealthOptions, HealthReport } from './health/health.js';
export { defaultLimits } from './health/limits.js';
export type { HealthLimits } from './health/limits.js';
export { formatMetrics } from './health/metrics.js';
export type { ModeReport, ModeStatus, SetModeOptions } from './mode.js';
export type { OpenIndex, OpenIndexOptions, StoreName } from './open-index.js';
export type { OpenedStorage, OpenOptions } from './open-storage.js';
export type {
  ChangeSchemaOptions,
  SchemaChangeReport,
  SchemaDirection,
  SchemaPlan,
  SchemaProof,
  SchemaRequest,
  SchemaStatus,
  SchemaStep,
  SchemaVerification,
} from './schema/reports.js';
export type { ApplyOptions, PlanReport, RepairReport } from './repair.js';
export type { PlannedRow, RepairPlan } from './repair-plan.js';
export type { GcOptions, GcReport, KeptFile } from './gc.js';
export type { RunKind, StepResult } from './run/journal.js';
export type { RehearsalPhase, RehearsalRecord } from './run/rehearsal-record.js';
export type { RehearsalReport, RehearseOptions } from './run/rehearse.js';
export type {
  CutoverOptions,
  RollbackOptions,
  RunReport,
  RunRequest,
  StepEvent,
  StepReport,
} from './run/reports.js';
export type { StopOutcome } from './service/pursuit.js';
export type { JobName, Schedules, ScheduleStatus, ServiceStatus } from './service/service-status.js';
export type { RunServiceOptions } from './service/service.js';
export type { StartServiceOptions } from './service/start.js';
export type { StopOptions, StopReport } from './service/stop.js';
export type { SyncOptions, SyncResult } from './sync.js';
export type { Pulse, PulseArea } from './pulse.js';
export type { WatchOptions } from './watch.js';
export type { SyncAction } from '@deespec/dual-adapter';
export type { BackupReport, CreateBackupOptions } from './backup/create.js';
export type { BackupEntry, BackupList } from './backup/list.js';
export type { BackupManifest } from './backup/manifest.js';
export type { PruneAction, PruneOptions, PruneReport } from './backup/prune.js';
export type { RestoreOptions, RestoreReport } from './backup/restore.js';
export type { BackupVerification, VerifyBackupOptions } from './backup/verify.js';
export type { ConsistencyRule } from '@deespec/sqlite-adapter';
export type {
  ByteEquation,
  Difference,
  DigestReport,
  ExportOptions,
  ExportReport,
  LockHolder,
  MigrateOptions,
  MigrateReport,
  OpenQuarantined,
  Progress,
  QuarantineListOptions,
  QuarantineRule,
  RetriedEntry,
  RetryCounts,
  RetryOptions,
  RetryReport,
  RowCounts,
  RunOptions,
  StatusReport,
  Tally,
  VerifyOptions,
  VerifyReport,
} from './reports.js';
export type { VersionReport } from './version.js';

import type { Conflict, QuarantinedEntry, TreePath } from '@deespec/domain';
import type { ConsistencyRule } from '@deespec/sqlite-adapter';

import type { BackupReport, CreateBackupOptions } from './backup/create.js';
import type { BackupList } from './backup/list.js';
import type { PruneOptions, PruneReport } from './backup/prune.js';
import type { RestoreOptions, RestoreReport } from './backup/restore.js';
import type { BackupVerification, VerifyBackupOptions } from './backup/verify.js';
import type { DigestRequest } from './digest.js';
import type { AuditReport } from './audit.js';
import type { CheckOptions, CheckReport } from './check.js';
import type { OpenConflict, PresentVersion, ResolveOptions, ResolveReport } from './conflicts.js';
import type { DoctorOptions, HealthOptions, HealthReport } from './health/health.js';
import type { ModeReport, ModeStatus, SetModeOptions } from './mode.js';
import type { OpenIndex, OpenIndexOptions } from './open-index.js';
import type { OpenedStorage, OpenOptions } from './open-storage.js';
import type {
  ChangeSchemaOptions,
  SchemaChangeReport,
  SchemaPlan,
  SchemaProof,
  SchemaRequest,
  SchemaStatus,
  SchemaVerification,
} from './schema/reports.js';
import type { ApplyOptions, PlanReport, RepairReport } from './repair.js';
import type { GcOptions, GcReport } from './gc.js';
import type { RehearsalReport, RehearseOptions } from './run/rehearse.js';
import type { CutoverOptions, RollbackOptions, RunReport } from './run/reports.js';
import type { RunServiceOptions } from './service/service.js';
import type { StartServiceOptions } from './service/start.js';
import type { StopOptions, StopReport } from './service/stop.js';
import type { SyncOptions, SyncResult } from './sync.js';
import type { Pulse } from './pulse.js';
import type { WatchOptions } from './watch.js';
import type {
  DigestReport,
  ExportOptions,
  ExportReport,
  MigrateOptions,
  MigrateReport,
  OpenQuarantined,
  QuarantineListOptions,
  RetryOptions,
  RetryReport,
  StatusReport,
  VerifyOptions,
  VerifyReport,
} from './reports.js';
import type { VersionReport } from './version.js';

import { tmpdir } from 'node:os';

import { atBoundary } from './boundary.js';
import { homePaths } from './home.js';

// Each use case is loaded when it is called: a command pays only for what it uses.

/** See `migrate.ts`. */
export async function migrate(options: MigrateOptions): Promise<MigrateReport> {
  return atBoundary(options.home, async () => (await import('./migrate.js')).migrate(options));
}

/** See `verify.ts`. */
export async function verify(options: VerifyOptions): Promise<VerifyReport> {
  return atBoundary(options.home, async () => (await import('./verify.js')).verify(options));
}

/** See `export.ts`. */
export async function exportTree(options: ExportOptions): Promise<ExportReport> {
  return atBoundary(options.home, async () => (await import('./export.js')).exportTree(options));
}

/** See `digest.ts`. */
export async function digest(request: DigestRequest): Promise<DigestReport> {
  return atBoundary(request.directory, async () => (await import('./digest.js')).digest(request));
}

/** See `status.ts`. */
export async function readStatus(options: { home: string; scan?: boolean }): Promise<StatusReport> {
  return atBoundary(options.home, async () => (await import('./status.js')).readStatus(options));
}

/** See `quarantine.ts`. */
export async function listQuarantine(options: QuarantineListOptions): Promise<QuarantinedEntry[]> {
  return atBoundary(options.home, async () => (await import('./quarantine.js')).listQuarantine(options));
}

/** See `quarantine.ts`. */
export async function openQuarantined(options: { home: string; path: TreePath }): Promise<OpenQuarantined> {
  return atBoundary(options.home, async () => (await import('./quarantine.js')).openQuarantined(options));
}

/** See `quarantine-retry.ts`. */
export async function retryQuarantine(options: RetryOptions): Promise<RetryReport> {
  return atBoundary(options.home, async () =>
    (await import('./quarantine-retry.js')).retryQuarantine(options),
  );
}

/** See `open-index.ts`. */
export async function openIndex(options: OpenIndexOptions): Promise<OpenIndex> {
  return atBoundary(options.home, async () => (await import('./open-index.js')).openIndex(options));
}

/** See `open-storage.ts`. */
export async function openStorage(options: OpenOptions): Promise<OpenedStorage> {
  return atBoundary(options.home, async () => (await import('./open-storage.js')).openStorage(options));
}

/** See `mode.ts`. */
export async function getMode(options: { home: string }): Promise<ModeStatus> {
  return atBoundary(options.home, async () => (await import('./mode.js')).getMode(options));
}

/** See `mode.ts`. */
export async function setMode(options: SetModeOptions): Promise<ModeReport> {
  return atBoundary(options.home, async () => (await import('./mode.js')).setMode(options));
}

/** See `schema/status.ts`. */
export async function readSchemaStatus(options: { home: string }): Promise<SchemaStatus> {
  return atBoundary(options.home, async () => (await import('./schema/status.js')).readSchemaStatus(options));
}

/** See `schema/plan.ts`. */
export async function planSchema(options: SchemaRequest): Promise<SchemaPlan> {
  return atBoundary(options.home, async () => (await import('./schema/plan.js')).planSchema(options));
}

/** See `schema/change.ts`. */
export async function changeSchema(options: ChangeSchemaOptions): Promise<SchemaChangeReport> {
  return atBoundary(options.home, async () => (await import('./schema/change.js')).changeSchema(options));
}

/** See `schema/verify.ts`. */
export async function verifySchema(options: { home: string }): Promise<SchemaVerification> {
  return atBoundary(options.home, async () => (await import('./schema/verify.js')).verifySchema(options));
}

/** See `schema/prove.ts`. */
export async function proveSchema(options: { home: string; signal?: AbortSignal }): Promise<SchemaProof> {
  return atBoundary(options.home, async () => (await import('./schema/prove.js')).proveSchema(options));
}

/** See `sync.ts`. */
export async function sync(options: SyncOptions): Promise<SyncResult> {
  return atBoundary(options.home, async () => (await import('./sync.js')).sync(options));
}

/** See `watch.ts`. */
export async function watchTree(options: WatchOptions): Promise<void> {
  return atBoundary(options.home, async () => (await import('./watch.js')).watchTree(options));
}

/** See `pulse.ts`. */
export async function readPulse(options: { home: string }): Promise<Pulse> {
  return atBoundary(options.home, async () => (await import('./pulse.js')).readPulse(options));
}

/** See `service/stop.ts`. */
export async function stopTree(options: StopOptions): Promise<StopReport> {
  return atBoundary(options.home, async () => (await import('./service/stop.js')).stopTree(options));
}

/** See `service/start.ts`. @returns whether the tree was stopped */
export async function endStopped({ home }: { home: string }): Promise<boolean> {
  return atBoundary(home, async () => (await import('./service/start.js')).endStopped(homePaths(home)));
}

/** See `service/start.ts`. */
export async function startService(
  options: StartServiceOptions,
): Promise<{ readonly pid: number; readonly isNew: boolean }> {
  return atBoundary(options.home, async () => (await import('./service/start.js')).startService(options));
}

/** See `service/service.ts`. */
export async function runService(options: RunServiceOptions): Promise<void> {
  return atBoundary(options.home, async () => (await import('./service/service.js')).runService(options));
}

/** See `conflicts.ts`. */
export async function listConflicts(options: { home: string }): Promise<readonly Conflict[]> {
  return atBoundary(options.home, async () => (await import('./conflicts.js')).listConflicts(options));
}

/** See `conflicts.ts`. */
export async function openConflict(options: { home: string; id: string }): Promise<OpenConflict> {
  return atBoundary(options.home, async () => (await import('./conflicts.js')).openConflict(options));
}

/** See `conflicts.ts`. */
export async function openPresent(options: { home: string; id: string }): Promise<PresentVersion> {
  return atBoundary(options.home, async () => (await import('./conflicts.js')).openPresent(options));
}

/** See `conflicts.ts`. */
export async function resolveConflict(options: ResolveOptions): Promise<ResolveReport> {
  return atBoundary(options.home, async () => (await import('./conflicts.js')).resolveConflict(options));
}

/** See `audit.ts`. */
export async function verifyAudit(options: { home: string }): Promise<AuditReport> {
  return atBoundary(options.home, async () => (await import('./audit.js')).verifyAudit(options));
}

/** See `check.ts`. */
export async function checkDatabase(options: CheckOptions): Promise<CheckReport> {
  return atBoundary(options.home, async () => (await import('./check.js')).checkDatabase(options));
}

/** See `check.ts`. */
export async function listRules(names?: readonly string[]): Promise<readonly ConsistencyRule[]> {
  return atBoundary(tmpdir(), async () => (await import('./check.js')).listRules(names));
}

/** See `repair.ts`. */
export async function planRepair(options: { home: string }): Promise<PlanReport> {
  return atBoundary(options.home, async () => (await import('./repair.js')).planRepair(options));
}

/** See `repair.ts`. */
export async function applyRepair(options: ApplyOptions): Promise<RepairReport> {
  return atBoundary(options.home, async () => (await import('./repair.js')).applyRepair(options));
}

/** See `backup/create.ts`. */
export async function createBackup(options: CreateBackupOptions): Promise<BackupReport> {
  return atBoundary(options.home, async () => (await import('./backup/create.js')).createBackup(options));
}

/** See `backup/list.ts`. */
export async function readBackups(options: { home: string }): Promise<BackupList> {
  return atBoundary(options.home, async () => (await import('./backup/list.js')).readBackups(options));
}

/** See `backup/verify.ts`. */
export async function verifyBackup(options: VerifyBackupOptions): Promise<BackupVerification> {
  return atBoundary(options.home, async () => (await import('./backup/verify.js')).verifyBackup(options));
}

/** See `backup/prune.ts`. */
export async function pruneBackups(options: PruneOptions): Promise<PruneReport> {
  return atBoundary(options.home, async () => (await import('./backup/prune.js')).pruneBackups(options));
}

/** See `backup/restore.ts`. */
export async function restore(options: RestoreOptions): Promise<RestoreReport> {
  return atBoundary(options.home, async () => (await import('./backup/restore.js')).restore(options));
}

/** See `health/health.ts`. */
export async function readHealth(options: HealthOptions): Promise<HealthReport> {
  return atBoundary(options.home, async () => (await import('./health/health.js')).readHealth(options));
}

/** See `health/health.ts`. */
export async function runDoctor(options: DoctorOptions): Promise<HealthReport> {
  return atBoundary(options.home ?? tmpdir(), async () =>
    (await import('./health/health.js')).runDoctor(options),
  );
}

/** See `run/cutover.ts`. */
export async function cutover(options: CutoverOptions): Promise<RunReport> {
  return atBoundary(options.home, async () => (await import('./run/cutover.js')).cutover(options));
}

/** See `run/rollback.ts`. */
export async function rollback(options: RollbackOptions): Promise<RunReport> {
  return atBoundary(options.home, async () => (await import('./run/rollback.js')).rollback(options));
}

/** See `run/rehearse.ts`. */
export async function rehearse(options: RehearseOptions): Promise<RehearsalReport> {
  return atBoundary(options.home, async () => (await import('./run/rehearse.js')).rehearse(options));
}

/** See `gc.ts`. */
export async function collectGarbage(options: GcOptions): Promise<GcReport> {
  return atBoundary(options.home, async () => (await import('./gc.js')).collectGarbage(options));
}

/** See `version.ts`. */
export async function version(): Promise<VersionReport> {
  return atBoundary(tmpdir(), async () => (await import('./version.js')).version());
}
