import { lstatSync, readdirSync } from 'node:fs';

import { bytesOfPath, readError, systemCode } from './file-error.js';
import { READ_FLAGS, realFileSystem } from './file-system.js';

/** The lease in `var/runlock`, as far as it can be read. */
export interface GoRunLock {
  readonly pid?: number;
  /** As written, an RFC 3339 text; so is the next. */
  readonly acquiredAt?: string;
  readonly expiresAt?: string;
  readonly hostname?: string;
}

/** Which locks of the Go tool stand in a tree. Present does not mean held: a crash leaves them behind. */
export interface GoLocks {
  readonly stateLock: boolean;
  /** An empty object when the lock stands but says nothing readable. */
  readonly runLock: GoRunLock | undefined;
}

/**
 * Reads `var/state.lock` and `var/runlock`, whatever stands there but locks of this program. Never writes.
 *
 * @param home - the `.deespec` directory
 * @throws StorageError `FILE.PERMISSION`, `FILE.READ_FAILED`
 *
 * Source: docs/formats.md, "Locks of the Go tool".
 */
export function readGoLocks(home: string): GoLocks {
  const runLock = `${home}/var/runlock`;
  const isOurs = (lock: string): boolean => isOwnLock(home, lock);
  return {
    stateLock: stands(`${home}/${STATE_LOCK}`) && !isOurs(STATE_LOCK) && !isStopLock(home),
    runLock: stands(runLock) && !isOurs('var/runlock') ? leaseOf(readSmall(runLock)) : undefined,
  };
}

/** What tells a lock of this program from one of the Go tool, which does not read its own. */
export const OWN_LOCK = 'locked by deespec-storage';

/** True when a write of this program took the lock, or left it behind. */
export function isOwnLock(home: string, lock: string): boolean {
  const path = `${home}/${lock}`;
  return stands(path) && readSmall(path).includes(OWN_LOCK);
}

export const STATE_LOCK = 'var/state.lock';

/** What a {@link isStopLock} directory holds, and what stands in it. */
export const STOP_MARKER = 'stopped-by-deespec-storage';
export const STOP_TEXT = `${OWN_LOCK}: the tree is stopped; "deespec start" removes this\n`;

/**
 * True when `var/state.lock` is a directory that this program made to keep the Go tool out of a tree that is stopped, or began
 * to make or to remove: nothing but our marker is in it. The Go tool makes files only.
 */
export function isStopLock(home: string): boolean {
  const path = `${home}/${STATE_LOCK}`;
  try {
    if (!lstatSync(path).isDirectory()) return false;
    const names = readdirSync(path);
    // A crash can leave the marker empty or cut off.
    return names.every((name) => name === STOP_MARKER && STOP_TEXT.startsWith(contentOf(`${path}/${name}`)));
  } catch (error) {
    const code = systemCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return false;
    throw readError(error, bytesOfPath(path));
  }
}

/** What a marker says; something that no marker says when it is no file. */
function contentOf(path: string): string {
  return lstatSync(path).isFile() ? readSmall(path).toString('utf8') : 'no file';
}

function stands(path: string): boolean {
  try {
    lstatSync(path);
    return true;
  } catch (error) {
    const code = systemCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return false;
    throw readError(error, bytesOfPath(path));
  }
}

/** Up to 64 KiB of a file; nothing when it is no file or cannot be opened: a lock that stands is a lock. */
function readSmall(path: string): Buffer {
  const buffer = Buffer.alloc(65_536);
  try {
    const handle = realFileSystem.openSync(path, READ_FLAGS);
    try {
      return buffer.subarray(0, realFileSystem.readSync(handle, buffer, 0, buffer.length, 0));
    } finally {
      realFileSystem.closeSync(handle);
    }
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return buffer.subarray(0, 0);
  }
}

function leaseOf(bytes: Buffer): GoRunLock {
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString('utf8'));
  } catch {
    return {}; // garbage in a lock is still a lock
  }
  if (typeof value !== 'object' || value === null) return {};
  const lease = new Map<string, unknown>(Object.entries(value));
  const text = (key: string): string | undefined => {
    const found = lease.get(key);
    return typeof found === 'string' ? found : undefined;
  };
  const pid = lease.get('pid');
  return withoutAbsent({
    pid: typeof pid === 'number' && Number.isSafeInteger(pid) && pid > 0 ? pid : undefined,
    acquiredAt: text('acquired_at'),
    expiresAt: text('expires_at'),
    hostname: text('hostname'),
  });
}

function withoutAbsent(lease: { [key in keyof GoRunLock]: GoRunLock[key] | undefined }): GoRunLock {
  return Object.fromEntries(Object.entries(lease).filter(([, value]) => value !== undefined));
}
