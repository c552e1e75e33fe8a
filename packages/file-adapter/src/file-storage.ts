import { displayPath, StorageError, type Index } from '@deespec/domain';
import { realpathSync } from 'node:fs';

import { bytesOfPath, readError, systemCode } from './file-error.js';
import { realFileSystem, type FileSystem } from './file-system.js';
import { FileTreeStore, type FileTreeStoreOptions } from './file-tree-store.js';
import { TreeRoot } from './tree-root.js';

/** What {@link openFileStorage} needs. */
export interface FileStorageOptions extends FileTreeStoreOptions {
  /** The `.deespec` directory; a symlink is resolved here, once. */
  readonly home: string;
  /** The calls that reach the disk; default the real ones. */
  readonly system?: FileSystem;
}

/** A tree on disk with its index. */
export interface FileStorage {
  readonly store: FileTreeStore;
  /** Sees what any program wrote before the query. */
  readonly index: Index;
}

/**
 * Opens the tree at `home`. Reads nothing yet.
 *
 * @throws StorageError `TREE.NOT_FOUND` when `home` is no directory, `FILE.PERMISSION`
 */
export function openFileStorage({ home, system, ...options }: FileStorageOptions): FileStorage {
  const store = new FileTreeStore(new TreeRoot(resolveHome(home), system ?? realFileSystem), options);
  return { store, index: store.openIndex() };
}

function resolveHome(home: string): string {
  try {
    const directory = realpathSync(home);
    if (realFileSystem.lstatSync(directory).isDirectory()) return directory;
  } catch (error) {
    const code = systemCode(error);
    if (code !== 'ENOENT' && code !== 'ENOTDIR') throw readError(error, bytesOfPath(home));
  }
  throw new StorageError('TREE.NOT_FOUND', `no directory at "${displayPath(bytesOfPath(home))}"`, {
    hint: 'name the .deespec directory with --home',
    details: { home },
  });
}
