import { baseName, parentPath } from '@deespec/domain';
import type { EntryKind, TreeEdit, TreeEntry, TreePath, TreeReader, TreeStat } from '@deespec/domain';
import { createHash } from 'node:crypto';

import { findInTree, readSmall, STATE_BYTES } from '../content.js';
import { malformed } from '../edit.js';

/** What stands at a path once the edits are made. */
interface Node {
  readonly kind: EntryKind;
  readonly bytes: Buffer;
}

/** The tree with edits on top: reads see them, nothing is changed. */
export class Draft implements TreeReader {
  private readonly nodes = new Map<TreePath, Node>();
  private readonly list: TreeEdit[] = [];

  /** @param mtimeNs - time of what is written, nanoseconds since 1970 UTC */
  constructor(
    private readonly reader: TreeReader,
    private readonly mtimeNs: bigint,
  ) {}

  /** In the order in which they are to be made. */
  get edits(): readonly TreeEdit[] {
    return this.list;
  }

  /** The content of a file that is parsed, or `undefined` when there is none. @throws StorageError `LAYOUT.MALFORMED` */
  file(path: TreePath, maxBytes = STATE_BYTES): Buffer | undefined {
    const found = findInTree(this, path);
    if (found === undefined) return undefined;
    const content = readSmall(this, found, maxBytes);
    if (content.problem !== undefined) throw malformed(content.problem);
    return content.bytes;
  }

  /** Puts a file; its parent directories are made. A second version of a path takes the place of the first. */
  put(path: TreePath, bytes: Buffer): void {
    this.makeParents(path);
    const known = this.list.findIndex((edit) => edit.op === 'put' && edit.path === path);
    const expected = this.reader.find(path)?.sha256;
    const edit = { op: 'put', path, bytes, expected } as const;
    if (known >= 0) this.list[known] = edit;
    else this.list.push(edit);
    this.nodes.set(path, { kind: 'file', bytes });
  }

  append(path: TreePath, line: Buffer): void {
    this.makeParents(path);
    this.list.push({ op: 'append', path, line });
  }

  discard(path: TreePath): void {
    this.list.push({ op: 'discard', path });
  }

  /** Entries that the edits add to `entries` or change there, in scan order. */
  entriesOver(entries: readonly TreeStat[], below: TreePath): readonly TreeStat[] {
    const stats = new Map(entries.map((stat) => [stat.path, stat]));
    for (const path of this.nodes.keys()) {
      if (path === below || path.startsWith(`${below}/`)) stats.set(path, this.find(path)!);
    }
    return [...stats.values()].sort((a, b) => (order(a.path) < order(b.path) ? -1 : 1));
  }

  /** True when an edit puts a file at `path`. */
  isEdited(path: TreePath): boolean {
    return this.nodes.has(path);
  }

  /** SHA-256 of what stood at `path` before the edits. */
  hashBefore(path: TreePath): string | undefined {
    return this.reader.find(path)?.sha256;
  }

  scan(): Iterable<TreeStat> {
    return this.reader.scan();
  }

  find(path: TreePath): TreeEntry | undefined {
    const node = this.nodes.get(path);
    if (node === undefined) return this.reader.find(path);
    const { kind, bytes } = node;
    const sha256 = kind === 'directory' ? '' : createHash('sha256').update(bytes).digest('hex');
    return { path, kind, mode: 0o644, mtimeNs: this.mtimeNs, size: bytes.length, sha256 };
  }

  read(path: TreePath): Iterable<Buffer> {
    const node = this.nodes.get(path);
    return node === undefined ? this.reader.read(path) : [node.bytes];
  }

  private makeParents(path: TreePath): void {
    if (baseName(path) === path) return;
    const parent = parentPath(path) as TreePath;
    if (this.find(parent) !== undefined) return;
    this.makeParents(parent);
    this.list.push({ op: 'make-directory', path: parent });
    this.nodes.set(parent, { kind: 'directory', bytes: Buffer.alloc(0) });
  }
}

function order(path: TreePath): string {
  return path.replaceAll('/', '\0');
}
