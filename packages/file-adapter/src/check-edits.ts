import {
  assertNever,
  DIRECTORY_SHA256,
  invariant,
  joinPath,
  parentPath,
  StorageError,
  type Chunks,
  type TreeEdit,
  type TreePath,
  type TreeVersion,
} from '@deespec/domain';
import { createHash } from 'node:crypto';

import { directoryIn, type DiskTree } from './disk-tree.js';
import { changed, notFound } from './file-error.js';
import type { Before, Step } from './intent.js';

/** What {@link checkEdits} needs. */
export interface CheckOptions {
  readonly tree: DiskTree;
  /** Time of a version that has none, nanoseconds since 1970 UTC; `undefined`: the file system's. */
  readonly mtimeNs: bigint | undefined;
}

/**
 * Compares every edit of a plan with the tree that the edits before it leave, before anything is changed.
 *
 * @throws StorageError `FILE.CHANGED`, `FILE.NOT_FOUND`, `TREE.PATH_UNSAFE`, `USAGE.INVALID` above 512 MiB, those of reading
 */
export function checkEdits(edits: readonly TreeEdit[], options: CheckOptions): readonly Step[] {
  const check = new EditCheck(options);
  const steps = edits.map((edit) => {
    const isAlone = edits.length === 1 || edit.op !== 'put' || edit.version.bytes instanceof Uint8Array;
    invariant(isAlone, 'a content in chunks is the only edit of its plan');
    return check.step(edit);
  });
  const bytes = steps.reduce((sum, step) => sum + ('bytes' in step ? (step.bytes?.length ?? 0) : 0), 0);
  if (bytes <= MOST_BYTES) return steps;
  throw new StorageError('USAGE.INVALID', `a plan of ${bytes} bytes is too large to be made as one`, {
    hint: `at most ${MOST_BYTES} bytes; a content given in chunks can be larger`,
  });
}

/** Content of one plan that is held at once: half of what is read back after a crash, so that the rest has room. */
const MOST_BYTES = 536_870_912;

/** A content that is not held at once. */
export function isChunks(bytes: Uint8Array | Chunks): bytes is Chunks {
  return !(bytes instanceof Uint8Array);
}

/** What an edit leaves at a path. */
interface Node extends Before {
  readonly size: number;
}

/** The tree on disk with the edits so far on top. */
class EditCheck {
  readonly #nodes = new Map<TreePath, Node | undefined>();
  readonly #discarded: TreePath[] = [];
  /** Lines are appended last, whatever their place in the plan: what is below a journal's path must stay until then. */
  readonly #appended = new Map<TreePath, number>();

  constructor(private readonly options: CheckOptions) {}

  step(edit: TreeEdit): Step {
    const path = joinPath('', edit.op === 'put' ? edit.version.path : edit.path);
    if (edit.op !== 'append') this.#requireNoLine(path);
    switch (edit.op) {
      case 'put':
        return this.#put(path, edit);
      case 'append':
        return this.#append(path, edit.line);
      case 'remove':
        return this.#remove(path, edit.expected);
      case 'discard':
        return this.#discard(path);
      default:
        return assertNever(edit);
    }
  }

  #put(path: TreePath, { version, expected, isProjection }: Extract<TreeEdit, { op: 'put' }>): Step {
    const { kind, mode, bytes } = version;
    this.options.tree.refuseIgnored(path, kind);
    this.#requireParent(path);
    const before = this.#find(path);
    if (before !== undefined && (before.kind === 'directory') !== (kind === 'directory')) {
      throw changed(path, `a ${before.kind} stands there; remove it before you put a ${kind}`);
    }
    requireExpected(path, before, expected);
    const mtimeNs = version.mtimeNs ?? this.options.mtimeNs;
    const sha256 = hashOf(version);
    const size = isChunks(bytes) ? bytes.size : bytes.length;
    this.#nodes.set(path, { kind, mode, mtimeNs: mtimeNs ?? 0n, sha256, size });
    const origin = isProjection === true ? { isProjection } : {};
    const step: Step = { op: 'put', path, before, kind, mode, mtimeNs, sha256, ...origin };
    if (isChunks(bytes) || kind === 'directory') return step;
    return { ...step, bytes: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength) };
  }

  #append(path: TreePath, line: Buffer): Step {
    invariant(line.at(-1) === 0x0a, 'what is appended ends in LF');
    this.options.tree.refuseIgnored(path, 'file');
    this.#requireParent(path);
    const size = this.#appended.get(path) ?? this.#sizeOf(path);
    this.#appended.set(path, size + line.length);
    return { op: 'append', path, size, bytes: line };
  }

  #remove(path: TreePath, expected: string): Step {
    const before = this.#find(path);
    if (before === undefined) throw notFound(path);
    requireExpected(path, before, expected);
    if (before.kind === 'directory' && this.#hasEntries(path))
      throw changed(path, 'other entries stand there');
    this.#nodes.set(path, undefined);
    return { op: 'remove', path, before };
  }

  #discard(path: TreePath): Step {
    const before = this.#kindOf(path);
    if (before === undefined) throw notFound(path);
    if (before !== 'directory') throw changed(path, `a ${before} stands there, no directory`);
    const paths = this.#pathsBelow(path);
    for (const known of this.#nodes.keys()) if (isBelow(known, path)) this.#nodes.delete(known);
    this.#nodes.set(path, undefined);
    this.#discarded.push(path);
    return { op: 'discard', path, paths };
  }

  /** Length of a journal, 0 when there is none. */
  #sizeOf(path: TreePath): number {
    const kind = this.#kindOf(path);
    if (kind === undefined) return 0;
    if (kind !== 'file') throw changed(path, `a ${kind} stands there, no journal`);
    return this.#nodes.get(path)?.size ?? this.options.tree.statOf(path)?.size ?? 0;
  }

  #requireNoLine(path: TreePath): void {
    const line = [...this.#appended.keys()].find((journal) => journal === path || isBelow(journal, path));
    if (line !== undefined) throw changed(path, 'an edit before this one appends a line there');
  }

  #requireParent(path: TreePath): void {
    const parent = directoryIn(path);
    if (parent !== undefined && this.#kindOf(parent) !== 'directory') throw notFound(parent);
  }

  #hasEntries(path: TreePath): boolean {
    const names = this.#isGone(path) ? [] : this.options.tree.namesIn(path);
    if (names.some((name) => !this.#nodes.has(joinPath(path, name)))) return true;
    return [...this.#nodes].some(([known, node]) => node !== undefined && parentPath(known) === path);
  }

  #pathsBelow(path: TreePath): readonly TreePath[] {
    const onDisk = this.#isGone(path) ? [] : [...this.options.tree.scan(path)].map((stat) => stat.path);
    const kept = onDisk.filter((known) => !this.#isGone(known) && this.#isThere(known));
    const made = [...this.#nodes].filter(([known, node]) => node !== undefined && isBelow(known, path));
    return [...new Set([path, ...kept, ...made.map(([known]) => known)])];
  }

  #isThere(path: TreePath): boolean {
    return !this.#nodes.has(path) || this.#nodes.get(path) !== undefined;
  }

  #find(path: TreePath): Before | undefined {
    const isKnown = this.#nodes.has(path) || this.#isGone(path);
    const found = isKnown ? this.#nodes.get(path) : this.options.tree.find(path);
    if (found === undefined) return undefined;
    const { kind, mode, mtimeNs, sha256 } = found;
    return { kind, mode, mtimeNs, sha256 };
  }

  #kindOf(path: TreePath): Before['kind'] | undefined {
    if (this.#nodes.has(path)) return this.#nodes.get(path)?.kind;
    return this.#isGone(path) ? undefined : this.options.tree.statOf(path)?.kind;
  }

  /** True for what the disk holds still, but an edit discards. */
  #isGone(path: TreePath): boolean {
    return this.#discarded.some((directory) => path === directory || isBelow(path, directory));
  }
}

function isBelow(path: TreePath, directory: TreePath): boolean {
  return path.startsWith(`${directory}/`);
}

function requireExpected(path: TreePath, before: Before | undefined, expected: string | undefined): void {
  if (before?.sha256 === expected) return;
  throw changed(path, before === undefined ? 'nothing stands there' : 'another content stands there');
}

function hashOf({ kind, bytes }: TreeVersion): string {
  if (kind === 'directory') return DIRECTORY_SHA256;
  return isChunks(bytes) ? bytes.sha256 : createHash('sha256').update(bytes).digest('hex');
}
