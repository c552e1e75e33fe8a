import { modeMeanings, type Index, type StorageMode } from '@deespec/domain';

import { getDatabase } from './database.js';
import { homePaths } from './home.js';
import { grantedMode } from './setting.js';

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
 * Opens a tree for queries, in the store that its mode reads or the one named.
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
    return { mode, store: name, index: files.index, close: () => files.store.close() };
  }
  getDatabase(paths);
  const { openSqliteIndex } = await import('@deespec/sqlite-adapter');
  const database = await openSqliteIndex(paths.database);
  return { mode, store: name, index: database.index, close: () => database.close() };
}
