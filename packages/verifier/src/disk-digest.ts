import type { DiskEntry } from './disk-entry.js';
import { LineDigest, lineOf } from './line-digest.js';
import type { Pace } from './pace.js';
import type { ScanCount, TreeScan } from './tree-scan.js';

/** What reading a whole tree came to. */
export interface DiskDigest {
  /** Of the tree, see `digestTree`. */
  readonly digest: string;
  readonly count: ScanCount;
}

/** Who gets what is read. */
export interface DiskReaders {
  /** Gets every entry, paths in byte order; a promise that it returns is awaited. */
  readonly onEntry: (entry: DiskEntry) => unknown;
  /** Gets each line of the digest's text, see `DigestOptions`. */
  readonly onLine?: ((line: Buffer) => void) | undefined;
}

/** Reads every byte of a tree on disk, in this process. @throws StorageError as `digestTree` */
export async function digestDisk(
  scan: TreeScan,
  pace: Pace,
  { onEntry, onLine }: DiskReaders,
): Promise<DiskDigest> {
  const lines = new LineDigest();
  try {
    const count = await scan.run('content', (entry) => {
      lines.add(lineOf(entry));
      return onEntry(entry);
    });
    return { digest: await lines.finish(pace, onLine), count };
  } finally {
    lines.close();
  }
}
