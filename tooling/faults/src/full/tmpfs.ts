import { execFileSync } from 'node:child_process';
import { mkdirSync, statfsSync } from 'node:fs';

/** A small file system in memory whose room can be set while it is used. */
export interface SmallDisk {
  readonly directory: string;
  /** Leaves this much room, rounded down to pages of 4 KiB. */
  leaveBytes(bytes: number): void;
  /** Leaves room for this many names. */
  leaveInodes(inodes: number): void;
  /** As much room as anybody could need. */
  enlarge(): void;
  unmount(): void;
}

const LARGE_BYTES = 512 * 1_048_576;
const LARGE_INODES = 1_000_000;

/** Mounts one at `directory`, which is made. It is large at first. Source: tmpfs(5). */
export function mountSmallDisk(directory: string): SmallDisk {
  mkdirSync(directory, { recursive: true });
  const options = (bytes: number, inodes: number): string => `size=${bytes},nr_inodes=${inodes}`;
  const remount = (bytes: number, inodes: number): void => {
    execFileSync('mount', ['-o', `remount,${options(bytes, inodes)}`, directory]);
  };
  const large = options(LARGE_BYTES, LARGE_INODES);
  execFileSync('mount', ['-t', 'tmpfs', '-o', large, 'deespec-faults', directory]);
  const used = (): { bytes: number; inodes: number } => {
    const { blocks, bfree, bsize, files, ffree } = statfsSync(directory);
    return { bytes: (blocks - bfree) * bsize, inodes: files - ffree };
  };
  return {
    directory,
    // No size at all would mean no limit.
    leaveBytes: (bytes) => remount(Math.max(4096, used().bytes + bytes - (bytes % 4096)), LARGE_INODES),
    leaveInodes: (inodes) => remount(LARGE_BYTES, used().inodes + inodes),
    enlarge: () => remount(LARGE_BYTES, LARGE_INODES),
    unmount: () => void execFileSync('umount', [directory]),
  };
}
