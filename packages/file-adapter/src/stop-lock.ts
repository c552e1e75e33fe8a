import { closeSync, fsyncSync, lstatSync, mkdirSync, openSync, rmdirSync, unlinkSync } from 'node:fs';

import { bytesOfPath, systemCode, writeError } from './file-error.js';
import { CREATE_FLAGS, realFileSystem, syncDirectory, writeAll } from './file-system.js';
import { isStopLock, STATE_LOCK, STOP_MARKER, STOP_TEXT } from './go-locks.js';

/**
 * `made`: the Go tool is kept out, also when it was before. `no var`: there is no directory to put a lock into. `taken`: a lock
 * that is none of ours stands there.
 */
export type StopLockOutcome = 'made' | 'no var' | 'taken';

/**
 * Makes `var/state.lock` a directory with something in it, durably: the Go tool can neither make nor remove a lock of that name
 * then, so it does not write. Finishes what a crash cut off.
 *
 * @param home - the `.deespec` directory
 * @throws StorageError `FILE.*`
 *
 * Source: docs/adr/0018.
 */
export function makeStopLock(home: string): StopLockOutcome {
  const path = `${home}/${STATE_LOCK}`;
  try {
    if (lstatSync(`${home}/var`, { throwIfNoEntry: false })?.isDirectory() !== true) return 'no var';
    try {
      mkdirSync(path, { mode: 0o700 });
    } catch (error) {
      if (systemCode(error) !== 'EEXIST') throw error;
      if (!isStopLock(home)) return 'taken';
    }
    writeMarker(`${path}/${STOP_MARKER}`);
    for (const directory of [path, `${home}/var`]) syncDirectory(realFileSystem, directory);
    return 'made';
  } catch (error) {
    throw writeError(error, bytesOfPath(path), 'before');
  }
}

/** One that a crash left cut off is made anew, never written through: a tree can hold a link. */
function writeMarker(marker: string): void {
  if (lstatSync(marker, { throwIfNoEntry: false })?.size === STOP_TEXT.length) return;
  removeMarker(marker);
  const handle = openSync(marker, CREATE_FLAGS, 0o600);
  try {
    writeAll(realFileSystem, handle, Buffer.from(STOP_TEXT));
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

/**
 * Takes the directory of {@link makeStopLock} away, durably; whatever else stands there stays.
 *
 * @returns whether there was one
 * @throws StorageError `FILE.*`
 */
export function removeStopLock(home: string): boolean {
  if (!isStopLock(home)) return false;
  const path = `${home}/${STATE_LOCK}`;
  try {
    removeMarker(`${path}/${STOP_MARKER}`);
    rmdirSync(path);
    syncDirectory(realFileSystem, `${home}/var`);
    return true;
  } catch (error) {
    throw writeError(error, bytesOfPath(path), 'before');
  }
}

function removeMarker(marker: string): void {
  try {
    unlinkSync(marker);
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
  }
}
