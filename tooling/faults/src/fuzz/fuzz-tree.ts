import { parentPath, pathFromText } from '@deespec/domain';
import type { EntryKind, TreeEntry, TreePath, TreeReader, TreeStat } from '@deespec/domain';
import { createHash } from 'node:crypto';

/** One entry of a tree that exists in memory; a directory has empty bytes, a symlink its target. */
export interface FuzzEntry {
  readonly path: TreePath;
  readonly kind: EntryKind;
  readonly bytes: Buffer;
}

/** A tree by path. Every parent is in it. */
export type FuzzTree = Map<TreePath, FuzzEntry>;

/** Modification time of every entry: 2026-01-02T03:04:05Z. */
export const MTIME_SECONDS = 1_767_323_045;

/** A tree in memory that gives its contents in chunks of `chunkBytes`. */
export class FuzzReader implements TreeReader {
  private readonly order: readonly FuzzEntry[];

  constructor(
    private readonly tree: FuzzTree,
    private readonly chunkBytes: number,
  ) {
    this.order = [...tree.values()].sort((a, b) => (sortKey(a.path) < sortKey(b.path) ? -1 : 1));
  }

  *scan(): Generator<TreeStat> {
    for (const entry of this.order) yield statOf(entry);
  }

  find(path: TreePath): TreeEntry | undefined {
    const entry = this.tree.get(path);
    if (entry === undefined) return undefined;
    const isDirectory = entry.kind === 'directory';
    const sha256 = isDirectory ? '' : createHash('sha256').update(entry.bytes).digest('hex');
    return { ...statOf(entry), sha256 };
  }

  *read(path: TreePath): Generator<Buffer> {
    const { bytes } = this.tree.get(path)!;
    for (let at = 0; at < bytes.length; at += this.chunkBytes) {
      yield bytes.subarray(at, at + this.chunkBytes);
    }
  }
}

function statOf({ path, kind, bytes }: FuzzEntry): TreeStat {
  const mode = kind === 'directory' ? 0o755 : 0o644;
  return { path, kind, mode, mtimeNs: BigInt(MTIME_SECONDS) * 1_000_000_000n, size: bytes.length };
}

/** With `/` below every other byte, a directory's content comes directly after it. */
function sortKey(path: TreePath): string {
  return path.replaceAll('/', '\0');
}

/** A tree of these files with their parents. */
export function treeOf(files: Readonly<Record<string, string>>): FuzzTree {
  const tree: FuzzTree = new Map();
  for (const [name, text] of Object.entries(files)) putFile(tree, pathFromText(name), Buffer.from(text));
  return tree;
}

/** Puts a file and the directories it lies in. */
export function putFile(tree: FuzzTree, path: TreePath, bytes: Buffer): void {
  for (let parent = parentPath(path); parent !== ''; parent = parentPath(parent as TreePath)) {
    const at = parent as TreePath;
    if (!tree.has(at)) tree.set(at, { path: at, kind: 'directory', bytes: Buffer.alloc(0) });
  }
  tree.set(path, { path, kind: 'file', bytes });
}
