import { StorageError } from '@deespec/domain';
import { toStorageError } from '@deespec/sqlite-adapter';
import { isNativeError } from 'node:util/types';

/**
 * Runs a use case and gives what the operating system or SQLite threw below it a code: the one place where this package
 * wraps errors of others. What is nobody's error is a bug and passes as it is.
 */
export async function atBoundary<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw systemError(toStorageError(error, 'the database'));
  }
}

function systemError(error: unknown): unknown {
  if (!isNativeError(error) || !('syscall' in error) || !('code' in error)) return error;
  const code = String(error.code);
  const options = {
    hint: 'mend the cause, then run the command again',
    details: { system: code },
    cause: error,
  };
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS')
    return new StorageError('FILE.PERMISSION', error.message, options);
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return new StorageError('FILE.NO_SPACE', error.message, options);
  return new StorageError('FILE.WRITE_FAILED', error.message, options);
}
