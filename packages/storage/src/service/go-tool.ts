import { parseTime, timeFromDate } from '@deespec/domain';
import { makeStopLock, readGoLocks, type GoRunLock } from '@deespec/file-adapter';
import { linkSync, lstatSync, renameSync, unlinkSync, type BigIntStats } from 'node:fs';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { ulid } from 'ulid';

import { readGoState } from '../go-state.js';
import type { HomePaths } from '../home.js';
import { makeOwnDirectory } from '../own-directory.js';
import { STALE_LOCK_MS } from '../preflight.js';
import { directoryOf, executableOf, ownerOf, startedAtMs } from '../process-facts.js';
import { isRunning } from '../processes.js';
import { syncPath } from '../sync-path.js';

/**
 * Keeps the Go tool out of a tree that is stopped. A lock that it left behind by its own rule is moved to `.storage/trash/`,
 * never deleted. Runs under the exclusive barrier.
 *
 * @returns `out`: it cannot write; `no var`: there is no place for its locks; `held`: its lock is live; `foreign`: a directory
 *   that is none of ours stands there
 * @throws StorageError `FILE.*`
 */
export function keepGoToolOut(paths: HomePaths): 'out' | 'no var' | 'held' | 'foreign' {
  for (let attempt = 0; ; attempt += 1) {
    const outcome = makeStopLock(paths.home);
    if (outcome !== 'taken') return outcome === 'made' ? 'out' : outcome;
    const lock = statOf(stateLock(paths));
    if (lock?.isDirectory() === true) return 'foreign';
    if (attempt === MOST_ATTEMPTS || (lock !== undefined && !isLeft(paths, lock))) return 'held';
    if (lock !== undefined) setAside(paths, lock);
  }
}

/** How often a lock that others make and remove meanwhile is looked at. */
const MOST_ATTEMPTS = 3;

function stateLock(paths: HomePaths): string {
  return join(paths.home, 'var', 'state.lock');
}

function statOf(path: string): BigIntStats | undefined {
  return lstatSync(path, { bigint: true, throwIfNoEntry: false });
}

/**
 * With a lease that has passed a lock is left at once; without one after 10 minutes; and that of a run whose end is certain when
 * it was taken before that run's own lock. Source: docs/formats.md, "Locks of the Go tool".
 */
function isLeft(paths: HomePaths, lock: BigIntStats): boolean {
  const { leaseUntil } = readGoState(paths);
  const { runLock } = readGoLocks(paths.home);
  const run = statOf(join(paths.home, 'var', 'runlock'));
  if (runLock !== undefined && isLiveRun(runLock)) return false;
  if (runLock !== undefined && run !== undefined && lock.mtimeNs <= run.mtimeNs) return true;
  if (leaseUntil !== undefined) return leaseUntil <= timeFromDate(new Date());
  return Date.now() - Number(lock.mtimeMs) > STALE_LOCK_MS;
}

/** Moves a lock away, and puts it back when it is another one than the one that was judged. */
function setAside(paths: HomePaths, judged: BigIntStats): void {
  makeOwnDirectory(paths.trash);
  const lock = stateLock(paths);
  const kept = join(paths.trash, `state.lock-${ulid()}`);
  renameSync(lock, kept);
  const moved = statOf(kept);
  if (moved?.ino !== judged.ino || moved.mtimeNs !== judged.mtimeNs) {
    try {
      linkSync(kept, lock);
      unlinkSync(kept);
    } catch {
      // A third one stands there already; the second stays in the trash.
    }
  }
  for (const directory of [paths.trash, dirname(lock)]) syncPath(directory);
}

/** Whether the Go tool may be at work: its lease has not passed and, where that can be told, its process runs. */
function isLiveRun({ pid, expiresAt, hostname: host }: GoRunLock): boolean {
  const ends = expiresAt === undefined ? undefined : parseTime(expiresAt);
  if (ends !== undefined && ends < timeFromDate(new Date())) return false;
  return pid === undefined || host !== hostname() || isRunning(pid);
}

/** The run of the Go tool that holds `var/runlock`. */
export interface GoRun {
  /** 0 when the lock names no process. */
  readonly pid: number;
  /** Why the process is not proven to be the Go tool at work on this tree; absent when it is. */
  readonly doubt?: string;
}

/**
 * The run of the Go tool that goes on, or `undefined`. Anybody can write that lock, so a process is believed to be the one only when the
 * kernel says so too. Never writes.
 */
export function goRun(paths: HomePaths): GoRun | undefined {
  const { runLock } = readGoLocks(paths.home);
  if (runLock === undefined || !isLiveRun(runLock)) return undefined;
  const { pid } = runLock;
  if (pid === undefined) return { pid: 0, doubt: 'the lock names no process' };
  const doubt = doubtOf(paths, { ...runLock, pid });
  return doubt === undefined ? { pid } : { pid, doubt };
}

/** The name of the Go tool's executable. */
const GO_TOOL = 'deespec';

/** The lock says to the second when it was taken, and the kernel when a process began. */
const CLOCK_MS = 1_000;

function doubtOf(paths: HomePaths, lock: GoRunLock & { readonly pid: number }): string | undefined {
  const { pid, hostname: host, acquiredAt } = lock;
  if (host !== hostname()) return `it runs on ${host ?? 'an unknown host'}`;
  if (pid === process.pid || ownerOf(pid) !== process.getuid?.()) return 'it is not a process of this user';
  if (executableOf(pid) !== GO_TOOL) return `it does not run ${GO_TOOL}`;
  const startedMs = startedAtMs(pid);
  const acquiredMs = Date.parse(acquiredAt ?? '');
  // Also when the lock does not say when it was taken: no comparison with that is true.
  if (startedMs === undefined || !(startedMs <= acquiredMs + CLOCK_MS))
    return 'it began after the lock was taken';
  const project = dirname(paths.home);
  const directory = directoryOf(pid);
  const isHere = directory === project || directory?.startsWith(`${project}/`) === true;
  return isHere ? undefined : 'it does not work in this project';
}
