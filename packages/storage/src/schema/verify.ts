import { mendingSql, schemaDifferences, schemaScripts, sentenceOf } from '@deespec/sqlite-adapter';

import { notFound } from '../database.js';
import { homePaths } from '../home.js';
import type { SchemaVerification } from './reports.js';
import { statusOf, withSchema } from './status.js';

/**
 * Compares the records of the scripts with this program's scripts, and the live schema with a replay of them in memory. Differences
 * are a result, not an error. Never writes.
 *
 * @throws StorageError `DATABASE.NOT_FOUND`; those of `readSchemaStatus`
 */
export async function verifySchema({ home }: { readonly home: string }): Promise<SchemaVerification> {
  const paths = homePaths(home);
  return withSchema(paths, (handle) => {
    if (handle === undefined) throw notFound(paths);
    const status = statusOf(paths, handle);
    const marked = handle.pragma('user_version', { simple: true }) as number;
    const version = marked >= 1 && marked <= schemaScripts().length ? marked : schemaScripts().length;
    const differences = schemaDifferences(handle, version);
    const isOld = status.problem?.code === 'SCHEMA.OLDER';
    return {
      ...status,
      ok: status.problem === undefined || isOld,
      drift: differences.map(sentenceOf),
      sql: mendingSql(differences),
    };
  });
}
