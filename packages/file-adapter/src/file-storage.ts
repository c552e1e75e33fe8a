import { displayPath, StorageError, type Index } from '@deespec/domain';
import { realpathSync } from 'node:fs';

import { DerivedIndex } from './derived-index.js';
import { bytesOfPath, readError, systemCode } from './file-error.js';
import { realFileSystem, type FileSystem } from './file-system.js';
import { FileTreeStore } from './file-tree-store.js';
import type { IgnoredEntry } from './ignored.js';
import { TreeRoot } from './tree-root.js';

/** What {@link openFileStorage} needs. */
export interface FileStorageOptions {
  /** The `.deespec` directory; a symlink is resolved here, once. */
  readonly home: string;
  /** The present, for versions without a time; absent: the file system's. */
  readonly now?: () => Date;
  /** Called for each entry of somebody else that a scan leaves out. */
  readonly onIgnored?: (entry: IgnoredEntry) => void;
  /** The calls that reach the disk; default the real ones. */
  readonly system?: FileSystem;
}

/** A tree on disk with its index. */
export interface FileStorage {
  readonly store: FileTreeStore;
  /**
   * Derived from a scan at the first query, and again after each write through `store`. Writes of other programs are seen
   * by storages opened after them.
   */
  readonly index: Index;
}

/**
 * Opens the tree at `home`. Reads nothing yet.
 *
 * @throws StorageError `TREE.NOT_FOUND` when `home` is no directory, `FILE.PERMISSION`
 */
export function openFileStorage(options: FileStorageOptions): FileStorage {
  const root = new TreeRoot(resolveHome(options.home), options.system ?? realFileSystem);
  const store: FileTreeStore = new FileTreeStore(root, {
    onChange: () => index.invalidate(),
    ...(options.now === undefined ? {} : { now: options.now }),
    ...(options.onIgnored === undefined ? {} : { onIgnored: options.onIgnored }),
  });
  const index = new DerivedIndex({
    read: (path) => store.read(path),
    derive: async () => {
      // Loaded at the first query: class-validator alone takes 100 ms, and many commands never ask.
      const [{ deriveTree, MemorySpool }, { checks }] = await Promise.all([
        import('@deespec/layout'),
        import('@deespec/validators'),
      ]);
      return deriveTree(store, { checks, spool: new MemorySpool() });
    },
  });
  return { store, index };
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
