export { findHome } from './home.js';
export type { FindHomeOptions } from './home.js';
export type { DigestRequest } from './digest.js';
export type { OpenOptions, OpenStorage, StoreName } from './open-storage.js';
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

import type { QuarantinedEntry, TreePath } from '@deespec/domain';

import type { DigestRequest } from './digest.js';
import type { OpenOptions, OpenStorage } from './open-storage.js';
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

/** See `open-storage.ts`. */
export async function openStorage(options: OpenOptions): Promise<OpenStorage> {
  return atBoundary(options.home, async () => (await import('./open-storage.js')).openStorage(options));
}

/** See `version.ts`. */
export async function version(): Promise<VersionReport> {
  return atBoundary(tmpdir(), async () => (await import('./version.js')).version());
}
