import { isStorageError, StorageError, systemCode } from '@deespec/domain';
import { hostname } from 'node:os';

import { writeError } from './file-error.js';
import { CREATE_FLAGS, writeAll } from './file-system.js';
import { isOwnLock, OWN_LOCK, readGoLocks, STATE_LOCK, type GoRunLock } from './go-locks.js';
import type { TreeRoot } from './tree-root.js';

/** After this time others take a lock for left behind, milliseconds. Source: docs/formats.md, "Locks of the Go tool". */
const LEASE_MS = 600_000;

const RUN_LOCK = 'var/runlock';

/**
 * Runs `work` while this process has the Go tool's two locks, in that tool's order, so that it does not write `var/state.json`
 * meanwhile. A lock that a crash left behind is not removed, and no hindrance; nor is the directory that keeps the tool out of a tree
 * that is stopped. Runs alone among all writers of ours: a lock of
 * ours that stands is a dead process's.
 *
 * @throws StorageError `GO_TOOL.RUNNING` at once while the Go tool has them; what `work` throws
 */
export function withGoLocks<T>(root: TreeRoot, work: () => T): T {
  if (root.stat('var') === undefined) return work();
  requireFree(root);
  const taken: string[] = [];
  try {
    if (take(root, STATE_LOCK, OWN_LOCK)) taken.push(STATE_LOCK);
    if (take(root, RUN_LOCK, runLockText(new Date()))) taken.push(RUN_LOCK);
    return work();
  } finally {
    for (const lock of taken.reverse()) release(root, lock);
  }
}

/** Removes locks of ours that a process left behind when it died. Runs alone among all writers of ours. */
export function releaseLeftGoLocks(root: TreeRoot): void {
  for (const lock of [STATE_LOCK, RUN_LOCK]) if (isOwnLock(root.directory, lock)) release(root, lock);
}

function requireFree(root: TreeRoot): void {
  const { stateLock, runLock } = readGoLocks(root.directory);
  if (runLock !== undefined && isLive(runLock, ageOf(root, RUN_LOCK))) {
    throw running(
      `var/runlock is held by pid ${runLock.pid ?? 'unknown'} on ${runLock.hostname ?? 'an unknown host'}`,
    );
  }
  // Whoever crashed left both: without the one the other means nothing.
  if (!stateLock || runLock !== undefined) return;
  if (ageOf(root, STATE_LOCK) < LEASE_MS) throw running('var/state.lock is held');
}

/** Milliseconds since a lock was written. */
function ageOf(root: TreeRoot, lock: string): number {
  return Date.now() - Number(root.stat(lock)?.mtimeMs ?? 0);
}

function running(why: string): StorageError {
  return new StorageError('GO_TOOL.RUNNING', `the Go tool works on this tree: ${why}; nothing was changed`, {
    hint: 'try again when its run has ended',
  });
}

/** A lock that does not say until when, such as one that a power cut left empty, lasts as long as a lease. */
function isLive({ pid, expiresAt, hostname: host }: GoRunLock, ageMs: number): boolean {
  const ends = expiresAt === undefined ? Number.NaN : Date.parse(expiresAt);
  if (Number.isNaN(ends) ? ageMs >= LEASE_MS : ends < Date.now()) return false;
  if (pid === undefined || host !== hostname()) return true;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return systemCode(error) !== 'ESRCH';
  }
}

function runLockText(now: Date): string {
  const seconds = (time: Date): string => `${time.toISOString().slice(0, 19)}Z`;
  return JSON.stringify({
    pid: process.pid,
    acquired_at: seconds(now),
    expires_at: seconds(new Date(now.getTime() + LEASE_MS)),
    hostname: hostname(),
    by: OWN_LOCK,
  });
}

/** @returns false when a lock stands there that somebody left behind */
function take(root: TreeRoot, lock: string, text: string): boolean {
  const { system } = root;
  try {
    const handle = system.openSync(root.at(lock), CREATE_FLAGS, 0o644);
    try {
      writeAll(system, handle, Buffer.from(text));
    } finally {
      system.closeSync(handle);
    }
    return true;
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return false;
    throw isStorageError(error) ? error : writeError(error, lock, 'before');
  }
}

function release(root: TreeRoot, lock: string): void {
  try {
    root.system.unlinkSync(root.at(lock));
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw writeError(error, lock, 'before');
  }
}
