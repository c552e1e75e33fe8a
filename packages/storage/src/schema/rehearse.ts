import { StorageError } from '@deespec/domain';
import { applyDown, applyUp } from '@deespec/migration-engine';
import {
  compareTables,
  keptColumns,
  openHandle,
  readTables,
  requireSchema,
  schemaScripts,
  SqliteSchemaStore,
  toStorageError,
} from '@deespec/sqlite-adapter';

import type { SchemaDirection, SchemaStep } from './reports.js';

/** Where a change goes. */
export interface SchemaTarget {
  readonly direction: SchemaDirection;
  readonly to: number;
}

/**
 * Changes the schema of a copy that nobody else can reach, and compares what must survive, value by value.
 *
 * @throws StorageError `SCHEMA.UNPROVEN` naming the tables that differ; those of `applyUp` and `applyDown`
 */
export function rehearse(copy: string, { direction, to }: SchemaTarget): SchemaStep {
  const startedMs = performance.now();
  const handle = openHandle(copy, 'write');
  try {
    const from = requireSchema(handle, { older: 'allowed' });
    const kept = keptColumns({ from, to });
    const before = readTables(handle, kept);
    runScripts(handle, { direction, to });
    const reached = requireSchema(handle, { older: 'allowed' });
    const after = readTables(handle, kept);
    const wrong = [
      ...compareTables(before, after).map((table) => `the rows of ${table} differ`),
      ...(reached === to ? [] : [`the copy has version ${reached}`]),
      ...(handle.pragma('integrity_check(1)', { simple: true }) === 'ok' ? [] : ['the copy is damaged']),
    ];
    if (wrong.length > 0) throw unproven({ from, to, wrong });
    const rows = [...after.values()].reduce((sum, table) => sum + table.rows, 0);
    const durationMs = Math.round(performance.now() - startedMs);
    return { direction, from, to, tables: after.size, rows, durationMs };
  } catch (error) {
    throw toStorageError(error, copy);
  } finally {
    handle.close();
  }
}

/** Runs the scripts, each in its transaction, the evidence of the migration carried along. */
export function runScripts(
  handle: ReturnType<typeof openHandle>,
  { direction, to }: SchemaTarget,
): readonly number[] {
  const store = new SqliteSchemaStore(handle, () => new Date(), 'carried');
  const run = direction === 'up' ? applyUp : applyDown;
  return run(store, schemaScripts(), to).applied;
}

function unproven(found: {
  readonly from: number;
  readonly to: number;
  readonly wrong: readonly string[];
}): StorageError {
  const { from, to, wrong } = found;
  return new StorageError(
    'SCHEMA.UNPROVEN',
    `from version ${from} to ${to} a copy of this database does not keep what it must: ${wrong.join('; ')}`,
    { hint: 'the database was not changed; report this with the message', details: found },
  );
}
