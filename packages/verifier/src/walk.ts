import { isGone, fileError } from './file-error.js';
import { isBackup, isBackupDirectory, isForeignLitter, isOurs, type BackupListing } from './ignored.js';
import { listStops, type FoundKind, type Stop } from './stops.js';

/** One name met on the way. */
export interface Found {
  /** Byte string (one character per byte) below the root. */
  readonly path: string;
  /** The path to hand to the operating system. */
  readonly absolute: Buffer;
  readonly kind: FoundKind;
  /** Litter of other programs, or something inside it: not part of the tree. */
  readonly ignored: boolean;
}

interface OpenDirectory {
  readonly stops: Iterator<Stop, void>;
  /** Byte string that goes before the names of this directory: empty, or a path and `/`. */
  readonly prefix: string;
  readonly ignored: boolean;
  readonly backups: BackupListing | undefined;
}

/** A directory file above this many bytes (some 60,000 names) is sorted on disk instead of in memory. Source: measured. */
const largeDirectoryBytes = 2 * 1_048_576;

/**
 * Everything below `root`, paths in byte order (so `a`, `a.b`, `a/x`); what this product keeps beside the tree is neither
 * yielded nor entered. Memory does not grow with the tree, not even with a directory of a million names. Never follows a
 * symlink. What vanishes on the way is left out.
 *
 * @param largeBytes - directories above this size are sorted on disk
 * @throws StorageError `FILE.PERMISSION`, `FILE.READ_FAILED`; `FILE.NO_SPACE`, `SQLITE.FAILED` for a sort on disk
 */
export function* walk(root: Buffer, largeBytes = largeDirectoryBytes): Generator<Found, void, undefined> {
  const open: OpenDirectory[] = [];
  const enter = (directory: Omit<OpenDirectory, 'stops'>): void => {
    open.push({ ...directory, stops: openStops(root, directory.prefix, largeBytes) });
  };
  enter({ prefix: '', ignored: false, backups: undefined });
  try {
    for (let top = open.at(-1); top !== undefined; top = open.at(-1)) {
      const stop = nextStop(top);
      if (stop === undefined) {
        open.pop();
        continue;
      }
      const path = top.prefix + stop.name;
      if (isOurs(path) || (top.backups !== undefined && isBackup(stop.name, top.backups))) continue;
      const kind = stop.kind === 'content' ? 'directory' : stop.kind;
      const ignored = top.ignored || isForeignLitter(path, kind);
      const backups = path === 'backups' && kind === 'directory' ? listBackups(root) : undefined;
      if (stop.kind === 'content') enter({ prefix: `${path}/`, ignored, backups });
      else if (backups === undefined || !isBackupDirectory(backups)) {
        yield foundAt(root, { path, kind, ignored });
      }
    }
  } finally {
    for (const { stops } of open) stops.return?.();
  }
}

/** A name below `root` with the path to hand to the operating system. */
export function foundAt(root: Buffer, name: Omit<Found, 'absolute'>): Found {
  return { ...name, absolute: below(root, name.path) };
}

/** What stands in `backups/`, whose few entries fit in memory. */
function listBackups(root: Buffer): BackupListing {
  const listing = new Map<string, FoundKind>();
  const directory = { prefix: 'backups/', stops: openStops(root, 'backups/', Infinity) };
  for (let stop = nextStop(directory); stop !== undefined; stop = nextStop(directory)) {
    if (stop.kind !== 'content') listing.set(stop.name, stop.kind);
  }
  return listing;
}

/** The stops of a directory; none when it is gone. */
function openStops(root: Buffer, prefix: string, largeBytes: number): Iterator<Stop, void> {
  try {
    return listStops(below(root, prefix), largeBytes);
  } catch (error) {
    if (isGone(error)) return [].values();
    throw fileError(error, prefix);
  }
}

function nextStop(directory: Pick<OpenDirectory, 'prefix' | 'stops'>): Stop | undefined {
  try {
    const next = directory.stops.next();
    return next.done === true ? undefined : next.value;
  } catch (error) {
    if (isGone(error)) return undefined;
    throw fileError(error, directory.prefix);
  }
}

const slash = Buffer.from('/');

function below(root: Buffer, path: string): Buffer {
  return Buffer.concat([root, slash, Buffer.from(path, 'latin1')]);
}
