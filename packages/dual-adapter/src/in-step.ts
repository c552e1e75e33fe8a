import type { AccountRow, DiskStat, TreePath } from '@deespec/domain';

import { isSameStat, isSameVersion } from './decide.js';
import type { SyncStores } from './keeping.js';
import { isRacy } from './observe.js';
import { pair } from './scan-order.js';

/** True when both stores hold what both held last, as far as that can be told without reading the file. */
export function isClean(stat: DiskStat | undefined, row: AccountRow | undefined): boolean {
  const { entry, projection } = row ?? {};
  if (stat === undefined || entry === undefined || projection === undefined) return false;
  if (isRacy(stat, projection.seenAtMs) || !isSameStat(stat, projection)) return false;
  return isSameVersion(entry, projection) && entry.mtimeNs === projection.mtimeNs;
}

/** A path that a look over the whole tree came by. */
export interface Passed {
  readonly path: TreePath;
  /** False when it is to be looked at for itself. */
  readonly isClean: boolean;
  /** What stands there in the files; `undefined`: nothing. */
  readonly kind: DiskStat['kind'] | undefined;
}

/** Every path of both stores, in scan order, read without opening a file. Can be left and gone on with while the tree changes. */
export function* lookOver({ files, ledger }: Pick<SyncStores, 'files' | 'ledger'>): Generator<Passed> {
  for (const { path, left, right } of pair(files.scan(), ledger.account())) {
    yield { path, isClean: isClean(left, right), kind: left?.kind };
  }
}
