import { StorageError } from '@deespec/domain';
import { execFileSync } from 'node:child_process';
import { lstatSync, type Stats } from 'node:fs';

import { APPLICATION_ID } from './handle.js';

/** Offset of the application id in the file header. Source: sqlite.org/fileformat.html, "The Database Header". */
const APPLICATION_ID_OFFSET = 68;
const HEADER_BYTES = 100;

/** What stands at the database's path: nothing, or a file that is ours by its header. */
export type DatabaseFile = 'absent' | 'ours';

/**
 * Looks at a database file without opening it: a foreign database must stay untouched, and even a read-only connection
 * leaves sidecars beside one in WAL mode. The header is read by a child process, because closing a descriptor of a database
 * drops every lock this process holds on it (sqlite.org/howtocorrupt.html, section 2.2).
 *
 * @param ownLinks - further names of the file that are ours, at least 0
 * @throws StorageError `DATABASE.UNSAFE_LINK`, `DATABASE.EMPTY_FILE`, `DATABASE.NOT_SQLITE`, `DATABASE.FOREIGN`
 */
export function inspectDatabase(path: string, ownLinks = 0): DatabaseFile {
  for (const end of ['-journal', '-wal', '-shm']) requireSidecar(path + end);
  const stat = statOf(path);
  if (stat === undefined) return 'absent';
  requireSafe(path, stat, ownLinks);
  if (stat.size === 0) throw refuse('DATABASE.EMPTY_FILE', path, 'is an empty file');
  const header = readHeader(path);
  if (!header.toString('latin1').startsWith('SQLite format 3\0') || header.length < HEADER_BYTES) {
    throw refuse('DATABASE.NOT_SQLITE', path, 'is not a SQLite database');
  }
  const id = header.readUInt32BE(APPLICATION_ID_OFFSET);
  if (id === APPLICATION_ID) return 'ours';
  throw refuse('DATABASE.FOREIGN', path, `belongs to another program (application id 0x${id.toString(16)})`);
}

/** SQLite opens these by itself: it would wait for a FIFO for ever. */
function requireSidecar(path: string): void {
  const stat = statOf(path);
  if (stat === undefined || stat.isFile()) return;
  throw new StorageError('DATABASE.UNSAFE_LINK', `${path} is not a regular file`, {
    hint: 'SQLite did not make it: look at it and move it away',
    details: { path },
  });
}

function requireSafe(path: string, stat: Stats, ownLinks: number): void {
  const wrong = stat.isSymbolicLink()
    ? 'is a symbolic link'
    : !stat.isFile()
      ? 'is not a regular file'
      : stat.nlink > 1 + ownLinks
        ? `has ${stat.nlink} hard links`
        : undefined;
  if (wrong === undefined) return;
  throw new StorageError('DATABASE.UNSAFE_LINK', `${path} ${wrong}`, {
    hint: 'another name for a database breaks its locks: move it away',
    details: { path },
  });
}

function refuse(
  code: 'DATABASE.EMPTY_FILE' | 'DATABASE.NOT_SQLITE' | 'DATABASE.FOREIGN',
  path: string,
  what: string,
): StorageError {
  return new StorageError(code, `${path} ${what}`, {
    hint: 'it was not touched: move it away if it is not needed, then run "deespec migrate"',
    details: { path },
  });
}

function statOf(path: string): Stats | undefined {
  try {
    return lstatSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new StorageError('FILE.READ_FAILED', `cannot look at ${path}`, { cause: error });
  }
}

function readHeader(path: string): Buffer {
  try {
    return execFileSync('head', ['-c', String(HEADER_BYTES), '--', path], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  } catch (error) {
    throw new StorageError('FILE.READ_FAILED', `cannot read the header of ${path}`, {
      hint: 'check the mode of the file, and that the program "head" is installed',
      cause: error,
    });
  }
}
