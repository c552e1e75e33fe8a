import { modeMeanings, type Index, type StorageMode } from '@deespec/domain';

import { getDatabase } from './database.js';
import { homePaths, type HomePaths } from './home.js';
import { grantedMode } from './setting.js';
import { SharedBarrier } from './shared-barrier.js';
import { WriterLock } from './writer-lock.js';

/** Which store answers. */
export type StoreName = 'files' | 'sqlite';

/** What {@link openIndex} takes. */
export interface OpenIndexOptions {
  /** Path of the `.deespec` directory. */
  readonly home: string;
  /** Ask this store instead of the one the mode reads: to look into a migrated database before it is trusted. */
  readonly store?: StoreName;
}

/** A tree that is open for queries. */
export interface OpenIndex {
  readonly mode: StorageMode;
  readonly store: StoreName;
  readonly index: Index;
  close(): Promise<void>;
}

/**
 * Opens a tree for queries, in the store that its mode reads or the one named. Writes only what a process that died left half done.
 *
 * @throws StorageError `TREE.NOT_FOUND`, `MODE.*`, `LAYOUT.MALFORMED`; for the database also `DATABASE.*`, `SCHEMA.DRIFT`,
 *   `MIGRATION.*`
 */
export async function openIndex({ home, store }: OpenIndexOptions): Promise<OpenIndex> {
  const paths = homePaths(home);
  const mode = await grantedMode(paths);
  const name = store ?? modeMeanings[mode].reads;
  if (name === 'files') {
    const { openFileStorage } = await import('@deespec/file-adapter');
    const files = openFileStorage({ home: paths.home });
    if (files.store.unfinishedSince() !== undefined) await finishEdits(paths, mode);
    return { mode, store: name, index: files.index, close: () => files.store.close() };
  }
  getDatabase(paths);
  const { openSqliteIndex } = await import('@deespec/sqlite-adapter');
  const database = await openSqliteIndex(paths.database);
  return { mode, store: name, index: database.index, close: () => database.close() };
}

/** Finishes or takes back the edits of processes that died; waits for one that lives. */
async function finishEdits(paths: HomePaths, mode: StorageMode): Promise<void> {
  const { openFileStorage } = await import('@deespec/file-adapter');
  const barrier = new SharedBarrier(paths);
  const writers = new WriterLock(paths);
  try {
    const { alone } = writers;
    const { store } = openFileStorage({ home: paths.home, alone, owes: mode === 'dual_write' });
    await barrier.hold(() => store.recover());
  } finally {
    await writers.close();
    barrier.close();
  }
}
