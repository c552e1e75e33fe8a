import type { Activity } from './activity.js';
import type { AuditEntry, AuditFilter } from './audit.js';
import type { ConfigEntry } from './config.js';
import type { Execution, ExecutionFilter, ExecutionKey, FailureFilter } from './execution.js';
import type { IndexFilter, Sbi, SbiId } from './sbi.js';
import type { SearchedParts } from './search/searched.js';

/**
 * Queries on the index: what the tree's bytes mean. Derived from the tree by `@deespec/layout`, so every store gives the
 * same answers. Never writes. Each call reads one snapshot.
 */
export interface Index {
  /** @throws StorageError `SBI.NOT_FOUND` */
  getSbi(id: SbiId): Promise<Sbi>;
  /**
   * In the order that the filter names. `[]` when there are none.
   *
   * @throws StorageError `SBI.NOT_FOUND` for `after`; `USAGE.INVALID` for `limit`, and for a `search` without a word or too long
   */
  listSbis(filter?: IndexFilter): Promise<Sbi[]>;
  /** The files of some SBIs that are searched; one that does not exist is absent. */
  listSearched(ids: readonly SbiId[]): Promise<ReadonlyMap<SbiId, SearchedParts>>;
  /** How many SBIs have each status; a status without SBIs is absent. */
  countSbis(): Promise<ReadonlyMap<string, number>>;
  /** Ordered by `sbiId`, `run`, `turn`, then `step` in byte order. */
  listExecutions(filter?: ExecutionFilter): Promise<Execution[]>;
  /**
   * Executions that failed, newest end first; of one time in the reverse order of {@link Index.listExecutions}.
   *
   * @throws StorageError `EXECUTION.NOT_FOUND` for `after`; `USAGE.INVALID` for `limit`
   */
  listFailures(filter: FailureFilter): Promise<Execution[]>;
  /** @throws StorageError `EXECUTION.NOT_FOUND` */
  getExecution(key: ExecutionKey): Promise<Execution>;
  /**
   * The bytes of an execution's artifact, or `undefined` when it has none.
   *
   * @throws StorageError `EXECUTION.NOT_FOUND`
   */
  readContent(key: ExecutionKey): Promise<Buffer | undefined>;
  /** Ordered by key in byte order. */
  listConfig(): Promise<ConfigEntry[]>;
  /** @throws StorageError `CONFIG.NOT_FOUND` */
  getConfig(key: string): Promise<ConfigEntry>;
  /** Ordered by timestamp, then source; the other way round with `first: 'newest'`. */
  listAudit(filter?: AuditFilter): Promise<AuditEntry[]>;
  /** What ended at or after `since`: UTC, fixed width. Reads a row for each of them. */
  readActivity(since: string): Promise<Activity>;
}
