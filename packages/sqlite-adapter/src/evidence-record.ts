import type { Database } from 'better-sqlite3';

import { latestEvidence, replaceRecord } from './evidence.js';
import { recordDigest } from './record-digest.js';
import { readState } from './storage-state.js';

/**
 * Looks whether what the last migration recorded of the rows is still so, before a change of schema. When it is, the function that
 * is returned lets the record follow: the rows are the same, in another schema, and have another digest. When it is not, the record
 * stays as it is, and a verification goes on finding that. Both run in the transaction of the change.
 *
 * Outside mode `file` rows change by right, and nobody compares the record.
 */
export function carryRecord(handle: Database): (() => void) | undefined {
  if (!hasEvidence(handle)) return undefined;
  const state = readState(handle);
  const migrated = latestEvidence(handle, 'migrate');
  if (state?.mode !== 'file' || migrated?.record === undefined || state.epoch !== migrated.epoch)
    return undefined;
  if (migrated.record !== recordDigest(handle)) return undefined;
  return () => replaceRecord(handle, migrated, recordDigest(handle));
}

function hasEvidence(handle: Database): boolean {
  return handle.prepare(`SELECT count(*) FROM sqlite_schema WHERE name = 'evidence'`).pluck().get() === 1;
}
