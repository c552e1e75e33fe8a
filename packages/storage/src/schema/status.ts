import { isStorageError } from '@deespec/domain';
import { describeScripts } from '@deespec/migration-engine';
import {
  inspectDatabase,
  openHandle,
  readApplied,
  readNeeds,
  requireSchema,
  schemaScripts,
  toStorageError,
} from '@deespec/sqlite-adapter';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';

import { ownLinks } from '../database.js';
import { homePaths, type HomePaths } from '../home.js';
import type { SchemaStatus } from './reports.js';

type Handle = ReturnType<typeof openHandle>;

/**
 * Says which scripts the database of a tree has, also when this program does not work on it. Never writes, takes no lock.
 *
 * @throws StorageError `TREE.NOT_FOUND`; `DATABASE.*` for a file that is none of ours, `DATABASE.CORRUPT`, `SQLITE.BUSY`
 */
export async function readSchemaStatus({ home }: { readonly home: string }): Promise<SchemaStatus> {
  const paths = homePaths(home);
  return withSchema(paths, (handle) => statusOf(paths, handle));
}

/** Looks into the database, or at nothing when there is none. */
export function withSchema<T>(paths: HomePaths, look: (handle: Handle | undefined) => T): T {
  if (inspectDatabase(paths.database, ownLinks(paths)) === 'absent') return look(undefined);
  const handle = openHandle(paths.database, 'look');
  try {
    return look(handle);
  } catch (error) {
    throw toStorageError(error, paths.database);
  } finally {
    handle.close();
  }
}

/** What {@link readSchemaStatus} says. */
export function statusOf(paths: HomePaths, handle: Handle | undefined): SchemaStatus {
  const scripts = schemaScripts();
  const applied = handle === undefined ? [] : (readApplied(handle) ?? []);
  const needs = handle === undefined ? undefined : readNeeds(handle);
  const problem = handle === undefined ? undefined : problemOf(handle);
  return {
    home: paths.home,
    database: paths.database,
    version: applied.at(-1)?.version ?? 0,
    newest: scripts.length,
    ...(needs === undefined ? {} : { needs }),
    scripts: describeScripts(scripts, applied),
    ...(problem === undefined ? {} : { problem }),
    backups: listBackups(paths),
  };
}

function problemOf(handle: Handle): SchemaStatus['problem'] {
  try {
    requireSchema(handle);
    return undefined;
  } catch (error) {
    if (!isStorageError(error)) throw error;
    const { code, message, hint } = error;
    return { code, message, ...(hint === undefined ? {} : { hint }) };
  }
}

function listBackups({ copies }: HomePaths): string[] {
  try {
    return readdirSync(copies)
      .filter((name) => /-version-\d+\.db$/u.test(name))
      .sort()
      .map((name) => join(copies, name));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
