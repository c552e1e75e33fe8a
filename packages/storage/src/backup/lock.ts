import { isStorageError, StorageError } from '@deespec/domain';
import { openHandle, toStorageError } from '@deespec/sqlite-adapter';

import { prepareLock } from '../barrier.js';
import type { HomePaths } from '../home.js';
import { finishWork } from './work.js';

/**
 * Runs `work` alone among all that make, check, compress, remove or restore backups: the kernel drops the lock when its holder dies.
 * What a holder that died left half done is finished or taken back first.
 *
 * @throws StorageError `LOCK.HELD` at once; what `work` throws
 */
export async function withBackups<T>(paths: HomePaths, work: () => Promise<T>): Promise<T> {
  prepareLock(paths, paths.backupLock);
  const handle = take(paths);
  try {
    finishWork(paths);
    return await work();
  } finally {
    handle.close();
  }
}

function take(paths: HomePaths): ReturnType<typeof openHandle> {
  let handle;
  try {
    handle = openHandle(paths.backupLock, 'lock');
    handle.exec('BEGIN IMMEDIATE');
    return handle;
  } catch (error) {
    handle?.close();
    const known = toStorageError(error, paths.backupLock);
    if (!isStorageError(known, 'SQLITE.BUSY')) throw known;
    throw new StorageError('LOCK.HELD', `another command works on the backups of ${paths.home}`, {
      hint: 'wait until it ends, then run the command again',
      cause: known,
    });
  }
}
