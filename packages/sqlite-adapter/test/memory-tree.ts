import { parentPath, pathFromText, putIf, removeIf, type TreePath } from '@deespec/domain';
import { loadTree, type LoadReport, type TreeSource } from '@deespec/migration-engine';
import { MemoryTreeStore } from '@deespec/storage-contract';

import { openHandle, SqliteLoader } from '../src/index.js';
import { state } from './support.js';

const now = () => new Date('2026-01-02T03:04:05Z');

/** A tree to load, in the memory reference. */
export class MemoryTree {
  readonly store = new MemoryTreeStore(now, () => undefined);

  /** Puts a file and its missing parents. */
  async put(path: string, content: string | Buffer): Promise<void> {
    const at = pathFromText(path);
    await this.makeParent(at);
    const version = { path: at, kind: 'file', mode: 0o644, bytes: Buffer.from(content) } as const;
    await putIf(this.store, version, this.store.find(at)?.sha256);
  }

  /** Removes what stands at `path`, with everything below it. */
  async remove(path: string): Promise<void> {
    const at = pathFromText(path);
    const paths = [...this.store.scan()].map((stat) => stat.path).toReversed();
    for (const below of paths.filter((one) => one === at || one.startsWith(`${at}/`))) {
      await removeIf(this.store, below, this.store.find(below)!.sha256);
    }
  }

  /** Loads the tree into the database at `path`; a new one with `create`. */
  async load(path: string, create: 'create' | 'again' = 'again'): Promise<LoadReport> {
    const target = SqliteLoader.open({ path, ...(create === 'create' ? { create: { state, now } } : {}) });
    try {
      const report = await loadTree({
        source: this.source(),
        target,
        spool: target.spool,
        touchedSinceNs: 0n,
        batchSize: 10,
      });
      target.complete();
      return report;
    } finally {
      target.close();
    }
  }

  private source(): TreeSource {
    const { store } = this;
    return {
      *scan() {
        for (const stat of store.scan()) yield { ...stat, ctimeNs: 0n };
      },
      find: (path) => store.find(path),
      read: (path) => store.read(path),
    };
  }

  private async makeParent(path: TreePath): Promise<void> {
    const parent = parentPath(path) as TreePath;
    if (parent === ('' as TreePath) || this.store.find(parent) !== undefined) return;
    await this.makeParent(parent);
    await putIf(
      this.store,
      { path: parent, kind: 'directory', mode: 0o755, bytes: Buffer.alloc(0) },
      undefined,
    );
  }
}

/** Rows of a query, on a connection that cannot write. */
export function select(path: string, sql: string): unknown[] {
  const handle = openHandle(path, 'read');
  try {
    return handle.prepare(sql).all();
  } finally {
    handle.close();
  }
}
