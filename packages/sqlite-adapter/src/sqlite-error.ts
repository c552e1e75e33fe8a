import { isStorageError, StorageError, type ErrorCode } from '@deespec/domain';
import { statfsSync } from 'node:fs';
import { dirname } from 'node:path';

type DriverError = Error & { readonly code: string };

/**
 * A driver error as a {@link StorageError}, classified by SQLite's own code, never by message. Bound parameters, which
 * hold content, are dropped. Anything else is returned as it is: a bug.
 *
 * Source: sqlite.org/rescode.html.
 */
export function toStorageError(error: unknown, path: string): unknown {
  if (isStorageError(error)) return error;
  const driver = driverError(error);
  if (driver === undefined) return error;
  const [code, hint] = classify(driver.code, path);
  return new StorageError(code, `${driver.message} (${driver.code}): ${path}`, {
    hint,
    details: { sqlite: driver.code, database: path },
    cause: driver,
  });
}

/**
 * TypeORM wraps what the driver threw; the driver's error is the one with the code. Told by its code, not its class: there
 * can be two copies of the driver in one process.
 */
function driverError(error: unknown): DriverError | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  if ('code' in error && typeof error.code === 'string' && error.code.startsWith('SQLITE_'))
    return error as DriverError;
  return 'driverError' in error ? driverError(error.driverError) : undefined;
}

/** SQLite says the same of a page that the disk cannot read. Source: SQLITE_IOERR_CORRUPTFS in its os_unix.c. */
const damageHint =
  'if the log of the system tells of disk errors, mend the disk first; then restore a backup, or move it away and run "deespec migrate"';

function classify(code: string, path: string): [ErrorCode, string] {
  if (/^SQLITE_(BUSY|LOCKED)/u.test(code)) return ['SQLITE.BUSY', 'another process is writing: try again'];
  if (/^SQLITE_NOTADB/u.test(code))
    return ['DATABASE.NOT_SQLITE', 'move the file away, then run "deespec migrate"'];
  if (/^SQLITE_CORRUPT/u.test(code)) return ['DATABASE.CORRUPT', damageHint];
  if (/^SQLITE_CONSTRAINT/u.test(code))
    return ['SQLITE.CONSTRAINT', 'report this: a write broke a rule of the schema'];
  if (/^SQLITE_(FULL|IOERR_SHMSIZE)/u.test(code) || (code === 'SQLITE_CANTOPEN' && hasNoName(path)))
    return [
      'FILE.NO_SPACE',
      'free disk space, also where temporary files go (TMPDIR), then run the command again',
    ];
  if (/^SQLITE_(READONLY|PERM|AUTH|CANTOPEN)/u.test(code))
    return ['FILE.PERMISSION', 'check owner and mode of the database and its directory'];
  return ['SQLITE.FAILED', 'run "deespec status", then the command again'];
}

/** True when the file system has no room for another name. SQLite says only that it cannot open its journal then. */
function hasNoName(path: string): boolean {
  try {
    const { files, ffree } = statfsSync(dirname(path));
    return files > 0 && ffree === 0; // some file systems do not count: all zeros
  } catch {
    return false; // the first error is the one to report
  }
}
