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

/** Up to this size, in bytes, what was read of a file is held for the next look. */
const HELD_BYTES = 65_536;

/** So much is held in all, bytes. */
const MOST_HELD_BYTES = 16 * 1_048_576;

/**
 * The tree on disk as a plan of changes sees it. Of each path it is known what was there when it was first looked for or read to
 * its end: what another program puts there meanwhile is not taken for what the plan was made on.
 */
export class DiskView implements TreeView {
  readonly #seen = new Map<TreePath, TreeEntry | 'absent'>();
  readonly #held = new Map<TreePath, Buffer>();
  #heldBytes = 0;
  #journal: JournalSpool | undefined;

  constructor(private readonly parts: DiskViewParts) {}

  scan(): Iterable<TreeStat> {
    return this.parts.tree.scan();
  }

  find(path: TreePath): TreeEntry | undefined {
    const seen = this.#seen.get(path) ?? this.#look(path);
    this.#seen.set(path, seen);
    return seen === 'absent' ? undefined : seen;
  }

  #look(path: TreePath): TreeEntry | 'absent' {
    const stat = this.parts.tree.statOf(path);
    if (stat === undefined || stat.kind === 'directory') return this.parts.tree.find(path) ?? 'absent';
    for (const _chunk of this.#seeing(stat, this.parts.tree.read(path))); // read to its end, it is seen
    return this.#seen.get(path)!;
  }

  /** @throws StorageError `FILE.CHANGED` at the end, when it is not what was there before; those of `TreeReader.read` */
  read(path: TreePath): Iterable<Buffer> {
    const held = this.#held.get(path);
    if (held !== undefined) return [held];
    const stat = this.parts.tree.statOf(path);
    const chunks = this.parts.tree.read(path);
    return stat === undefined || stat.kind === 'directory' ? chunks : this.#seeing(stat, chunks);
  }

  *#seeing(stat: DiskStat, chunks: Iterable<Buffer>): Generator<Buffer> {
    const hash = createHash('sha256');
    let size = 0;
    let only: Buffer | undefined;
    for (const chunk of chunks) {
      only = size === 0 ? chunk : undefined;
      hash.update(chunk);
      size += chunk.length;
      yield chunk;
    }
    const entry = { ...stat, size, sha256: hash.digest('hex') };
    const seen = this.#seen.get(stat.path) ?? entry;
    if (seen === 'absent' || seen.sha256 !== entry.sha256) {
      throw changed(stat.path, 'it changes while a change of it is planned');
    }
    this.#seen.set(stat.path, seen);
    if (only !== undefined) this.#hold(stat.path, only);
  }

  #hold(path: TreePath, bytes: Buffer): void {
    if (bytes.length > HELD_BYTES || this.#heldBytes + bytes.length > MOST_HELD_BYTES) return;
    this.#heldBytes += bytes.length;
    this.#held.set(path, bytes);
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
    for (const name of tree.namesIn(layout.layout.SBI_ROOT).reverse()) {
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
    .namesIn(layout.SBI_ROOT)
    .filter((name) => layout.sbiIdOfDirectory(name) === id)
    .map((name) => joinPath(layout.SBI_ROOT, name))
    .filter((path) => tree.statOf(path)?.kind === 'directory')
    .flatMap((path) => [...tree.scan(path)]);
}
