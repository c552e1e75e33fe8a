import { digestDisk } from './disk-digest.js';
import type { DiskEntry } from './disk-entry.js';
import { Pace, type RunControl } from './pace.js';
import type { Tally } from './tally.js';
import { TreeScan, type IgnoredEntry } from './tree-scan.js';

/** The digest of a tree and what went into it. */
export interface TreeDigest {
  /** SHA-256 in lower-case hex. */
  readonly digest: string;
  readonly files: number;
  readonly directories: number;
  readonly symlinks: number;
  /** Bytes of files' contents and of symlinks' targets. */
  readonly bytes: number;
  /** Litter of other programs that is not part of the tree: the first 1,000 met, in no particular order. */
  readonly ignored: readonly IgnoredEntry[];
  /** All of that litter. */
  readonly ignoredTally: Tally;
}

/** What {@link digestTree} takes beside the directory. */
export interface DigestOptions extends RunControl {
  /** Gets each line of the digest's text, in order, without its LF. */
  readonly onLine?: ((line: Buffer) => void) | undefined;
}

/**
 * Reads every byte of the tree in `directory` and returns its digest: equal digests mean equal paths, modes, contents and
 * symlink targets. Times are no part of it. A symlink at `directory` itself is resolved once; no other is followed.
 *
 * Never writes to the tree; sorts in a temporary file, so memory does not grow with the tree. On a tree that is being
 * written, each file is read in one unchanged state, but the whole need not be the state of any one moment.
 *
 * @throws StorageError `TREE.NOT_FOUND` when there is no directory
 * @throws StorageError `FILE.SPECIAL` for a FIFO, socket or device; `FILE.PERMISSION`, `FILE.READ_FAILED`
 * @throws StorageError `FILE.UNSTABLE` when a file changed during each of 3 reads
 * @throws StorageError `FILE.NO_SPACE`, `SQLITE.FAILED` when the temporary file cannot be written
 * @throws StorageError `INTERRUPTED` when `signal` was aborted
 *
 * Source: docs/digest.md.
 */
export async function digestTree(directory: string, options: DigestOptions = {}): Promise<TreeDigest> {
  const pace = new Pace(options);
  const scan = new TreeScan(directory, pace);
  const count = { f: 0, d: 0, l: 0 };
  let bytes = 0;
  const { onLine } = options;
  const onEntry = (entry: DiskEntry): void => {
    count[entry.kind] += 1;
    bytes += entry.size;
  };
  const whole = await digestDisk(scan, pace, { onEntry, onLine });
  await pace.turn();
  return {
    digest: whole.digest,
    files: count.f,
    directories: count.d,
    symlinks: count.l,
    bytes,
    ignored: scan.ignored,
    ignoredTally: whole.count.ignored,
  };
}
