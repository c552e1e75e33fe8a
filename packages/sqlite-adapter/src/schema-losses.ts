import { StorageError } from '@deespec/domain';
import type { Database } from 'better-sqlite3';

/** Rows that a `down` script would drop and that nothing else holds. */
interface Loss {
  readonly what: string;
  readonly count: string;
  readonly hint: string;
}

const toFile = '"deespec mode set file" brings both stores into step and ends this';

/** By version. What is not here can be derived again, or is the statistics of the script itself. */
const losses: Readonly<Record<number, readonly Loss[]>> = {
  2: [
    {
      what: 'changes that the files are owed',
      count: 'SELECT count(*) FROM outbox',
      hint: toFile,
    },
    {
      what: 'paths of which it is on record what both stores held',
      count: 'SELECT count(*) FROM projection',
      hint: toFile,
    },
    {
      what: 'records of the chain of changes',
      count: 'SELECT count(*) FROM audit_log WHERE seq IS NOT NULL',
      hint: 'stay on version 2 or later: earlier versions have no place for the chain',
    },
  ],
};

/**
 * Proves that the `down` script of a version drops nothing that cannot be had again.
 *
 * @throws StorageError `SCHEMA.WOULD_LOSE`
 */
export function requireNoLoss(handle: Database, version: number): void {
  for (const { what, count, hint } of losses[version] ?? []) {
    const rows = handle.prepare(count).pluck().get() as number;
    if (rows === 0) continue;
    throw new StorageError(
      'SCHEMA.WOULD_LOSE',
      `going below schema version ${version} would lose ${rows} ${what}`,
      { hint, details: { version, rows, what } },
    );
  }
}
