import { isStorageError } from '@deespec/domain';
import type { Database } from 'better-sqlite3';
import { createHash } from 'node:crypto';

import { rowBound } from './row-bound.js';
import { atMost, damaged, storedInteger, storedText } from './stored-cell.js';

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
  /** Digest of every row but those of this table, see `recordDigest`; absent for a verification. */
  readonly record?: string;
  readonly entries: number;
  readonly bytes: number;
  readonly ignoredEntries: number;
  readonly ignoredBytes: number;
  readonly differences: number;
}

const columns = [
  'run_id',
  'action',
  'at',
  'version',
  'epoch',
  'digest',
  'record',
  'entries',
  'bytes',
  'ignored_entries',
  'ignored_bytes',
  'differences',
] as const;

/** Longest value of a column, bytes. */
const LONGEST = 1_000;

type RawRow = Readonly<Record<(typeof columns)[number] | 'checksum', unknown>>;

function cells(row: Evidence): (string | number | null)[] {
  const { runId, action, at, version, epoch, digest = null, record = null } = row;
  const counts = [row.entries, row.bytes, row.ignoredEntries, row.ignoredBytes, row.differences];
  return [runId, action, at, version, epoch, digest, record, ...counts];
}

/** SHA-256 (hex) of a row's other columns, as a JSON array in the order of the table: SQLite keeps no checksum of a row. */
function checksum(row: Evidence): string {
  return createHash('sha256')
    .update(JSON.stringify(cells(row)))
    .digest('hex');
}

export function addEvidence(handle: Database, row: Evidence): void {
  const values = [...cells(row), checksum(row)];
  handle
    .prepare(
      `INSERT INTO evidence (${columns.join(', ')}, checksum) VALUES (${values.map(() => '?').join(', ')})`,
    )
    .run(...values);
}

/** Gives a row of evidence another digest of the rows. Runs in the caller's transaction. */
export function replaceRecord(handle: Database, row: Evidence, record: string): void {
  handle
    .prepare('UPDATE evidence SET record = ?, checksum = ? WHERE run_id = ?')
    .run(record, checksum({ ...row, record }), row.runId);
}

/** The newest evidence of one kind, or of any. @throws StorageError `DATABASE.CORRUPT` when its row was changed */
export function latestEvidence(handle: Database, action?: Evidence['action']): Evidence | undefined {
  return newest(handle, action === undefined ? 'true' : `action = '${action}'`);
}

/**
 * The newest evidence for which every byte of both sides was read: it has a digest.
 *
 * @throws StorageError `DATABASE.CORRUPT` when its row was changed
 */
export function latestFullEvidence(handle: Database): Evidence | undefined {
  return newest(handle, 'digest IS NOT NULL');
}

/** Run ids of the rows that are not as they were written, for people, newest first. */
export function* changedEvidence(handle: Database): Generator<string> {
  for (const row of rows(handle, 'true')) {
    try {
      parse(row);
    } catch (error) {
      if (!isStorageError(error, 'DATABASE.CORRUPT')) throw error;
      yield typeof row.run_id === 'string' ? row.run_id : 'without a run id';
    }
  }
}

function newest(handle: Database, condition: string): Evidence | undefined {
  for (const row of rows(handle, condition)) return parse(row);
  return undefined;
}

/** Rows, newest first; ends however the pages of the file are linked. */
function rows(handle: Database, condition: string): Iterable<RawRow> {
  const select = [...columns, 'checksum'].map((column) => `${atMost(column, LONGEST)} AS ${column}`);
  const all = 'SELECT * FROM evidence ORDER BY at DESC, run_id DESC LIMIT ?';
  return handle
    .prepare(`SELECT ${select.join(', ')} FROM (${all}) WHERE ${condition}`)
    .iterate(rowBound(handle)) as Iterable<RawRow>;
}

function parse(raw: RawRow): Evidence {
  const where = `evidence ${typeof raw.run_id === 'string' ? raw.run_id : ''}`;
  const text = (value: unknown): string => storedText(value, where);
  const integer = (value: unknown): number => storedInteger(value, where);
  const row: Evidence = {
    runId: text(raw.run_id),
    action: text(raw.action) as Evidence['action'],
    at: text(raw.at),
    version: text(raw.version),
    epoch: integer(raw.epoch),
    ...(raw.digest === null ? {} : { digest: text(raw.digest) }),
    ...(raw.record === null ? {} : { record: text(raw.record) }),
    entries: integer(raw.entries),
    bytes: integer(raw.bytes),
    ignoredEntries: integer(raw.ignored_entries),
    ignoredBytes: integer(raw.ignored_bytes),
    differences: integer(raw.differences),
  };
  if (raw.checksum === checksum(row)) return row;
  throw damaged(where, 'is not as it was written');
}
