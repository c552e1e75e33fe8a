import { displayPath, isStorageError, limitHint, StorageError } from '@deespec/domain';

/** The operating system's name of an error, such as `ENOENT`. */
export function systemCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/** True when nothing stands at the path any more. No other error means that. */
export function isGone(error: unknown): boolean {
  return systemCode(error) === 'ENOENT';
}

/** `error`, raised while `path` (a byte string below the root) was read, as a {@link StorageError}. */
export function fileError(error: unknown, path: string): StorageError {
  if (isStorageError(error)) return error;
  const code = systemCode(error);
  const where = displayPath(path.replace(/\/$/u, '')) || '.';
  const options = { cause: error, details: { path: where, systemCode: code } };
  if (code === 'EACCES' || code === 'EPERM') {
    return new StorageError('FILE.PERMISSION', `no permission to read "${where}" (${code})`, {
      ...options,
      hint: 'run as the owner of the tree, or give this user read permission',
    });
  }
  return new StorageError('FILE.READ_FAILED', `cannot read "${where}" (${code ?? String(error)})`, {
    ...options,
    hint: limitHint(code ?? '') ?? 'check the disk and the path, then run the command again',
  });
}

/** Something that is neither file, directory nor symlink: it has no bytes to keep. */
export function specialError(path: string): StorageError {
  const where = displayPath(path);
  return new StorageError('FILE.SPECIAL', `"${where}" is no file, directory or symlink`, {
    hint: 'a FIFO, socket or device cannot be kept: move it out of the tree',
    details: { path: where },
  });
}

/** An entry that never stood still. */
export function unstableError(path: string): StorageError {
  const where = displayPath(path);
  return new StorageError('FILE.UNSTABLE', `"${where}" kept changing while it was read`, {
    hint: 'stop the program that writes it, then run the command again',
    details: { path: where },
  });
}
