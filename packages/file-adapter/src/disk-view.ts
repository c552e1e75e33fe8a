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

import type { DiskTree } from './disk-tree.js';
import type { JournalCache } from './journal-cache.js';
import type { Layout } from './load-layout.js';

/** What a {@link DiskView} looks at. */
export interface DiskViewParts {
  readonly tree: DiskTree;
  readonly journal: JournalCache;
  readonly layout: Layout;
}

/** The tree on disk as a plan of changes sees it. */
export class DiskView implements TreeView {
  #journal: JournalSpool | undefined;

  constructor(private readonly parts: DiskViewParts) {}

  scan(): Iterable<TreeStat> {
    return this.parts.tree.scan();
  }

  find(path: TreePath): TreeEntry | undefined {
    return this.parts.tree.find(path);
  }

  read(path: TreePath): Iterable<Buffer> {
    return this.parts.tree.read(path);
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
