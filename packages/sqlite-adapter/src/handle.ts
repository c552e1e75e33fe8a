import { StorageError } from '@deespec/domain';
import BetterSqlite3, { type Database } from 'better-sqlite3';

import { logBytes } from './log-bound.js';
import { toStorageError } from './sqlite-error.js';

/**
 * How a database is opened: `read` never writes; `look` is for the first look at a file that may not be ours: it reads, and
 * leaves no sidecars, which a connection that cannot write leaves beside a database in WAL mode; `write` is durable at every commit; `build` is for a file that nobody else
 * can reach: no sync, no foreign keys, and one fsync by the publisher before it is published; `lock` is for a
 * file whose locks are all that matters.
 */
export type Access = 'read' | 'look' | 'write' | 'build' | 'lock';

/** "DESP": marks a database as ours. */
export const APPLICATION_ID = 0x44455350;

/** Before this version two connections can corrupt a WAL database. Source: sqlite.org/wal.html, "The WAL Reset Bug". */
const SQLITE_FLOOR = [3, 51, 3] as const;

/**
 * How long a connection waits for the first look at its database, milliseconds, and one that reads for each later one: while another process
 * opens the database first, or closes it last, or recovers from a crash, it is alone for a moment. Blocks the thread.
 *
 * Source: sqlite.org/wal.html, "Sometimes Queries Return SQLITE_BUSY In WAL Mode".
 */
export const OPENING_WAIT_MS = 2_000;

/** Every connection sets these, whoever wrote the file. Source: sqlite.org/security.html; docs/database.md, "Pragmas". */
const safety = [
  'trusted_schema = OFF',
  'cell_size_check = ON',
  'mmap_size = 0',
  'recursive_triggers = ON',
  'temp_store = FILE',
];

const perAccess: Readonly<Record<Access, readonly string[]>> = {
  read: ['query_only = ON'],
  look: ['query_only = ON'],
  // EXTRA, not FULL: with a rollback journal a commit is its removal, and only EXTRA syncs the directory after that.
  write: ['synchronous = EXTRA', 'foreign_keys = ON', 'journal_size_limit = 67108864'],
  lock: ['journal_mode = DELETE'],
  build: ['synchronous = OFF', 'foreign_keys = OFF', 'cache_size = -32768'],
};

/**
 * Opens a database without TypeORM, whose import costs more than a short command takes.
 *
 * @param path - `:memory:` or a file; only `build` and `lock` create it
 * @throws StorageError by what SQLite says, see `toStorageError`
 */
export function openHandle(path: string, access: Access): Database {
  let handle: Database | undefined;
  try {
    handle = new BetterSqlite3(path, {
      // Closing a connection that can write would apply a log with content.
      readonly: access === 'read' || (access === 'look' && logBytes(path) > 0),
      fileMustExist: access !== 'build' && access !== 'lock',
      timeout: access === 'lock' ? 0 : OPENING_WAIT_MS,
    });
    prepareHandle(handle, access);
    // The first read finds a journal that a crash left, which a connection that cannot write cannot roll back.
    if (isReading(access)) handle.pragma('schema_version');
    return handle;
  } catch (error) {
    handle?.close();
    if (isReading(access) && isUnrecovered(error)) return recover(path);
    throw toStorageError(error, path);
  }
}

function isReading(access: Access): boolean {
  return access === 'read' || access === 'look';
}

function isUnrecovered(error: unknown): boolean {
  const code = (error as { code?: unknown }).code;
  return code === 'SQLITE_READONLY_ROLLBACK' || code === 'SQLITE_READONLY_RECOVERY';
}

/** Rolls back what a crash left, then opens the database for reading. */
function recover(path: string): Database {
  const writer = openHandle(path, 'write');
  try {
    writer.pragma('schema_version');
  } catch (error) {
    throw toStorageError(error, path);
  } finally {
    writer.close();
  }
  return openHandle(path, 'read');
}

/**
 * Sets the pragmas of `access` on a fresh handle, which waits {@link OPENING_WAIT_MS} until then. Who writes waits no longer afterwards: the
 * write queue tries again without blocking the thread.
 *
 * @throws StorageError `PREFLIGHT.SQLITE_VERSION`
 */
export function prepareHandle(handle: Database, access: Access): void {
  requireVersion(handle);
  for (const pragma of [...safety, ...perAccess[access]]) handle.pragma(pragma);
  if (!isReading(access)) handle.pragma('busy_timeout = 0');
}

/**
 * Switches between a write-ahead log, beside which others can read while one writes, and the rollback journal, with which
 * the database is one file whenever nobody writes.
 *
 * @throws StorageError `SQLITE.BUSY` when another connection keeps it from being switched
 */
export function keepLog(handle: Database, kind: 'wal' | 'rollback'): void {
  const wanted = kind === 'wal' ? 'wal' : 'delete';
  let mode: unknown;
  try {
    mode = handle.pragma(`journal_mode = ${wanted}`, { simple: true });
  } catch (error) {
    throw toStorageError(error, handle.name);
  }
  if (mode === wanted) return;
  throw new StorageError('SQLITE.BUSY', `${handle.name} stays in journal mode ${String(mode)}`, {
    hint: 'another process has it open: try again when it is done',
  });
}

function requireVersion(handle: Database): void {
  const text = sqliteVersion(handle);
  const parts = text.split('.').map(Number);
  const different = SQLITE_FLOOR.findIndex((part, i) => parts[i] !== part);
  if (different < 0 || parts[different]! > SQLITE_FLOOR[different]!) return;
  throw new StorageError('PREFLIGHT.SQLITE_VERSION', `SQLite ${text} can corrupt a WAL database`, {
    hint: `install better-sqlite3 with SQLite ${SQLITE_FLOOR.join('.')} or later`,
    details: { sqlite: text },
  });
}

/** Version of the SQLite library, such as `3.53.2`. */
export function sqliteVersion(handle: Database): string {
  return handle.prepare('SELECT sqlite_version()').pluck().get() as string;
}
