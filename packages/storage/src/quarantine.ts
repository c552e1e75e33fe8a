import {
  displayPath,
  splitReason,
  StorageError,
  type QuarantinedEntry,
  type TreePath,
} from '@deespec/domain';
import { StoredTree, toStorageError } from '@deespec/sqlite-adapter';

import { atBoundary } from './boundary.js';
import { getDatabase } from './database.js';
import { homePaths } from './home.js';
import type { OpenQuarantined, QuarantineListOptions, QuarantineRule } from './reports.js';

/**
 * A page of the entries that the database keeps without interpreting them, by path in byte order. Reads the database alone:
 * what the files hold now is a matter of `retryQuarantine`.
 *
 * @throws StorageError `TREE.NOT_FOUND`, `DATABASE.*`, `MIGRATION.*`, `SCHEMA.DRIFT`; `USAGE.INVALID` for the limit
 */
export function listQuarantine({ home, ...filter }: QuarantineListOptions): QuarantinedEntry[] {
  const stored = openStored(home);
  try {
    return stored.listQuarantined(filter);
  } finally {
    stored.close();
  }
}

/**
 * One entry in quarantine, as the database held it at this moment.
 *
 * @throws StorageError `QUARANTINE.NOT_FOUND`, and those of {@link listQuarantine}
 */
export function openQuarantined({ home, path }: { home: string; path: TreePath }): OpenQuarantined {
  const stored = openStored(home);
  try {
    return {
      entry: getQuarantined(stored, path),
      read: () => readStored(stored, path),
      listRules: () => atBoundary(home, () => listRules(stored, path)),
      close: () => stored.close(),
    };
  } catch (error) {
    stored.close();
    throw error;
  }
}

/** The entry at `path`. @throws StorageError `QUARANTINE.NOT_FOUND` when it is interpreted, or nothing is stored there */
export function getQuarantined(stored: StoredTree, path: TreePath): QuarantinedEntry {
  const entry = stored.findQuarantined(path);
  if (entry !== undefined) return entry;
  const isStored = stored.lookup(path) !== undefined;
  const why = isStored ? 'is stored and interpreted' : 'is not in the database';
  throw new StorageError('QUARANTINE.NOT_FOUND', `${displayPath(path)} ${why}: it is not in quarantine`, {
    hint: '"deespec quarantine list" shows what is',
    details: { path: displayPath(path), isStored },
  });
}

function openStored(home: string): StoredTree {
  const paths = homePaths(home);
  getDatabase(paths);
  return StoredTree.openReader(paths.database);
}

/** The bytes of the caller's path; read when the caller has left the boundary of this package. */
function* readStored(stored: StoredTree, path: TreePath): Generator<Buffer> {
  try {
    yield* stored.read(path);
  } catch (error) {
    throw toStorageError(error, stored.handle.name);
  }
}

/** The rule that the reason names; of a journal, whose reason names lines, the rules that those lines break. */
async function listRules(stored: StoredTree, path: TreePath): Promise<readonly QuarantineRule[]> {
  const [{ layoutRules, readContext }, { checks }] = await Promise.all([
    import('@deespec/layout'),
    import('@deespec/validators'),
  ]);
  const { rule } = splitReason(getQuarantined(stored, path).reason);
  const broken = new Set([rule]);
  if (rule === undefined) {
    // Only what is wrong with the lines is asked, so no event is kept.
    const spool = { add: () => undefined, eventsOf: () => [], countOf: () => 0, picksOf: () => 0 };
    const { findings } = readContext(stored, { checks, spool });
    for (const finding of findings.get(path) ?? []) {
      if (finding.severity === 'error') broken.add(finding.rule);
    }
  }
  return layoutRules
    .filter((one) => broken.has(one.rule))
    .map(({ rule: name, why, fix }) => ({ rule: name, why, fix }));
}
