import type { Ledger, Projection, TreeEntry, TreePath } from '@deespec/domain';

import { isSameStat, isSameVersion, type Facts, type Version } from './decide.js';
import type { SyncStores } from './keeping.js';
import { isJournalPath } from './merge-lines.js';
import { observe, type Observation } from './observe.js';

/** Everything about one path at one moment. */
export interface Look {
  readonly path: TreePath;
  readonly facts: Facts;
  readonly seen: Observation | undefined;
  /** Revision of the debt that the path has. */
  readonly clears: number | undefined;
}

/**
 * Looks at a path in both stores. The database first, then the files: what another process brings in step in between
 * then shows as a database that moved on, and the settlement is refused. The other way round, an old look at the files would
 * be taken for a change of them.
 *
 * @param base - what both are known to have held since the projection was recorded
 * @throws StorageError `FILE.UNSTABLE`, those of reading
 */
export function lookAt(stores: SyncStores, path: TreePath, base: Facts['base']): Look {
  const { files, ledger, truth, now = () => new Date() } = stores;
  // Before the entry: a debt that is newer than the entry must not be cleared with it.
  const debt = ledger.debtOf(path);
  const { entry, projection } = recorded(ledger, path);
  const seen = observe(files, path, now);
  const known = base ?? putByUs(stores, { entry, projection, seen });
  return {
    path,
    seen,
    clears: debt?.rev,
    facts: {
      file: seen?.entry,
      entry,
      projection,
      debt: debt !== undefined,
      truth,
      isJournal: isJournalPath(path),
      ...(known === undefined ? {} : { base: known }),
    },
  };
}

/**
 * What stands in the files when we put it there from the database and died before that was recorded: a version that the database
 * has moved on from, and no change of the files.
 */
function putByUs(
  { files, truth }: SyncStores,
  {
    entry,
    projection,
    seen,
  }: Pick<Facts, 'entry' | 'projection'> & { readonly seen: Observation | undefined },
): Version | undefined {
  if (truth === 'files' || seen === undefined || entry === undefined) return undefined;
  const isMoved = projection === undefined || !isSameVersion(seen.entry, projection);
  if (!isMoved || isSameVersion(seen.entry, entry)) return undefined;
  const { path, sha256 } = seen.entry;
  return files.hasProjected(path, sha256, projection?.seenAtMs ?? 0) ? seen.entry : undefined;
}

/**
 * Entry and projection of one moment. They are read one after the other; an entry of before and a projection of after a
 * settlement of another process would look like a database that was set back.
 */
function recorded(
  ledger: Ledger,
  path: TreePath,
): { entry?: TreeEntry | undefined; projection: Projection | undefined } {
  let projection = ledger.projected(path);
  for (;;) {
    const entry = ledger.find(path);
    const again = ledger.projected(path);
    if (isSame(projection, again)) return { entry, projection };
    projection = again;
  }
}

function isSame(one: Projection | undefined, other: Projection | undefined): boolean {
  if (one === undefined || other === undefined) return one === other;
  return one.sha256 === other.sha256 && one.seenAtMs === other.seenAtMs && isSameStat(one, other);
}
