import { systemError } from '@deespec/domain';
import { join } from 'node:path';

/**
 * Runs a use case and gives what the operating system or SQLite threw below it a code: the one place where this package
 * wraps errors of others. What is nobody's error is a bug and passes as it is.
 *
 * @param home - the tree's directory: for SQLite a disk without room for another name is one that it cannot open files on
 */
export async function atBoundary<T>(home: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const known = systemError(error);
    if (known !== undefined) throw known;
    // Loaded late: `doctor` has to answer where SQLite cannot be loaded.
    const { toStorageError } = await import('@deespec/sqlite-adapter');
    throw toStorageError(error, join(home, 'deespec.db'));
  }
}
