import { systemError } from '@deespec/domain';
import { toStorageError } from '@deespec/sqlite-adapter';

/**
 * Runs a use case and gives what the operating system or SQLite threw below it a code: the one place where this package
 * wraps errors of others. What is nobody's error is a bug and passes as it is.
 */
export async function atBoundary<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw systemError(error) ?? toStorageError(error, 'the database');
  }
}
