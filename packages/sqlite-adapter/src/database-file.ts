import { StorageError } from '@deespec/domain';
import { execFileSync } from 'node:child_process';
import { accessSync, constants, lstatSync, type Stats } from 'node:fs';

import { HEADER_BYTES, requireFormat, requireOurHeader, untouched, type FileHeader } from './file-header.js';

/** First bytes of a rollback journal and of a write-ahead log. Source: sqlite.org/fileformat.html, 3 and 4.1. */
const JOURNAL_MAGIC = Buffer.from('d9d505f920a163d7', 'hex');
const WAL_MAGIC = [0x377f0682, 0x377f0683];
const WAL_HEADER_BYTES = 32;

/** What stands at the database's path: nothing, or a file that is ours by its header. */
export type DatabaseFile = 'absent' | 'ours';

/**
 * Looks at a database file without opening it: a foreign database must stay untouched, and even a read-only connection
 * leaves sidecars beside one in WAL mode. The header is read by a child process, because closing a descriptor of a database
 * drops every lock this process holds on it (sqlite.org/howtocorrupt.html, section 2.2).
 *
 * @param ownLinks - further names of the file that are ours, at least 0
 * @throws StorageError `DATABASE.UNSAFE_LINK`, `DATABASE.EMPTY_FILE`, `DATABASE.NOT_SQLITE`, `DATABASE.FOREIGN`,
 *   `DATABASE.FORMAT`, `DATABASE.STRAY_SIDECAR`, `DATABASE.TRUNCATED`
 */
export function inspectDatabase(path: string, ownLinks = 0): DatabaseFile {
  for (const end of ['-journal', '-wal', '-shm']) requireSidecar(path + end);
  const stat = statOf(path);
  if (stat === undefined) return 'absent';
  requireSafe(path, stat, ownLinks);
  if (stat.size === 0) throw untouched('DATABASE.EMPTY_FILE', path, 'is an empty file');
  const header = requireOurHeader(path, readStart(path, HEADER_BYTES));
  requireFormat(path, header);
  const isRecovering = [requireOwnJournal(path), requireOwnLog(path, header)].includes(true);
  // Read after the sidecars: a commit that ended in between has written every page by now.
  if (!isRecovering) requireWhole(path, header, statOf(path)?.size ?? 0);
  return 'ours';
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

/** A journal that SQLite will roll back; what begins with zeros is finished. @returns whether there is one */
function requireOwnJournal(path: string): boolean {
  const journal = `${path}-journal`;
  if ((statOf(journal)?.size ?? 0) === 0) return false;
  const start = readStart(journal, JOURNAL_MAGIC.length);
  if (start.length === 0 || start[0] === 0) return false;
  if (start.equals(JOURNAL_MAGIC)) return true;
  throw stray(journal, 'is no rollback journal of SQLite, which would delete it');
}

/** A log is read over the database whatever it holds: one that cannot be its own is refused. @returns whether there is one */
function requireOwnLog(path: string, header: FileHeader): boolean {
  const log = `${path}-wal`;
  if ((statOf(log)?.size ?? 0) === 0) return false;
  const start = readStart(log, WAL_HEADER_BYTES);
  // Emptied by a program that works on the database at this moment.
  if (start.length === 0) return false;
  if (!header.isWal) throw stray(log, 'lies beside a database that keeps no such log');
  const isLog = start.length < WAL_HEADER_BYTES || WAL_MAGIC.includes(start.readUInt32BE(0));
  if (isLog && (start.length < WAL_HEADER_BYTES || start.readUInt32BE(8) === header.pageBytes)) return true;
  throw stray(log, 'is no log of this database');
}

function stray(sidecar: string, what: string): StorageError {
  return new StorageError('DATABASE.STRAY_SIDECAR', `${sidecar} ${what}`, {
    hint: 'nothing was touched: find out where it comes from and move it away, then run the command again',
    details: { path: sidecar },
  });
}

function requireWhole(path: string, { pages, pageBytes }: FileHeader, bytes: number): void {
  const expected = (pages ?? 1) * pageBytes;
  if (bytes >= expected) return;
  throw new StorageError(
    'DATABASE.TRUNCATED',
    `${path} has ${bytes} of ${expected} bytes: its end is missing`,
    {
      hint: 'restore it from a backup, or move it away and run "deespec migrate" to build it from the files again',
      details: { path, bytes, expected },
    },
  );
}

function statOf(path: string): Stats | undefined {
  try {
    return lstatSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new StorageError('FILE.READ_FAILED', `cannot look at ${path}`, {
      hint: 'check the disk and the permissions of its directory',
      cause: error,
    });
  }
}

/** The first bytes of a file, read by a child; none when the file is gone meanwhile. */
function readStart(path: string, bytes: number): Buffer {
  try {
    return execFileSync('head', ['-c', String(bytes), '--', path], { stdio: ['ignore', 'pipe', 'pipe'] });
  } catch (error) {
    if (statOf(path) === undefined) return Buffer.alloc(0);
    requireReadable(path);
    throw new StorageError('FILE.READ_FAILED', `cannot read the header of ${path}`, {
      hint: 'check the mode of the file, and that the program "head" is installed',
      cause: error,
    });
  }
}

/** Asks without opening it. @throws StorageError `FILE.PERMISSION` */
function requireReadable(path: string): void {
  try {
    accessSync(path, constants.R_OK);
  } catch (error) {
    throw new StorageError('FILE.PERMISSION', `no permission to read ${path}`, {
      hint: 'run the command as the owner of the database',
      details: { path },
      cause: error,
    });
  }
}
