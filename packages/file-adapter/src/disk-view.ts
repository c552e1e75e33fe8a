import {
  joinPath,
  type DiskStat,
  type JournalSpool,
  type SbiId,
  type TreeEntry,
  type TreePath,
  type TreeStat,
  type TreeView,
} from '@deespec/domain';
import { createHash } from 'node:crypto';

import type { DiskTree } from './disk-tree.js';
import { changed } from './file-error.js';
import type { JournalCache } from './journal-cache.js';
import type { Layout } from './load-layout.js';

/** What a {@link DiskView} looks at. */
export interface DiskViewParts {
  readonly tree: DiskTree;
  readonly journal: JournalCache;
  readonly layout: Layout;
}

/**
 * The tree on disk as a plan of changes sees it. Of each path it is known what was there when it was first looked for or read to
 * its end: what another program puts there meanwhile is not taken for what the plan was made on.
 */
export class DiskView implements TreeView {
  readonly #seen = new Map<TreePath, TreeEntry | 'absent'>();
  #journal: JournalSpool | undefined;

  constructor(private readonly parts: DiskViewParts) {}

  scan(): Iterable<TreeStat> {
    return this.parts.tree.scan();
  }

  find(path: TreePath): TreeEntry | undefined {
    const seen = this.#seen.get(path) ?? this.parts.tree.find(path) ?? 'absent';
    this.#seen.set(path, seen);
    return seen === 'absent' ? undefined : seen;
  }

  /** @throws StorageError `FILE.CHANGED` at the end, when it is not what was there before; those of `TreeReader.read` */
  read(path: TreePath): Iterable<Buffer> {
    const stat = this.parts.tree.statOf(path);
    return this.#seeing(stat, this.parts.tree.read(path));
  }

  *#seeing(stat: DiskStat | undefined, chunks: Iterable<Buffer>): Generator<Buffer> {
    const hash = createHash('sha256');
    let size = 0;
    for (const chunk of chunks) {
      hash.update(chunk);
      size += chunk.length;
      yield chunk;
    }
    if (stat === undefined || stat.kind === 'directory') return;
    const entry = { ...stat, size, sha256: hash.digest('hex') };
    const seen = this.#seen.get(stat.path) ?? entry;
    if (seen === 'absent' || seen.sha256 !== entry.sha256) {
      throw changed(stat.path, 'it changes while a change of it is planned');
    }
    this.#seen.set(stat.path, seen);
  }

  get journal(): JournalSpool {
    this.#journal ??= this.parts.journal.now(this.parts.layout);
    return this.#journal;
  }

  entriesOf(id: SbiId): readonly TreeStat[] {
    return entriesOfSbi(this.parts.tree, this.parts.layout, id);
  }

  newestSbis(limit: number): readonly TreePath[] {
    const { tree, layout } = this.parts;
    const found: TreePath[] = [];
    // A name begins with its id and ids have one length: the order of the names is that of the ids.
    for (const name of tree.namesIn(layout.layout.SBI_ROOT as TreePath).reverse()) {
      if (found.length >= limit) break;
      const path = joinPath(layout.layout.SBI_ROOT, name);
      const isSbi = layout.layout.sbiIdOfDirectory(name) !== undefined;
      if (isSbi && tree.statOf(path)?.kind === 'directory') found.push(path);
    }
    return found;
  }
}

/** Every entry of every directory of an SBI, in scan order. */
export function entriesOfSbi(tree: DiskTree, { layout }: Layout, id: SbiId): readonly DiskStat[] {
  return tree
    .namesIn(layout.SBI_ROOT as TreePath)
    .filter((name) => layout.sbiIdOfDirectory(name) === id)
    .map((name) => joinPath(layout.SBI_ROOT, name))
    .filter((path) => tree.statOf(path)?.kind === 'directory')
    .flatMap((path) => [...tree.scan(path)]);
}
