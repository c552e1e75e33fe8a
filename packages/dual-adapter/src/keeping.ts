import {
  timeFromDate,
  type Conflict,
  type Ledger,
  type ProjectedFiles,
  type TreeEntry,
  type TreePath,
} from '@deespec/domain';

import type { Loser, Truth } from './decide.js';
import { verified, type Observation } from './observe.js';
import type { Tally } from './sync-report.js';

/** What a synchronisation works on. */
export interface SyncStores {
  readonly files: ProjectedFiles;
  readonly ledger: Ledger;
  /** Whose bytes stay when both moved. */
  readonly truth: Truth;
  /**
   * Where to keep the bytes of a version of the database that an import is about to replace, in both stores; `undefined`:
   * nowhere. Must not be the path itself.
   */
  readonly earlier?: ((path: TreePath, entry: TreeEntry) => Promise<TreePath | undefined>) | undefined;
  /** Stops between two paths. */
  readonly signal?: AbortSignal | undefined;
  /** The present; default: the system's. */
  readonly now?: (() => Date) | undefined;
}

/** A version that loses. */
interface Losing {
  readonly store: Loser;
  readonly version: TreeEntry;
  readonly content: Iterable<Buffer>;
  readonly reason: string;
  /** The version that wins; `undefined`: none does. */
  readonly keptSha256: string | undefined;
}

/** Keeps the database's version of a path that another one takes the place of. Durable when it returns. */
export function keepEntry(stores: SyncStores, tally: Tally, losing: Omit<Losing, 'store' | 'content'>): void {
  const { version } = losing;
  // FILE.CHANGED: the path is decided again, on what the database holds by then.
  const content = verified(stores.ledger.read(version.path), version, 'FILE.CHANGED');
  keep(stores, tally, { ...losing, store: 'sqlite', content });
}

/** Keeps the files' version of a path that another one takes the place of. Durable when it returns. */
export function keepFile(
  stores: SyncStores,
  tally: Tally,
  losing: Omit<Losing, 'store' | 'content' | 'version'> & { readonly seen: Observation },
): void {
  const { seen } = losing;
  const content =
    seen.bytes === undefined
      ? verified(stores.files.read(seen.entry.path), seen.entry, 'FILE.CHANGED')
      : [seen.bytes];
  keep(stores, tally, { ...losing, store: 'files', version: seen.entry, content });
}

/** A version that was kept before a crash, or in an earlier round, is not kept twice. */
function keep({ files, now }: SyncStores, tally: Tally, losing: Losing): void {
  const { store, version, content, reason, keptSha256 } = losing;
  const { path, kind, mode, mtimeNs, size, sha256 } = version;
  const known = files.listConflicts().find((conflict) => isOf(conflict, store, version));
  if (known !== undefined) return tally.conflict(known.id);
  const at = timeFromDate(now?.() ?? new Date());
  const conflict = { path, store, at, kind, mode, mtimeNs, size, sha256, reason };
  tally.conflict(
    files.keepConflict(keptSha256 === undefined ? conflict : { ...conflict, keptSha256 }, content),
  );
  tally.wrote();
}

function isOf(conflict: Conflict, store: Loser, version: TreeEntry): boolean {
  return (
    conflict.store === store &&
    conflict.path === version.path &&
    conflict.kind === version.kind &&
    conflict.mode === version.mode &&
    conflict.sha256 === version.sha256
  );
}
