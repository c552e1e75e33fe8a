import {
  DIRECTORY_SHA256,
  displayPath,
  joinPath,
  parentPath,
  StorageError,
  type Expected,
  type TreeEntry,
  type TreePath,
  type TreeStore,
  type TreeVersion,
} from '@deespec/domain';
import { createHash } from 'node:crypto';

import { directoryOf, writeFileDurably } from './durable-write.js';
import {
  changed,
  notFound,
  readError,
  special,
  systemCode,
  writeError,
  type WriteStage,
} from './file-error.js';
import { syncDirectory, timeInSeconds } from './file-system.js';
import { holdsOnlyBackups, ignoredOwner, type DiskKind, type IgnoredEntry } from './ignored.js';
import { readEntry } from './read-entry.js';
import { scanTree } from './scan.js';
import { moveToTrash } from './trash.js';
import { fileStat, kindOf, type FileStat, type TreeRoot } from './tree-root.js';

/** What a {@link FileTreeStore} tells its owner. */
export interface FileTreeStoreOptions {
  /** Called for each entry of somebody else that a scan leaves out. */
  readonly onIgnored?: (entry: IgnoredEntry) => void;
  /** Called after each write that may have changed the tree. */
  readonly onChange?: () => void;
  /** The present, for versions without a time; absent: the file system's. */
  readonly now?: () => Date;
}

/**
 * The tree on disk. Symlinks are content, never followed, not even as parents. A write replaces a whole entry, durably, and
 * compares what stands there directly before the rename; programs that hold no barrier can still come in between.
 * What is ignored (see `ignoredOwner`) is not there for reads and refused for writes.
 */
export class FileTreeStore implements TreeStore {
  constructor(
    readonly root: TreeRoot,
    private readonly options: FileTreeStoreOptions = {},
  ) {}

  /** As the port says; entries also carry what tells two versions of a file apart. */
  scan(): Iterable<FileStat> {
    return scanTree(this.root, this.options.onIgnored ?? (() => undefined));
  }

  find(path: TreePath): TreeEntry | undefined {
    const stat = this.#stat(joinPath('', path));
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

  async putIf(version: TreeVersion, expected: Expected): Promise<TreeEntry> {
    const path = joinPath('', version.path);
    this.root.forget();
    this.#refuseIgnored(path, version.kind);
    if (!guarded(path, () => this.root.parentStands(path))) throw notFound(parentPath(path));
    const present = this.#stat(path);
    if (present !== undefined && (present.kind === 'directory') !== (version.kind === 'directory')) {
      throw changed(path, `a ${present.kind} stands there; remove it before you put a ${version.kind}`);
    }
    const compare = (): void => this.#compare(path, expected);
    try {
      if (version.kind === 'directory') this.#putDirectory(version, compare);
      else this.#putContent(version, compare);
    } finally {
      this.options.onChange?.();
    }
    const stored = this.#stat(path);
    if (stored === undefined) throw changed(path, 'it vanished after it was written');
    return { ...stored, sha256: version.kind === 'directory' ? DIRECTORY_SHA256 : sha256(version.bytes) };
  }

  /** As the port says. A file or symlink moves to `.storage/trash/`; its content is not unlinked. */
  async removeIf(path: TreePath, expected: string): Promise<void> {
    const target = joinPath('', path);
    this.root.forget();
    const present = this.#stat(target);
    if (present === undefined) throw notFound(path);
    this.#compare(target, expected);
    try {
      if (present.kind === 'directory') this.#removeDirectory(target);
      else moveToTrash(this.root, target);
    } finally {
      this.options.onChange?.();
    }
  }

  async close(): Promise<void> {
    // Handles live no longer than one call.
  }

  #putContent(version: TreeVersion, compare: () => void): void {
    const { path, kind, bytes, mode } = version;
    writeFileDurably(
      {
        target: this.root.at(path),
        name: path,
        kind: kind === 'symlink' ? 'symlink' : 'file',
        bytes,
        mode,
        mtimeNs: this.#timeOf(version),
        beforeRename: compare,
      },
      this.root.system,
    );
  }

  #putDirectory(version: TreeVersion, compare: () => void): void {
    const { system } = this.root;
    const target = this.root.at(version.path);
    const time = this.#timeOf(version);
    const isNew = this.#stat(version.path) === undefined;
    compare();
    this.#write(version.path, (advance) => {
      if (isNew) {
        system.mkdirSync(target, 0o700);
        advance('after');
      }
      if (time !== undefined) {
        system.utimesSync(target, timeInSeconds(time), timeInSeconds(time));
        advance('after');
      }
      // Synced before the mode, which may take away the right to open it.
      syncDirectory(system, target);
      system.chmodSync(target, version.mode);
      advance('after');
      syncDirectory(system, directoryOf(target));
    });
  }

  #removeDirectory(path: TreePath): void {
    const target = this.root.at(path);
    this.#write(path, (advance) => {
      this.root.system.rmdirSync(target);
      advance('after');
      syncDirectory(this.root.system, directoryOf(target));
    });
  }

  #write(path: TreePath, work: (advance: (stage: WriteStage) => void) => void): void {
    let stage: WriteStage = 'before';
    try {
      work((next) => (stage = next));
    } catch (error) {
      const code = stage === 'before' ? systemCode(error) : undefined;
      if (code === 'ENOTEMPTY' || code === 'EEXIST') throw changed(path, 'other entries stand there');
      throw writeError(error, path, stage);
    }
  }

  /** @throws StorageError `FILE.CHANGED` when the present content at `path` is not `expected` */
  #compare(path: TreePath, expected: Expected): void {
    const present = this.find(path)?.sha256;
    if (present === expected) return;
    throw changed(path, present === undefined ? 'nothing stands there' : 'another content stands there');
  }

  #stat(path: TreePath): FileStat | undefined {
    return guarded(path, () => {
      const stat = this.root.parentStands(path) ? this.root.stat(path) : undefined;
      if (stat === undefined) return undefined;
      const kind = kindOf(stat);
      if (this.#isIgnoredAs(path, kind)) return undefined;
      if (kind === 'special') throw special(path);
      return fileStat(path, kind, stat);
    });
  }

  #isIgnored(path: TreePath): boolean {
    return guarded(
      path,
      () => mayBeIgnored.test(path) && this.#isIgnoredAs(path, this.#kindAt(path) ?? 'file'),
    );
  }

  #isIgnoredAs(path: TreePath, kind: DiskKind): boolean {
    if (path === 'backups' && kind === 'directory') {
      const names = this.root.system.readdirSync(this.root.at(path), { encoding: 'latin1' });
      return holdsOnlyBackups(names, (sibling) => this.#kindAt(sibling));
    }
    return ignoredOwner(path, kind, (sibling) => this.#kindAt(sibling)) !== undefined;
  }

  #kindAt(path: TreePath): DiskKind | undefined {
    const stat = this.root.stat(path);
    return stat === undefined ? undefined : kindOf(stat);
  }

  #refuseIgnored(path: TreePath, kind: DiskKind): void {
    if (!guarded(path, () => this.#isIgnoredAs(path, kind))) return;
    throw new StorageError(
      'TREE.PATH_UNSAFE',
      `"${displayPath(path)}" is no place for data: scans ignore it`,
      {
        hint: 'choose another name',
        details: { path: displayPath(path) },
      },
    );
  }

  #timeOf(version: TreeVersion): bigint | undefined {
    const { now } = this.options;
    return version.mtimeNs ?? (now === undefined ? undefined : BigInt(now().getTime()) * 1_000_000n);
  }
}

/** Quick test before the exact one: every ignored path has one of these. */
const mayBeIgnored = /^(?:deespec\.db|\.storage|backups|var\/(?:state\.lock|runlock))|\.tmp/u;

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function guarded<T>(path: TreePath, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw readError(error, path);
  }
}
