import { isStorageError, StorageError } from '@deespec/domain';
import { writeFileDurably } from '@deespec/file-adapter';
import { openHandle, toStorageError } from '@deespec/sqlite-adapter';
import { closeSync, existsSync, lstatSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';

import type { HomePaths } from './home.js';
import { announce, livingHolders, removeDeadHolders } from './processes.js';

/** Lets go of the barrier. A second call does nothing. */
export type Release = () => void;

/** Who takes the barrier, and how. */
export interface BarrierRequest {
  /** `exclusive`: publish and whatever must be alone; `shared`: whatever relies on the published state staying. */
  readonly access: 'shared' | 'exclusive';
  /** The command, for people who are told to wait. */
  readonly command: string;
}

/**
 * Takes the barrier of a tree: a lock on `.storage/lock.db` that the kernel drops when its holder dies (docs/adr/0004).
 * Never waits.
 *
 * @throws StorageError `LOCK.HELD` naming pid, host, command and since of who holds it; `DATABASE.UNSAFE_LINK`
 */
export function takeBarrier(paths: HomePaths, { access, command }: BarrierRequest): Release {
  prepareOwnDirectory(paths);
  let handle;
  try {
    handle = openHandle(paths.lock, 'lock');
    handle.exec(access === 'exclusive' ? 'BEGIN EXCLUSIVE' : 'BEGIN DEFERRED');
    // A deferred transaction holds its SHARED lock from its first read on.
    handle.prepare('SELECT count(*) FROM sqlite_schema').get();
  } catch (error) {
    handle?.close();
    const known = toStorageError(error, paths.lock);
    if (isStorageError(known, 'SQLITE.BUSY')) throw held(paths, known);
    throw known;
  }
  return announced(paths, { handle, command });
}

/** Says who holds the lock; lets go of it when that fails. */
function announced(
  paths: HomePaths,
  { handle, command }: { command: string; handle: ReturnType<typeof openHandle> },
): Release {
  try {
    removeDeadHolders(paths);
    const withdraw = announce(paths, command, new Date());
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

function prepareOwnDirectory(paths: HomePaths): void {
  requireOwn(paths);
  mkdirSync(paths.own, { recursive: true, mode: 0o700 });
  const ignore = join(paths.own, '.gitignore');
  if (lstatSync(ignore, { throwIfNoEntry: false }) === undefined) {
    writeFileDurably({ kind: 'file', target: ignore, bytes: Buffer.from('*\n'), mode: 0o600 });
  }
  // SQLite would make it readable for others. Only when it is absent: closing it would drop this process's own lock.
  if (!existsSync(paths.lock)) closeSync(openSync(paths.lock, 'a', 0o600));
}

/** A tree is untrusted: nothing of ours is written, or removed, through a link that it holds. */
function requireOwn(paths: HomePaths): void {
  const directories = [paths.own, paths.runs, paths.processes];
  for (const path of [...directories, paths.lock]) {
    const stat = lstatSync(path, { throwIfNoEntry: false });
    if (stat === undefined || (path === paths.lock ? stat.isFile() : stat.isDirectory())) continue;
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
