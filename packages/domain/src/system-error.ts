import { StorageError, type ErrorCode } from './errors.js';

/**
 * The operating system's code of an error (`ENOENT`), or `undefined` for an error that is not its own. Not by `instanceof`:
 * the error may come from another realm.
 */
export function systemCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('syscall' in error) || !('code' in error))
    return undefined;
  return String(error.code);
}

const limits: Readonly<Record<string, string>> = {
  EMFILE: 'allow the process more open files (such as "ulimit -n 1024"), then run the command again',
  ENFILE: 'the machine has too many open files: end programs, then run the command again',
  EFBIG: 'allow larger files (such as "ulimit -f unlimited"), then run the command again',
  EAGAIN: 'the process or the machine has reached a limit: end programs, then run the command again',
  ENOMEM: 'free memory, then run the command again',
  // Source: path_resolution(7), "PATH_MAX".
  ENAMETOOLONG:
    'the whole path is over 4,095 bytes: use a place nearer to the root directory, or shorten the names',
};

/** What to do when a limit of the process or the machine was reached; `undefined` for every other code. */
export function limitHint(code: string): string | undefined {
  return limits[code];
}

/** How Node says that it cannot load a module. Without a free file descriptor it takes a module that exists for missing. */
const loadCodes = ['ERR_MODULE_NOT_FOUND', 'ERR_DLOPEN_FAILED'];

/**
 * An error of the operating system, or of loading a module, as a {@link StorageError}; `undefined` for anything else. For
 * places that know no more than that a call failed: Node's message names the call and the path.
 *
 * Source: errno(3); https://nodejs.org/api/errors.html.
 */
export function systemError(error: unknown): StorageError | undefined {
  const system = systemCode(error) ?? loadCode(error);
  if (system === undefined) return undefined;
  const [code, hint] = classify(system);
  const message = error instanceof Error ? error.message : system;
  return new StorageError(code, message, { hint, details: { system }, cause: error });
}

function loadCode(error: unknown): string | undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return loadCodes.find((known) => known === code);
}

function classify(code: string): [ErrorCode, string] {
  const limit = limitHint(code);
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS')
    return ['FILE.PERMISSION', 'run as the owner of the path that is named, where it may be written'];
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return ['FILE.NO_SPACE', 'free space or raise the quota, then run the command again'];
  if (code === 'EISDIR' || code === 'ENOTDIR' || code === 'ENOENT')
    return ['FILE.READ_FAILED', 'look at the path that is named: something else stands there, or nothing'];
  if (loadCodes.includes(code))
    return [
      'FILE.READ_FAILED',
      'allow the process more open files (such as "ulimit -n 1024"), or install the program again',
    ];
  if (code === 'EFBIG' || limit === undefined)
    return [
      'FILE.WRITE_FAILED',
      limit ?? 'check the disk and the path that is named, then run the command again',
    ];
  return ['FILE.READ_FAILED', limit];
}
