// The surface of the package. What needs TypeORM or class-validator is loaded when it is used: importing them costs more
// than a whole `deespec status` may take.
export { readAudit } from './audit-rows.js';
export type { IndexDifference, IndexRow, IndexRule } from './index-difference.js';
export { consistencyRules } from './consistency/rules.js';
export type { ConsistencyRule, Inconsistency, RepairRole, Unchecked } from './consistency/rule.js';
export type { Look } from './consistency/find-inconsistencies.js';
export { inspectDatabase } from './database-file.js';
export type { DatabaseFile } from './database-file.js';
export { addEvidence, changedEvidence, latestEvidence, latestFullEvidence } from './evidence.js';
export type { Evidence } from './evidence.js';
export { APPLICATION_ID, keepLog, openHandle, sqliteVersion } from './handle.js';
export type { Access } from './handle.js';
export { LockTurn } from './lock-turn.js';
export type { Repairs } from './rebuild-rows.js';
export { logBytes } from './log-bound.js';
export { recordDigest } from './record-digest.js';
export { expectedSchema, schemaDifferences } from './expected-schema.js';
export type { SchemaDifference, SchemaObject } from './expected-schema.js';
export { SqliteSchemaStore } from './migration-store.js';
export { compareTables, readTables } from './row-hashes.js';
export type { TableRows } from './row-hashes.js';
export { isDrift, readApplied, readNeeds, requireSchema } from './schema.js';
export type { SchemaNeeds, SchemaOptions } from './schema.js';
export { droppedObjects, keptColumns } from './schema-columns.js';
export type { VersionChange } from './schema-columns.js';
export { mendingSql, sentenceOf } from './schema-drift.js';
export { schemaScripts } from './scripts.js';
export { requireSmallCells, requireSound } from './soundness.js';
export { toStorageError } from './sqlite-error.js';
export { beginAccount, changeState, readOutbox, replaceAccount } from './standing.js';
export type { OutboxState } from './standing.js';
export { SqliteLoader } from './sqlite-loader.js';
export type { LoaderOptions } from './sqlite-loader.js';
export type { SqliteOptions, SqliteStorage } from './sqlite-storage.js';
export {
  countStored,
  countTables,
  createState,
  readRevision,
  readState,
  writeState,
} from './storage-state.js';
export { StoredTree } from './stored-tree.js';
export type { StorageState, TableCounts } from './storage-state.js';

import type { Index } from '@deespec/domain';
import type { Database } from 'better-sqlite3';

import type { IndexDifference, IndexRow } from './index-difference.js';
import type { Look } from './consistency/find-inconsistencies.js';
import type { ConsistencyRule } from './consistency/rule.js';
import type { Repairs } from './rebuild-rows.js';
import type { SqliteOptions, SqliteStorage } from './sqlite-storage.js';

/** See `openSqliteStorage` in `sqlite-storage.ts`. */
export async function openSqliteStorage(options: SqliteOptions): Promise<SqliteStorage> {
  const { openSqliteStorage: open } = await import('./sqlite-storage.js');
  return open(options);
}

/** See `openSqliteIndex` in `sqlite-storage.ts`. */
export async function openSqliteIndex(path: string): Promise<{ index: Index; close(): Promise<void> }> {
  const { openSqliteIndex: open } = await import('./sqlite-storage.js');
  return open(path);
}

/** See `checkIndex` in `check-index.ts`. */
export async function checkIndex(handle: Database): Promise<IndexDifference[]> {
  const { checkIndex: check } = await import('./check-index.js');
  return [...check(handle)];
}

/** What finds and repairs what is wrong in a database, ready to be called inside a transaction: nothing of it waits. */
export interface Consistency {
  /** See `findInconsistencies` in `consistency/find-inconsistencies.ts`. */
  readonly look: (handle: Database, rules: readonly ConsistencyRule[]) => Generator<Look>;
  /** See `findRepairs` in `rebuild-rows.ts`. */
  readonly findRepairs: (handle: Database) => Repairs;
  /** See `rebuildRows` in `rebuild-rows.ts`. */
  readonly rebuildRows: (handle: Database, rows: readonly IndexRow[]) => void;
}

/** Loads what looks for inconsistencies and rebuilds rows. */
export async function loadConsistency(): Promise<Consistency> {
  const { findRepairs, rebuildRows } = await import('./rebuild-rows.js');
  const { findInconsistencies } = await import('./consistency/find-inconsistencies.js');
  return { look: findInconsistencies, findRepairs: (handle) => findRepairs(handle), rebuildRows };
}
