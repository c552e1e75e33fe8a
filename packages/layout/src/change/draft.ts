import { baseName, parentPath } from '@deespec/domain';
import type { TreePath } from '@deespec/domain';

import { EditedTree } from './edited-tree.js';

/** One change in the making: the tree with what it has put, appended and discarded so far. */
export class Draft extends EditedTree {
  /** Puts a file; its parent directories are made. One that is replaced keeps its mode. */
  put(path: TreePath, bytes: Buffer): void {
    this.makeParents(path);
    const before = this.find(path);
    const mode = before?.kind === 'file' ? before.mode : 0o644;
    this.add({ op: 'put', version: { path, kind: 'file', mode, bytes }, expected: before?.sha256 });
  }

  /** Appends one line. @throws StorageError `LAYOUT.CANNOT_EXPRESS` when it would not be read back */
  append(path: TreePath, line: Buffer): void {
    this.makeParents(path);
    this.add({ op: 'append', path, line });
  }

  discard(path: TreePath): void {
    this.add({ op: 'discard', path });
  }

  /** True when the change puts a file at `path`. */
  isPut(path: TreePath): boolean {
    return this.versionOf(path) !== undefined;
  }

  /** SHA-256 of what stood at `path` before the change. */
  hashBefore(path: TreePath): string | undefined {
    return this.base.find(path)?.sha256;
  }

  private makeParents(path: TreePath): void {
    if (baseName(path) === path) return;
    const parent = parentPath(path) as TreePath;
    if (this.find(parent) !== undefined) return;
    this.makeParents(parent);
    const version = { path: parent, kind: 'directory', mode: 0o755, bytes: Buffer.alloc(0) } as const;
    this.add({ op: 'put', version, expected: undefined });
  }
}
