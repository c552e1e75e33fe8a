import { StorageError } from '@deespec/domain';
import { planDown, planUp } from '@deespec/migration-engine';
import { droppedObjects, readApplied, schemaScripts } from '@deespec/sqlite-adapter';

import { getDatabase } from '../database.js';
import { homePaths, type HomePaths } from '../home.js';
import type { SchemaPlan, SchemaRequest } from './reports.js';
import { withSchema } from './status.js';

/**
 * Says what a change of schema would do. Never writes.
 *
 * @throws StorageError `DATABASE.*`, `MIGRATION.*`, `SCHEMA.*` for a database that is not to be changed; `USAGE.INVALID` for a
 *   version that cannot be reached
 */
export async function planSchema(request: SchemaRequest): Promise<SchemaPlan> {
  return planFor(homePaths(request.home), request);
}

/** As {@link planSchema}. */
export function planFor(paths: HomePaths, { direction, to }: Omit<SchemaRequest, 'home'>): SchemaPlan {
  getDatabase(paths, { older: 'allowed' });
  return withSchema(paths, (handle) => {
    const applied = readApplied(handle!) ?? [];
    const target = to ?? schemaScripts().length;
    const plan =
      direction === 'up'
        ? planUp(schemaScripts(), applied, target)
        : planDown(schemaScripts(), applied, requireVersion(target));
    const change = { from: applied.length, to: target };
    return {
      home: paths.home,
      database: paths.database,
      direction,
      ...change,
      scripts: plan.map(({ version, name, up, down }) => ({
        version,
        name,
        sql: direction === 'up' ? up : down,
      })),
      drops: direction === 'up' ? [] : droppedObjects(handle!, change),
    };
  });
}

function requireVersion(to: number): number {
  if (to >= 1) return to;
  throw new StorageError('USAGE.INVALID', 'version 1 is the lowest: below it there is no database', {
    hint: 'to be without a database, move deespec.db away in mode file',
    details: { to },
  });
}
