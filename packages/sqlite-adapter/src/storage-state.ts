import type { StorageMode } from '@deespec/domain';
import type { Database } from 'better-sqlite3';

/** The one row of `storage_state`. */
export interface StorageState {
  readonly mode: StorageMode;
  /** Grows with every change of mode, restore or rollback; counted from 1. */
  readonly epoch: number;
  /** Names the tree this database belongs to. */
  readonly storeId: string;
}

/** One row of `evidence`: what a run has proved. */
export interface Evidence {
  readonly runId: string;
  readonly action: 'migrate' | 'verify';
  /** UTC, fixed width. */
  readonly at: string;
  /** Version of the program. */
  readonly version: string;
  readonly epoch: number;
  /** Tree digest; absent when not every byte was read. */
  readonly digest?: string;
  readonly entries: number;
  readonly bytes: number;
  readonly ignoredEntries: number;
  readonly ignoredBytes: number;
  readonly differences: number;
}

/** Rows of each table. */
export interface TableCounts {
  readonly sbi: number;
  readonly execution: number;
  readonly config: number;
  readonly auditLog: number;
  readonly treeEntry: number;
  readonly quarantined: number;
  /** SBIs by status. */
  readonly byStatus: Readonly<Record<string, number>>;
}

export function createState(handle: Database, state: StorageState): void {
  handle
    .prepare('INSERT INTO storage_state (id, mode, epoch, store_id) VALUES (1, ?, ?, ?)')
    .run(state.mode, state.epoch, state.storeId);
}

export function readState(handle: Database): StorageState | undefined {
  return handle.prepare('SELECT mode, epoch, store_id AS storeId FROM storage_state WHERE id = 1').get() as
    StorageState | undefined;
}

/** The next revision number for written entries. Runs in the caller's transaction. */
export function nextRev(handle: Database): number {
  return handle
    .prepare('UPDATE storage_state SET rev = rev + 1 WHERE id = 1 RETURNING rev')
    .pluck()
    .get() as number;
}

export function addEvidence(handle: Database, row: Evidence): void {
  handle
    .prepare(
      `INSERT INTO evidence (run_id, action, at, version, epoch, digest, entries, bytes, ignored_entries, ignored_bytes, differences)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    )
    .run(
      row.runId,
      row.action,
      row.at,
      row.version,
      row.epoch,
      row.digest ?? null,
      row.entries,
      row.bytes,
      row.ignoredEntries,
      row.ignoredBytes,
      row.differences,
    );
}

/** The newest evidence of one kind, or of any. */
export function latestEvidence(handle: Database, action?: Evidence['action']): Evidence | undefined {
  return readEvidence(handle, 'action = coalesce(?, action)', [action ?? null]);
}

/** The newest evidence for which every byte of both sides was read: it has a digest. */
export function latestFullEvidence(handle: Database): Evidence | undefined {
  return readEvidence(handle, 'digest IS NOT NULL', []);
}

function readEvidence(handle: Database, condition: string, values: (string | null)[]): Evidence | undefined {
  const row = handle
    .prepare(
      `SELECT run_id AS runId, action, at, version, epoch, digest, entries, bytes, ignored_entries AS ignoredEntries,
              ignored_bytes AS ignoredBytes, differences
       FROM evidence WHERE ${condition} ORDER BY at DESC, run_id DESC LIMIT 1`,
    )
    .get(...values) as (Omit<Evidence, 'digest'> & { digest: string | null }) | undefined;
  if (row === undefined) return undefined;
  const { digest, ...rest } = row;
  return digest === null ? rest : { ...rest, digest };
}

export function countTables(handle: Database): TableCounts {
  const count = (sql: string) => handle.prepare(sql).pluck().get() as number;
  const statuses = handle.prepare('SELECT status, count(*) AS number FROM sbi GROUP BY status').all() as {
    status: string;
    number: number;
  }[];
  return {
    sbi: count('SELECT count(*) FROM sbi'),
    execution: count('SELECT count(*) FROM execution'),
    config: count('SELECT count(*) FROM config'),
    auditLog: count('SELECT count(*) FROM audit_log'),
    treeEntry: count('SELECT count(*) FROM tree_entry'),
    quarantined: count(`SELECT count(*) FROM tree_entry WHERE state = 'quarantined'`),
    byStatus: Object.fromEntries(statuses.map(({ status, number }) => [status, number])),
  };
}

/** Entries of the stored tree and the bytes of their contents, by the rows. */
export function countStored(handle: Database): { entries: number; bytes: number } {
  return handle
    .prepare('SELECT count(*) AS entries, coalesce(sum(size), 0) AS bytes FROM tree_entry')
    .get() as {
    entries: number;
    bytes: number;
  };
}
