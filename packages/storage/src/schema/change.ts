import { isStorageError, StorageError } from '@deespec/domain';
import { openHandle, requireSchema, toStorageError } from '@deespec/sqlite-adapter';
import { copyFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ulid } from 'ulid';

import { takeAlone } from '../alone.js';
import { homePaths, type HomePaths } from '../home.js';
import { requireFit, requireSpace } from '../preflight.js';
import { beginRun, type RunDirectory } from '../runs.js';
import { copyVerified, databaseBytes, keepCopy } from '../verified-copy.js';
import { planFor } from './plan.js';
import { rehearse, runScripts } from './rehearse.js';
import type { ChangeSchemaOptions, SchemaChangeReport, SchemaPlan, SchemaStep } from './reports.js';

/** A copy is made to be kept, and another one to rehearse on. */
const COPIES = 2;

/**
 * Brings the schema of a tree's database to a version, alone on the tree: copy, verify the copy, rehearse on another copy and compare
 * every row, keep the first one as a backup, and only then run the scripts on the database, each in one transaction with its record.
 * A crash leaves the database at one of the versions, whole.
 *
 * @throws StorageError `MIGRATION.FAILED` and `SCHEMA.WOULD_LOSE` with `applied`, `failed` and `notRun` in `details`;
 *   `SCHEMA.UNPROVEN`, `TRANSFER.MISMATCH`, `USAGE.INVALID`, `LOCK.HELD`, `DATABASE.*`, `MIGRATION.*`, `PREFLIGHT.*`, `FILE.*`,
 *   `INTERRUPTED`
 *
 * Source: migration strategy, "Schema Evolution Strategy"; docs/adr/0014.
 */
export async function changeSchema(options: ChangeSchemaOptions): Promise<SchemaChangeReport> {
  const startedMs = performance.now();
  const paths = homePaths(options.home);
  requireFit(paths);
  const release = await takeAlone(paths, `schema ${options.direction}`);
  let directory: RunDirectory | undefined;
  try {
    const plan = planFor(paths, options);
    const report = reportOf(plan, options, startedMs);
    // First, so that what a killed run left goes, also when that one had come to its end.
    directory = beginRun(paths, ulid());
    if (plan.scripts.length === 0) return report({ proven: { tables: 0, rows: 0 } });
    requireSpace(paths, databaseBytes(paths.database) * COPIES);
    const proven = rehearseOn(directory, paths, plan);
    options.signal?.throwIfAborted();
    if (options.dryRun === true)
      return report({ applied: plan.scripts.map(({ version }) => version), proven });
    const bytes = databaseBytes(directory.database);
    const path = keepCopy(paths, directory.database, { name: `version-${plan.from}`, now: new Date() });
    return report({ applied: changeLive(plan, path), proven, backup: { path, bytes } });
  } finally {
    try {
      directory?.remove();
    } finally {
      release();
    }
  }
}

function rehearseOn(directory: RunDirectory, paths: HomePaths, plan: SchemaPlan): SchemaStep {
  copyVerified(paths, directory.database);
  const copy = join(dirname(directory.database), 'rehearsal.db');
  copyFileSync(directory.database, copy);
  return rehearse(copy, plan);
}

/** @param backup - named by an error, so that whoever reads it knows what there is to go back to */
function changeLive({ database, direction, to }: SchemaPlan, backup: string): readonly number[] {
  const handle = openHandle(database, 'write');
  try {
    requireSchema(handle, { older: 'allowed' });
    return runScripts(handle, { direction, to });
  } catch (error) {
    const known = toStorageError(error, database);
    if (!isStorageError(known)) throw known;
    const { code, message, details, cause } = known;
    const hint = [known.hint, `the database as it was before is kept: ${backup}`].filter(Boolean).join('; ');
    throw new StorageError(code, message, { hint, details: { ...details, backup }, cause });
  } finally {
    handle.close();
  }
}

type Done = Pick<SchemaChangeReport, 'proven' | 'backup'> & { readonly applied?: readonly number[] };

function reportOf(
  { home, database, direction, from, to, drops }: SchemaPlan,
  { dryRun = false }: ChangeSchemaOptions,
  startedMs: number,
): (done: Done) => SchemaChangeReport {
  return ({ applied = [], proven: { tables, rows }, backup }) => ({
    home,
    database,
    direction,
    dryRun,
    from,
    to,
    applied,
    drops,
    ...(backup === undefined ? {} : { backup }),
    proven: { tables, rows },
    durationMs: Math.round(performance.now() - startedMs),
  });
}
