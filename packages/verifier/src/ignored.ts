import type { FoundKind } from './stops.js';

/** Ours, below the root, whatever stands there. Source: docs/digest.md, "What is left out". */
const ourPaths = new Set([
  'deespec.db',
  'deespec.db-wal',
  'deespec.db-shm',
  'deespec.db-journal',
  '.storage',
]);

/** Locks of the Go tool, of any kind and with whatever they hold. Source: docs/digest.md, "What is left out". */
const lockPaths = new Set(['var/state.lock', 'var/runlock']);

/** Leftovers of atomic writes, at any depth, when they are regular files. Source: docs/digest.md, "What is left out". */
const temporaryName = /^\.tmp[.-]|\.tmp$/u;

const manifestSuffix = '.manifest.json';

/** True for what this product keeps beside the tree, backups apart. `path` is a byte string below the root. */
export function isOurs(path: string): boolean {
  return ourPaths.has(path);
}

/** True for what other programs leave behind and nobody wants back. `path` is a byte string below the root. */
export function isForeignLitter(path: string, kind: FoundKind): boolean {
  return (
    lockPaths.has(path) || (kind === 'file' && temporaryName.test(path.slice(path.lastIndexOf('/') + 1)))
  );
}

/** What stands directly in `backups/`: byte-string names with their kinds. */
export type BackupListing = ReadonlyMap<string, FoundKind>;

/** True for a backup (a regular file with its manifest beside it) and for the manifest of one. */
export function isBackup(name: string, listing: BackupListing): boolean {
  if (listing.get(name) !== 'file') return false;
  if (listing.get(name + manifestSuffix) === 'file') return true;
  return name.endsWith(manifestSuffix) && listing.get(name.slice(0, -manifestSuffix.length)) === 'file';
}

/** True when `backups/` exists for our backups alone: at least one of them, and beside them only what is ignored. */
export function isBackupDirectory(listing: BackupListing): boolean {
  const others = [...listing].filter(([name]) => !isBackup(name, listing));
  return (
    others.length < listing.size && others.every(([name, kind]) => isForeignLitter(`backups/${name}`, kind))
  );
}
