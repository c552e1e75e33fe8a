import {
  changedEvidence,
  latestEvidence,
  readState,
  recordDigest,
  type Evidence,
} from '@deespec/sqlite-adapter';
import type { TreeVerification } from '@deespec/verifier';

import type { Difference } from './reports.js';

type Handle = Parameters<typeof readState>[0];

/** Rows of evidence that are not as they were written. */
export function changedRuns(handle: Handle): Difference[] {
  return [...changedEvidence(handle)].map((run) => ({
    what: 'evidence',
    where: `evidence ${run}`,
    expected: 'the row as it was written',
    actual: 'another',
  }));
}

/**
 * What the last migration recorded and is not so any more. Only while nothing writes to the database: in a later epoch its rows
 * are others by right. It covers every row of every table, so it is asked last: it says
 * that something changed, not what.
 *
 * @throws StorageError `DATABASE.CORRUPT` when the row of that migration was changed
 */
export function sinceMigration(handle: Handle, verified: TreeVerification): Difference[] {
  const migrated = latestEvidence(handle, 'migrate');
  if (migrated === undefined) {
    return [{ what: 'evidence', where: 'database', expected: 'evidence of a migration', actual: 'none' }];
  }
  const state = readState(handle);
  if (state?.mode !== 'file' || state.epoch !== migrated.epoch) return [];
  return facts(handle, migrated, verified)
    .filter(([, expected, actual]) => expected !== actual)
    .map(([what, expected, actual]) => ({
      what: 'evidence',
      where: `${what} since ${migrated.runId}`,
      expected: String(expected),
      actual: String(actual),
    }));
}

type Fact = readonly [what: string, recorded: unknown, now: unknown];

function facts(
  handle: Handle,
  migrated: Evidence,
  { databaseDigest, storedTally }: TreeVerification,
): Fact[] {
  return [
    ['epoch', migrated.epoch, readState(handle)?.epoch],
    ['digest', migrated.digest, databaseDigest],
    ['entries', migrated.entries, storedTally.entries],
    ['bytes', migrated.bytes, storedTally.bytes],
    ['rows', migrated.record, recordDigest(handle)],
  ];
}
