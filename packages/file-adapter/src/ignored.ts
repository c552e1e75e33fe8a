import type { EntryKind, TreePath } from '@deespec/domain';

/** What stands at a path of the disk: an entry, or a FIFO, socket or device. */
export type DiskKind = EntryKind | 'special';

/** An entry of somebody else that is neither stored nor removed. */
export interface IgnoredEntry {
  readonly path: TreePath;
  readonly kind: DiskKind;
  /** Length of a file's content or of a symlink's target, in bytes; else 0. */
  readonly bytes: number;
}

/** Answers what stands at a path, or `undefined`. */
export type KindAt = (path: TreePath) => DiskKind | undefined;

const ours = new Set(['deespec.db', 'deespec.db-wal', 'deespec.db-shm', 'deespec.db-journal', '.storage']);
const locks = ['var/state.lock', 'var/runlock'];
const temporaryName = /^\.tmp[.-]|\.tmp$/u;

/**
 * Whose an entry outside the tree's record is: `ours` (database, `.storage/`, backups with our manifest), `foreign` (the
 * Go tool's locks, temporary files), or `undefined` for everything else, which is data. The list is closed.
 *
 * @param kindAt - asked about siblings of a backup only
 *
 * Source: docs/digest.md, "What is left out".
 */
export function ignoredOwner(path: TreePath, kind: DiskKind, kindAt: KindAt): 'ours' | 'foreign' | undefined {
  if (ours.has(path) || path.startsWith('.storage/') || isOurBackup(path, kind, kindAt)) return 'ours';
  if (locks.some((lock) => path === lock || path.startsWith(`${lock}/`))) return 'foreign';
  return kind === 'file' && temporaryName.test(path.slice(path.lastIndexOf('/') + 1)) ? 'foreign' : undefined;
}

/**
 * True when the directory `backups` exists for our backups alone, so that it is ours too: at least one of them, and beside
 * them only what is ignored.
 *
 * @param names - the names in it, byte strings
 */
export function holdsOnlyBackups(names: readonly string[], kindAt: KindAt): boolean {
  const owners = names.map((name) => {
    const path = `${backups}${name}` as TreePath;
    const kind = kindAt(path);
    return kind === undefined ? 'foreign' : ignoredOwner(path, kind, kindAt);
  });
  return owners.includes('ours') && !owners.includes(undefined);
}

const backups = 'backups/';
const manifest = '.manifest.json';

/** A backup is a file with a manifest beside it: `<name>` and `<name>.manifest.json`, both directly in `backups/`. */
function isOurBackup(path: TreePath, kind: DiskKind, kindAt: KindAt): boolean {
  if (!path.startsWith(backups) || path.includes('/', backups.length) || kind !== 'file') return false;
  if (kindAt(`${path}${manifest}` as TreePath) === 'file') return true;
  return path.endsWith(manifest) && kindAt(path.slice(0, -manifest.length) as TreePath) === 'file';
}
