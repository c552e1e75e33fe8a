import { StorageError } from '@deespec/domain';
import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';

/**
 * The bytes of a small file below `.deespec`. A tree is untrusted: a symbolic link is not followed and a FIFO is not waited
 * for.
 *
 * @returns `undefined` when nothing stands there
 * @throws StorageError `LAYOUT.MALFORMED` when it is no regular file; `FILE.READ_FAILED`, `FILE.PERMISSION`
 */
export function readRegular(path: string): Buffer | undefined {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    if (fstatSync(descriptor).isFile()) return readFileSync(descriptor);
  } catch (error) {
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
