import { isStorageError, StorageError } from '@deespec/domain';
import { changeState, inspectDatabase, openHandle, readState, toStorageError } from '@deespec/sqlite-adapter';

import { ownLinks } from './database.js';
import { readEpoch, writeEpoch } from './epoch-file.js';
import type { HomePaths } from './home.js';
import { endModeChange, readModeChange, type ModeChange } from './mode-change.js';
import { nameMode, SETTING } from './mode-setting.js';
import { openSyncStores, syncOnce } from './sync.js';
import type { WriterLock } from './writer-lock.js';

/**
 * Carries a change of mode forward from wherever a crash cut it off; without one it does nothing. Each part can be repeated: the
 * key in `setting.json` in both stores, the state of the database, the epoch. Runs under the exclusive barrier.
 */
export async function finishModeChange(paths: HomePaths, writers: WriterLock): Promise<void> {
  const change = readModeChange(paths);
  if (change === undefined) return;
  const own = readEpoch(paths);
  if (own === undefined) {
    throw new StorageError(
      'FILE.READ_FAILED',
      `${paths.epoch} is missing in the middle of a change of mode`,
      {
        hint: 'put it back from a backup',
      },
    );
  }
  if (stateEpoch(paths) < change.epoch) {
    await writeSetting(paths, change, writers);
    changeDatabase(paths, change);
  }
  writeEpoch(paths, { ...own, epoch: change.epoch, mode: change.to, original: change.original });
  endModeChange(paths);
}

async function writeSetting(paths: HomePaths, change: ModeChange, writers: WriterLock): Promise<void> {
  const stores = await openSyncStores(paths, change.from, writers);
  try {
    await nameMode(stores.files, change.to, change.original);
    await syncOnce(stores, { paths: [SETTING] });
  } finally {
    await stores.close();
  }
}

function stateEpoch(paths: HomePaths): number {
  const handle = openHandle(paths.database, 'look');
  try {
    return readState(handle)?.epoch ?? 0;
  } catch (error) {
    throw toStorageError(error, paths.database);
  } finally {
    handle.close();
  }
}

function changeDatabase(paths: HomePaths, { to, epoch }: ModeChange): void {
  const handle = openHandle(paths.database, 'write');
  try {
    changeState(handle, { mode: to, epoch });
  } catch (error) {
    throw toStorageError(error, paths.database);
  } finally {
    handle.close();
  }
}

/** In mode `file` the database lies in rollback-journal mode: see docs/adr/0009. Another program may still have it open. */
export function leaveWal(paths: HomePaths): void {
  if (readEpoch(paths)?.mode !== 'file' || inspectDatabase(paths.database, ownLinks(paths)) === 'absent')
    return;
  const handle = openHandle(paths.database, 'write');
  try {
    handle.pragma('journal_mode = DELETE');
  } catch (error) {
    const known = toStorageError(error, paths.database);
    if (!isStorageError(known, 'SQLITE.BUSY')) throw known;
  } finally {
    handle.close();
  }
}
