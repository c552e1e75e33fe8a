import { isStorageError, StorageError } from '@deespec/domain';
import { writeFileDurably } from '@deespec/file-adapter';
import { openHandle, toStorageError } from '@deespec/sqlite-adapter';
import { closeSync, existsSync, lstatSync, openSync } from 'node:fs';
import { join } from 'node:path';

import { requireRestored, RESTORE } from './backup/restore-journal.js';
import type { HomePaths } from './home.js';
import { makeOwnDirectory, removeUnfinished } from './own-directory.js';
import { requireOwner } from './preflight.js';
import { announce, ifPossible, livingHolders, removeDeadNotes } from './processes.js';

/**
 * How long a command that finds the lock taken looks for who took it, milliseconds: the holder announces itself after it has
 * the lock, two that start at the same instant can refuse each other, and `status` takes the lock for the time of one read.
 */
const PATIENCE_MS = 1_000;

/** How long it looks at least, milliseconds: one that only tries to get the lock keeps others out for an instant. */
const SETTLE_MS = 150;

/** How long one attempt to be alone waits for calls of services to end, milliseconds. */
const DRAIN_MS = 100;

/** Lets go of the barrier. A second call does nothing. */
export type Release = () => void;

/** Who takes the barrier, and how. */
export interface BarrierRequest {
  /** `exclusive`: publish and whatever must be alone; `shared`: whatever relies on the published state staying. */
  readonly access: 'shared' | 'exclusive';
  /** The command, for people who are told to wait. */
  readonly command: string;
  /** How long the thread may be blocked when the lock is taken, milliseconds; default up to {@link PATIENCE_MS}. */
  readonly patienceMs?: number;
  /** How long one attempt to be alone lets no new call begin, milliseconds; default {@link DRAIN_MS}. */
  readonly drainMs?: number;
}

/**
 * Takes the barrier of a tree: a lock on `.storage/lock.db` that the kernel drops when its holder dies (docs/adr/0004).
 * Never waits for a command to end; for at most a second when the lock is taken and nobody has announced itself.
 *
 * Shared, it needs no room and nothing that can be written, once the lock file exists: a full disk or a read-only mount does
 * not stop a reading command. It is not announced then. Blocks the thread while it waits (docs/adr/0011).
 *
 * @throws StorageError `LOCK.HELD` naming pid, host, command and since of who holds it; `RESTORE.UNFINISHED`; `DATABASE.UNSAFE_LINK`;
 *   `PREFLIGHT.FOREIGN_OWNER`, `FILE.*`
 */
export function takeBarrier(paths: HomePaths, request: BarrierRequest): Release {
  requireOwn(paths);
  if (request.access === 'exclusive' || !existsSync(paths.lock)) prepareOwnDirectory(paths, paths.lock);
  const since = performance.now();
  for (;;) {
    const lock = tryLock(paths, request);
    if (!isStorageError(lock)) return announced(paths, { handle: lock, ...request });
    const waitedMs = performance.now() - since;
    const enoughMs = request.patienceMs ?? (livingHolders(paths).length > 0 ? SETTLE_MS : PATIENCE_MS);
    if (waitedMs > enoughMs) throw held(paths, lock);
    pause(5 + Math.random() * 20);
  }
}

/** Waits without a turn of the event loop. */
function pause(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

/** The lock, or the `SQLITE.BUSY` of the attempt. */
function tryLock(
  paths: HomePaths,
  { access, drainMs = DRAIN_MS }: Pick<BarrierRequest, 'access' | 'drainMs'>,
): Lock | StorageError {
  let handle;
  try {
    handle = openHandle(paths.lock, 'lock');
    // While SQLite itself waits it lets no new holder in: services that write all the time leave no gap otherwise.
    if (access === 'exclusive') handle.pragma(`busy_timeout = ${drainMs}`);
    handle.exec(access === 'exclusive' ? 'BEGIN EXCLUSIVE' : 'BEGIN DEFERRED');
    // A deferred transaction holds its SHARED lock from its first read on.
    handle.prepare('SELECT count(*) FROM sqlite_schema').get();
    return handle;
  } catch (error) {
    handle?.close();
    const known = toStorageError(error, paths.lock);
    if (isStorageError(known, 'SQLITE.BUSY')) return known;
    throw known;
  }
}

type Lock = ReturnType<typeof openHandle>;

/** Says who holds the lock; lets go of it when that fails. */
function announced(
  paths: HomePaths,
  { handle, access, command }: BarrierRequest & { handle: Lock },
): Release {
  try {
    if (command !== RESTORE) requireRestored(paths);
    if (access === 'exclusive') tidyOwnDirectory(paths);
    const withdraw =
      access === 'exclusive' ? note(paths, command) : ifPossible(() => note(paths, command), nothing);
    return () => {
      if (!handle.open) return;
      withdraw();
      handle.close();
    };
  } catch (error) {
    handle.close();
    throw error;
  }
}

/** Only the holder of the exclusive barrier writes files in `.storage/`: what stands half written there is nobody's. */
function tidyOwnDirectory(paths: HomePaths): void {
  removeUnfinished(paths.own);
  const ignore = join(paths.own, '.gitignore');
  if (lstatSync(ignore, { throwIfNoEntry: false }) === undefined) {
    writeFileDurably({ kind: 'file', target: ignore, bytes: Buffer.from('*\n'), mode: 0o600 });
  }
}

const nothing = (): void => undefined;

/** Removes the notes of those who died, and leaves one. */
function note(paths: HomePaths, command: string): () => void {
  removeDeadNotes(paths);
  return announce(paths, command, new Date());
}

/** Whether somebody holds the barrier exclusively now. Reads only. @throws StorageError `DATABASE.UNSAFE_LINK` */
export function isBarrierHeld(paths: HomePaths): boolean {
  requireOwn(paths);
  if (!existsSync(paths.lock)) return false;
  let handle;
  try {
    handle = openHandle(paths.lock, 'read');
    handle.prepare('SELECT count(*) FROM sqlite_schema').get();
    return false;
  } catch (error) {
    const known = toStorageError(error, paths.lock);
    if (isStorageError(known, 'SQLITE.BUSY')) return true;
    throw known;
  } finally {
    handle?.close();
  }
}

/** Makes a lock file where there is none. @throws StorageError as {@link takeBarrier} */
export function prepareLock(paths: HomePaths, lock = paths.lock): void {
  requireOwn(paths);
  prepareOwnDirectory(paths, lock);
}

function prepareOwnDirectory(paths: HomePaths, lock: string): void {
  if (!existsSync(paths.own)) {
    requireOwner(paths);
    makeOwnDirectory(paths.own);
  }
  // SQLite would make it readable for others. Only when it is absent: closing it would drop this process's own lock.
  if (!existsSync(lock)) closeSync(openSync(lock, 'a', 0o600));
}

/** A tree is untrusted: nothing of ours is written, or removed, through a link that it holds. */
function requireOwn(paths: HomePaths): void {
  const { own, runs, processes, copies, backupWork, rebuild, trash, reports, rehearsal, log } = paths;
  const directories = [own, runs, processes, copies, backupWork, rebuild, trash, reports, rehearsal, log];
  const { lock, writerLock, payerLock, backupLock, runLock, serviceLock, restored, stopped } = paths;
  const files = [lock, writerLock, payerLock, backupLock, runLock, serviceLock, restored, stopped];
  for (const path of [...directories, ...files]) {
    const stat = lstatSync(path, { throwIfNoEntry: false });
    if (stat === undefined || (files.includes(path) ? stat.isFile() : stat.isDirectory())) continue;
    throw new StorageError('DATABASE.UNSAFE_LINK', `${path} is not what deespec made it`, {
      hint: 'look at it, move it away, then run the command again',
      details: { path },
    });
  }
}

function held(paths: HomePaths, cause: StorageError): StorageError {
  const holders = livingHolders(paths).filter(({ pid }) => pid !== process.pid);
  const names = holders.map(
    ({ pid, host, command, since }) => `${command} (pid ${pid} on ${host}, since ${since})`,
  );
  const who = names.length === 0 ? 'another process' : names.join(', ');
  return new StorageError('LOCK.HELD', `${paths.home} is in use by ${who}`, {
    hint: 'wait until it ends, then run the command again',
    details: { holders },
    cause,
  });
}
