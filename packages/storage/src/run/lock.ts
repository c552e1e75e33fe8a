import { isStorageError, StorageError } from '@deespec/domain';
import { openHandle, toStorageError } from '@deespec/sqlite-adapter';

import { prepareLock, type Release } from '../barrier.js';
import { locksOn } from '../file-locks.js';
import type { HomePaths } from '../home.js';
import { livingHolders, nameProcesses } from '../processes.js';

/**
 * Lets one cut-over, rollback, rehearsal or `gc` at a time work on a tree, from its first step to its last: the lock of an empty
 * database, which the kernel drops when its holder dies. Never waits.
 *
 * @throws StorageError `LOCK.HELD` naming who has it; those of `prepareLock`
 */
export function takeRunLock(paths: HomePaths): Release {
  prepareLock(paths, paths.runLock);
  let handle: ReturnType<typeof openHandle> | undefined;
  try {
    handle = openHandle(paths.runLock, 'lock');
    handle.exec('BEGIN IMMEDIATE');
  } catch (error) {
    handle?.close();
    const known = toStorageError(error, paths.runLock);
    throw isStorageError(known, 'SQLITE.BUSY') ? held(paths, known) : known;
  }
  const lock = handle;
  return () => lock.close();
}

function held(paths: HomePaths, cause: StorageError): StorageError {
  const pids = [...new Set((locksOn(paths.runLock) ?? []).map(({ pid }) => pid))];
  const who = pids.length === 0 ? 'another process' : nameProcesses(pids, livingHolders(paths));
  return new StorageError('LOCK.HELD', `a run works on ${paths.home}: ${who}`, {
    hint: 'wait until it ends, then run the command again; "deespec status" shows how far it is',
    details: { pids },
    cause,
  });
}
