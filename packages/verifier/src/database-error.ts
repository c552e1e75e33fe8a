import { lstatSync } from 'node:fs';
import { StorageError, type ErrorCode } from '@deespec/domain';
import { isGone, systemCode } from './file-error.js';
import type { Difference } from './differences.js';

/**
 * An error of the driver as a {@link StorageError}, told apart by SQLite's result code; anything else as it is.
 *
 * @param known - differences found before: they say what is wrong with a database that cannot be read to its end
 *
 * Source: https://www.sqlite.org/rescode.html.
 */
export function databaseError(error: unknown, database: string, known: readonly Difference[]): unknown {
  if (!isDriverError(error)) return error;
  const { code, message, hint } = classify(error, database);
  const details = { database, sqliteCode: error.code, sqliteMessage: error.message, differences: known };
  return new StorageError(code, message, { hint, details, cause: error });
}

/** An error of SQLite as the driver raises it. */
interface DriverError extends Error {
  /** The name of the extended result code, such as `SQLITE_CORRUPT_INDEX`. */
  readonly code: string;
}

/** True for an error of SQLite. Told by its code: the driver's class is another one for each copy of its module. */
export function isDriverError(error: unknown): error is DriverError {
  return systemCode(error)?.startsWith('SQLITE_') === true;
}

interface Classified {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint: string;
}

function classify(error: DriverError, database: string): Classified {
  const primary = /^SQLITE_[A-Z]+/u.exec(error.code)?.[0];
  const because = `(${error.code}: ${error.message})`;
  if (primary === 'SQLITE_CORRUPT' || primary === 'SQLITE_NOTADB') {
    return {
      code: 'DATABASE.CORRUPT',
      message: `the database "${database}" is damaged ${because}`,
      // SQLite says the same of a page that the disk cannot read.
      hint: 'stop using it; if the log of the system tells of disk errors, mend the disk first; then restore it from a backup, or migrate the tree again',
    };
  }
  if (primary === 'SQLITE_BUSY' || primary === 'SQLITE_LOCKED') {
    return {
      code: 'SQLITE.BUSY',
      message: `the database "${database}" is locked by another process ${because}`,
      hint: 'wait for the other process, then run the command again',
    };
  }
  if (primary === 'SQLITE_CANTOPEN' && isAbsent(database)) {
    return {
      code: 'DATABASE.NOT_FOUND',
      message: `no database at "${database}"`,
      hint: 'run "deespec migrate"',
    };
  }
  if (primary === 'SQLITE_ERROR') {
    return {
      code: 'SCHEMA.DRIFT',
      message: `the database "${database}" lacks what holds the tree ${because}`,
      hint: 'it is not as the schema scripts made it: restore it from a backup, or migrate the tree again',
    };
  }
  return {
    code: 'SQLITE.FAILED',
    message: `cannot read the database "${database}" ${because}`,
    hint: 'check the disk, the permissions and the room for temporary files, then run the command again',
  };
}

/** Looks at the name only: opening and closing a live database file would drop SQLite's locks on it. */
function isAbsent(database: string): boolean {
  try {
    lstatSync(database);
    return false;
  } catch (error) {
    return isGone(error);
  }
}
