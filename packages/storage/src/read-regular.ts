import { isStorageError, StorageError } from '@deespec/domain';
import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';

/** The files read here hold a few kilobytes; no larger one is parsed either. Source: docs/rules.md, `file-too-large`. */
const MAX_BYTES = 1_048_576;

/**
 * The bytes of a small file below `.deespec`. A tree is untrusted: a symbolic link is not followed, a FIFO is not waited
 * for, and above 1 MiB nothing is read.
 *
 * @returns `undefined` when nothing stands there
 * @throws StorageError `LAYOUT.MALFORMED` when it is no regular file or too large; `FILE.READ_FAILED`, `FILE.PERMISSION`
 */
export function readRegular(path: string): Buffer | undefined {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    const stat = fstatSync(descriptor);
    if (stat.isFile() && stat.size > MAX_BYTES) throw tooLarge(path, stat.size);
    if (stat.isFile()) return readFileSync(descriptor);
  } catch (error) {
    if (isStorageError(error)) throw error;
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    if (code !== 'ELOOP' && code !== 'ENXIO') throw failed(path, code, error);
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
  throw new StorageError('LAYOUT.MALFORMED', `${path} is not a regular file`, {
    hint: 'put a regular file there, or remove it',
    details: { path },
  });
}

function tooLarge(path: string, bytes: number): StorageError {
  return new StorageError('LAYOUT.MALFORMED', `${path} holds ${bytes} bytes, more than is ever read of it`, {
    hint: 'move the bulk of the file elsewhere',
    details: { path, bytes },
  });
}

function failed(path: string, code: string | undefined, cause: unknown): StorageError {
  const isDenied = code === 'EACCES' || code === 'EPERM';
  return new StorageError(
    isDenied ? 'FILE.PERMISSION' : 'FILE.READ_FAILED',
    `cannot read ${path} (${code})`,
    {
      hint: isDenied ? 'run the command as the owner of the tree' : 'check the disk, then try again',
      cause,
    },
  );
}
