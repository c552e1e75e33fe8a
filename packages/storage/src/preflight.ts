import { parseTime, StorageError, timeFromDate } from '@deespec/domain';
import { readGoLocks, type GoRunLock } from '@deespec/file-adapter';
import { lstatSync, statfsSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';

import { readGoState } from './go-state.js';
import type { HomePaths } from './home.js';

/** File systems whose locks cannot be trusted. Source: statfs(2); sqlite.org/wal.html, "all processes on the same host". */
const networkFileSystems: Readonly<Record<number, string>> = {
  0x6969: 'NFS',
  0xff534d42: 'CIFS',
  0xfe534d42: 'SMB2',
  0x01021997: '9p',
  0x65735546: 'FUSE',
};

/** A state.lock without a live lease is stale after this time, as the Go tool has it: 10 minutes. */
export const STALE_LOCK_MS = 600_000;

/** The database holds every byte once, with at most this share of its own on top. */
const SPACE_FACTOR = 1.3;
const SPACE_FLOOR_BYTES = 16 * 1_048_576;

/**
 * Root makes nothing in another user's tree: it would lock its owner out.
 *
 * @throws StorageError `PREFLIGHT.FOREIGN_OWNER`
 */
export function requireOwner(paths: HomePaths): void {
  const stat = lstatSync(paths.home);
  if (process.getuid?.() === 0 && stat.uid !== 0) {
    throw new StorageError(
      'PREFLIGHT.FOREIGN_OWNER',
      `${paths.home} belongs to user ${stat.uid}, and you are root`,
      {
        hint: 'run the command as the owner of the tree, so that the database belongs to the owner too',
        details: { owner: stat.uid },
      },
    );
  }
}

/**
 * Refuses to begin where the run could not end well. Comes before anything of ours is made.
 *
 * @throws StorageError `PREFLIGHT.FOREIGN_OWNER`, `PREFLIGHT.FILE_SYSTEM`
 */
export function requireFit(paths: HomePaths): void {
  requireOwner(paths);
  const network = networkFileSystem(paths.home);
  if (network !== undefined) {
    throw new StorageError(
      'PREFLIGHT.FILE_SYSTEM',
      `${paths.home} is on ${network}, which does not keep SQLite's locks`,
      {
        hint: 'move the tree to a local disk',
      },
    );
  }
}

/** Name of the file system of a directory when it is one whose locks cannot be trusted. */
export function networkFileSystem(directory: string): string | undefined {
  return networkFileSystems[statfsSync(directory).type];
}

/** Directories in which any user of the machine can put something else in the place of the tree, or of its parts. */
export function unsafeDirectories(paths: HomePaths): readonly string[] {
  return [dirname(paths.home), paths.home].filter((directory) => {
    const { mode } = lstatSync(directory);
    return (mode & 0o002) !== 0 && (mode & 0o1000) === 0;
  });
}

/** @throws StorageError `PREFLIGHT.NO_SPACE` when the database would not fit */
export function requireSpace(paths: HomePaths, treeBytes: number): void {
  const { bavail, bsize } = statfsSync(paths.home);
  const free = bavail * bsize;
  const needed = Math.ceil(treeBytes * SPACE_FACTOR) + SPACE_FLOOR_BYTES;
  if (free >= needed) return;
  throw new StorageError(
    'PREFLIGHT.NO_SPACE',
    `${free} bytes are free at ${paths.home}; the run needs ${needed}`,
    {
      hint: 'free disk space, then run the command again',
      details: { free, needed },
    },
  );
}

/** @throws StorageError `GO_TOOL.RUNNING` while the Go tool works on the tree: its lease, run lock or state lock is live */
export function requireIdleGoTool(paths: HomePaths, now: Date): void {
  const { wip, leaseUntil } = readGoState(paths);
  const leaseLives = leaseUntil !== undefined && leaseUntil > timeFromDate(now);
  if (wip !== undefined && leaseLives) throw running(`${wip} is in work until ${leaseUntil}`);
  const { stateLock, runLock } = readGoLocks(paths.home);
  if (runLock !== undefined && isLive(runLock, now)) {
    throw running(
      `var/runlock is held by pid ${runLock.pid ?? 'unknown'} on ${runLock.hostname ?? 'an unknown host'}`,
    );
  }
  if (stateLock && !isStale(paths, leaseUntil !== undefined, now)) {
    throw running('var/state.lock is held');
  }
}

function running(why: string): StorageError {
  return new StorageError('GO_TOOL.RUNNING', `the Go tool works on this tree: ${why}`, {
    hint: 'wait until its run ends or stop it, then run the command again',
  });
}

function isLive(lock: GoRunLock, now: Date): boolean {
  const expiresAt = lock.expiresAt === undefined ? undefined : parseTime(lock.expiresAt);
  if (expiresAt !== undefined && expiresAt < timeFromDate(now)) return false;
  if (lock.pid === undefined || lock.hostname !== hostname()) return true;
  try {
    process.kill(lock.pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

/** With a lease that has passed it is stale at once; without one after 10 minutes. */
function isStale(paths: HomePaths, hasLease: boolean, now: Date): boolean {
  const stat = lstatSync(join(paths.home, 'var', 'state.lock'), { throwIfNoEntry: false });
  return stat === undefined || hasLease || now.getTime() - stat.mtimeMs > STALE_LOCK_MS;
}
