import { ActivityCount, type Activity, type EndedExecution } from '@deespec/domain';
import type { Database } from 'better-sqlite3';

import { toStorageError } from './sqlite-error.js';

/** Longer texts of these columns, which only a damaged file has, are left out. */
const LONGEST = 1_000;

/** As `Index.readActivity` says, in one read transaction; a row at a time in memory but for the durations. */
export function readActivity(handle: Database, since: string): Activity {
  const count = new ActivityCount();
  const sbis = handle
    .prepare(
      `SELECT completed_at FROM sbi WHERE completed_at >= :since AND octet_length(completed_at) <= ${LONGEST}`,
    )
    .pluck();
  const executions = handle.prepare(
    `SELECT step, started_at AS startedAt, completed_at AS completedAt FROM execution
     WHERE completed_at >= :since AND octet_length(completed_at) <= ${LONGEST}
       AND octet_length(started_at) <= ${LONGEST} AND octet_length(step) <= ${LONGEST}`,
  );
  try {
    handle
      .transaction(() => {
        for (const at of sbis.iterate({ since }) as Iterable<string>) count.takeSbi(at);
        for (const row of executions.iterate({ since }) as Iterable<EndedExecution>) count.takeExecution(row);
      })
      .deferred();
  } catch (error) {
    throw toStorageError(error, handle.name);
  }
  return count.activity();
}
