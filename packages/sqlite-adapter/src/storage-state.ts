import { storageModes, type StorageMode } from '@deespec/domain';
import type { Database } from 'better-sqlite3';

import { countRows } from './row-bound.js';
import { atMost, damaged, storedInteger, storedText } from './stored-cell.js';

/** The one row of `storage_state`. */
export interface StorageState {
  readonly mode: StorageMode;
  /** Grows with every change of mode, restore or rollback; counted from 1. */
  readonly epoch: number;
  /** Names the tree this database belongs to. */
  readonly storeId: string;
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

/** The state, or `undefined` when there is none. @throws StorageError `DATABASE.CORRUPT` */
export function readState(handle: Database): StorageState | undefined {
  const columns = ['mode', 'epoch', 'store_id'].map((column) => `${atMost(column, 100)} AS ${column}`);
  const row = handle.prepare(`SELECT ${columns.join(', ')} FROM storage_state WHERE id = 1`).get() as
    { mode: unknown; epoch: unknown; store_id: unknown } | undefined;
  if (row === undefined) return undefined;
  const mode = storageModes.find((name) => name === row.mode);
  if (mode === undefined) throw damaged('storage_state', 'has no valid mode');
  const storeId = storedText(row.store_id, 'storage_state');
  return { mode, epoch: storedInteger(row.epoch, 'storage_state'), storeId };
}

/**
 * Changes mode and epoch. Runs in the caller's transaction.
 *
 * @throws StorageError `DATABASE.CORRUPT` when there is no state to change
 */
export function writeState(handle: Database, { mode, epoch }: Pick<StorageState, 'mode' | 'epoch'>): void {
  const { changes } = handle
    .prepare('UPDATE storage_state SET mode = ?, epoch = ? WHERE id = 1')
    .run(mode, epoch);
  if (changes !== 1) throw damaged('storage_state', 'has no row');
}

/** The revision of the last change. @throws StorageError `DATABASE.CORRUPT` */
export function readRevision(handle: Database): number {
  const rev = handle.prepare('SELECT rev FROM storage_state WHERE id = 1').pluck().get();
  return storedInteger(rev, 'storage_state');
}

/** The next revision number for written entries. Runs in the caller's transaction. */
export function nextRev(handle: Database): number {
  return handle
    .prepare('UPDATE storage_state SET rev = rev + 1 WHERE id = 1 RETURNING rev')
    .pluck()
    .get() as number;
}

export function countTables(handle: Database): TableCounts {
  return {
    sbi: countRows(handle, 'sbi'),
    execution: countRows(handle, 'execution'),
    config: countRows(handle, 'config'),
    auditLog: countRows(handle, 'audit_log'),
    treeEntry: countRows(handle, 'tree_entry'),
    quarantined: countRows(handle, `tree_entry WHERE state = 'quarantined'`),
    byStatus: Object.fromEntries(countByStatus(handle)),
  };
}

/** How many SBIs have each status. @throws StorageError `DATABASE.CORRUPT` */
export function countByStatus(handle: Database): ReadonlyMap<string, number> {
  // One index for both, so that what was seen to end is what is scanned.
  const indexed = 'sbi INDEXED BY idx_sbi_status';
  countRows(handle, indexed);
  const rows = handle
    .prepare(`SELECT ${atMost('status', 100)} AS status, count(*) AS number FROM ${indexed} GROUP BY status`)
    .all() as { status: unknown; number: number }[];
  return new Map(rows.map(({ status, number }) => [storedText(status, 'sbi'), number]));
}

/** Entries of the stored tree and the bytes of their contents, by the rows. @throws StorageError `DATABASE.CORRUPT` */
export function countStored(handle: Database): { entries: number; bytes: number } {
  const entries = countRows(handle, 'tree_entry NOT INDEXED');
  const bytes = handle.prepare('SELECT coalesce(sum(size), 0) FROM tree_entry NOT INDEXED').pluck().get();
  return { entries, bytes: storedInteger(bytes, 'tree_entry') };
}
