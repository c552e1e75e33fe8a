import { pathFromBytes, pathToBytes, systemCode, type TreePath } from '@deespec/domain';
import { watch, type FSWatcher } from 'node:fs';

/** Hears of changes below the directories of a tree, name by name. Says nothing of what is ours. */
export class DirectoryWatch {
  private readonly watchers = new Map<string, FSWatcher>();

  /**
   * @param onChange - told the path that changed; `undefined`: something did, and nobody knows what
   */
  constructor(
    private readonly home: string,
    private readonly onChange: (path: TreePath | undefined) => void,
  ) {}

  /**
   * Watches one directory of the tree, `''` its root; one that is watched already is left alone.
   *
   * @returns false when the system watches no more directories
   */
  add(directory: TreePath | ''): boolean {
    if (this.watchers.has(directory)) return true;
    try {
      const watcher = watch(this.placeOf(directory), { encoding: 'buffer' });
      watcher.on('change', (_, name) => this.report(directory, name));
      watcher.on('error', () => this.forget(directory));
      this.watchers.set(directory, watcher);
      return true;
    } catch (error) {
      const code = systemCode(error);
      if (code === 'ENOENT' || code === 'ENOTDIR') return true;
      if (code === 'ENOSPC' || code === 'EMFILE') return false;
      throw error;
    }
  }

  close(): void {
    for (const watcher of this.watchers.values()) watcher.close();
    this.watchers.clear();
  }

  /** A name that is no UTF-8 reaches the disk as the bytes it is. */
  private placeOf(directory: TreePath | ''): string | Buffer {
    if (directory === '') return this.home;
    return Buffer.concat([Buffer.from(`${this.home}/`), pathToBytes(directory)]);
  }

  private report(directory: string, name: Buffer | string | null): void {
    if (name === null) return this.onChange(undefined);
    const own = pathFromBytes(Buffer.from(name));
    if (directory === '' && isOurs(own)) return;
    this.onChange((directory === '' ? own : `${directory}/${own}`) as TreePath);
  }

  /** A directory that is gone is watched anew when it comes back. */
  private forget(directory: string): void {
    this.watchers.get(directory)?.close();
    this.watchers.delete(directory);
  }
}

function isOurs(name: string): boolean {
  return name === '.storage' || name.startsWith('deespec.db');
}
