import {
  DIRECTORY_SHA256,
  displayPath,
  joinPath,
  parentPath,
  StorageError,
  type DiskStat,
  type EntryKind,
  type TreeEntry,
  type TreePath,
  type TreeReader,
} from '@deespec/domain';
import { createHash } from 'node:crypto';

import { notFound, readError, special } from './file-error.js';
import { holdsOnlyBackups, ignoredOwner, type DiskKind, type IgnoredEntry } from './ignored.js';
import { readEntry } from './read-entry.js';
import { scanTree } from './scan.js';
import { fileStat, kindOf, type TreeRoot } from './tree-root.js';

/**
 * Reads the tree on disk. Symlinks are content, never followed, not even as parents. What is ignored (see `ignoredOwner`) is
 * not there.
 */
export class DiskTree implements TreeReader {
  constructor(
    readonly root: TreeRoot,
    private readonly onIgnored: (entry: IgnoredEntry) => void = () => undefined,
  ) {}

  /** As the port says; below one path, and that path itself, when it is given. */
  *scan(below?: TreePath): Generator<DiskStat> {
    if (below !== undefined) {
      const path = joinPath('', below);
      if (!guarded(path, () => this.root.parentStands(path))) return;
    }
    yield* scanTree(this.root, this.onIgnored, below);
  }

  find(path: TreePath): TreeEntry | undefined {
    const stat = this.statOf(path);
    if (stat === undefined) return undefined;
    if (stat.kind === 'directory') return { ...stat, sha256: DIRECTORY_SHA256 };
    const hash = createHash('sha256');
    let size = 0;
    for (const chunk of readEntry(this.root, path)) {
      hash.update(chunk);
      size += chunk.length;
    }
    return { ...stat, size, sha256: hash.digest('hex') };
  }

  read(path: TreePath): Iterable<Buffer> {
    if (this.#isIgnored(joinPath('', path))) throw notFound(path);
    return readEntry(this.root, path);
  }

  /** What stands at a path, without reading it. @throws StorageError `FILE.SPECIAL`, `FILE.PERMISSION`, `FILE.READ_FAILED` */
  statOf(path: TreePath): DiskStat | undefined {
    joinPath('', path);
    return guarded(path, () => {
      const stat = this.root.parentStands(path) ? this.root.stat(path) : undefined;
      if (stat === undefined) return undefined;
      const kind = kindOf(stat);
      if (this.#isIgnoredAs(path, kind)) return undefined;
      if (kind === 'special') throw special(path);
      return fileStat(path, kind, stat);
    });
  }

  /** @throws StorageError `TREE.PATH_UNSAFE` when scans would ignore an entry of `kind` at `path` */
  refuseIgnored(path: TreePath, kind: EntryKind): void {
    if (!guarded(path, () => this.#isIgnoredAs(path, kind))) return;
    throw new StorageError(
      'TREE.PATH_UNSAFE',
      `"${displayPath(path)}" is no place for data: scans ignore it`,
      { hint: 'choose another name', details: { path: displayPath(path) } },
    );
  }

  /** Names in a directory of the tree as byte strings, ignored ones too; `[]` when none stands there. */
  namesIn(directory: TreePath): string[] {
    if (this.statOf(directory)?.kind !== 'directory') return [];
    const place = this.root.at(directory);
    return guarded(directory, () => this.root.system.readdirSync(place, { encoding: 'latin1' }).sort());
  }

  #isIgnored(path: TreePath): boolean {
    return guarded(
      path,
      () => mayBeIgnored.test(path) && this.#isIgnoredAs(path, this.#kindAt(path) ?? 'file'),
    );
  }

  #isIgnoredAs(path: TreePath, kind: DiskKind): boolean {
    if (path === 'backups' && kind === 'directory') {
      const isThere = this.#kindAt(path) === 'directory';
      const names = isThere ? this.root.system.readdirSync(this.root.at(path), { encoding: 'latin1' }) : [];
      return holdsOnlyBackups(names, (sibling) => this.#kindAt(sibling));
    }
    return ignoredOwner(path, kind, (sibling) => this.#kindAt(sibling)) !== undefined;
  }

  #kindAt(path: TreePath): DiskKind | undefined {
    const stat = this.root.stat(path);
    return stat === undefined ? undefined : kindOf(stat);
  }
}

/** The directory that holds a path, as a path of the tree; `undefined` for an entry of the root. */
export function directoryIn(path: TreePath): TreePath | undefined {
  const parent = parentPath(path);
  return parent === '' ? undefined : (parent as TreePath);
}

/** Quick test before the exact one: every ignored path has one of these. */
const mayBeIgnored = /^(?:deespec\.db|\.storage|backups|var\/(?:state\.lock|runlock))|\.tmp/u;

function guarded<T>(path: TreePath, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw readError(error, path);
  }
}
