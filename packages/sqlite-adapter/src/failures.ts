import { endOf, type Execution, type FailureFilter } from '@deespec/domain';
import type { Database } from 'better-sqlite3';

import { boundedColumns } from './bounded-rows.js';
import { executionFromRow, type ExecutionRow } from './execution.js';
import { pageSize } from './page.js';
import { toStorageError } from './sqlite-error.js';

const LONG = boundedColumns('e', [
  ['sbi_id', 'sbiId'],
  ['step', 'step'],
  ['status', 'status'],
  ['decision', 'decision'],
  ['started_at', 'startedAt'],
  ['completed_at', 'completedAt'],
  ['lease_expires_at', 'leaseExpiresAt'],
  ['path', 'path'],
  ['metadata', 'metadata'],
]);
const COLUMNS = `e.id, e.run, e.turn, e.attempt, ${LONG}`;

/** As `hasFailed` of the domain has it; word for word what `idx_execution_failed` is limited to. */
const FAILED = `decision IN ('FAILED', 'FORCE_TERMINATED')
  OR CASE WHEN json_valid(metadata) THEN json_extract(metadata, '$.error') <> '' END`;
const ENDED = 'coalesce(completed_at, started_at)';
const KEY = `${ENDED}, sbi_id, run, turn, step`;
const NEWEST_FIRST = `${ENDED} DESC, sbi_id DESC, run DESC, turn DESC, step DESC`;

/** A page of keys from the index of what failed. */
export function failedKeys(isNext: boolean): string {
  const next = isNext ? `AND (${KEY}) < (:ended, :sbiId, :run, :turn, :step)` : '';
  return `SELECT ${KEY} FROM execution WHERE (${FAILED}) AND ${ENDED} >= :since ${next} ORDER BY ${NEWEST_FIRST} LIMIT :limit`;
}

/**
 * A keyset page as `Index.listFailures` says, in one read transaction. The rows come from the covering index of the lists: in the table
 * a content stands before their last columns.
 *
 * @param after - the execution that `filter.after` names
 * @throws StorageError `USAGE.INVALID`, `DATABASE.CORRUPT`
 */
export function listFailures(
  handle: Database,
  { since, limit }: FailureFilter,
  after: Execution | undefined,
): Execution[] {
  const values = { since, limit: pageSize(limit) };
  const next = after === undefined ? {} : { ...keyOf(after), ended: endOf(after) };
  const sql = `SELECT ${COLUMNS} FROM (${failedKeys(after !== undefined)}) k CROSS JOIN execution e INDEXED BY idx_execution_list
    ON (e.sbi_id, e.run, e.turn, e.step) = (k.sbi_id, k.run, k.turn, k.step)
    ORDER BY coalesce(e.completed_at, e.started_at) DESC, e.sbi_id DESC, e.run DESC, e.turn DESC, e.step DESC`;
  try {
    return (handle.prepare(sql).all({ ...values, ...next }) as ExecutionRow[]).map(executionFromRow);
  } catch (error) {
    throw toStorageError(error, handle.name);
  }
}

function keyOf({ sbiId, run, turn, step }: Execution): object {
  return { sbiId, run, turn, step };
}
