import { baseName, parentPath } from '@deespec/domain';
import type { SbiId, TreePath, TreeStat } from '@deespec/domain';

import { isSbiMark, SBI_ROOT, sbiIdOfDirectory } from './paths.js';

/**
 * The entries that are derived together: an SBI's directory, a transaction's directory, or what stands beside them: single
 * entries, other directories of `specs/sbi`, and the directories of `var/txn`.
 */
export interface TreeUnit {
  readonly kind: 'sbi' | 'transaction' | 'entry';
  /** Path of the unit's directory or entry. */
  readonly path: TreePath;
  /** The unit's entries in scan order, the directory itself first. */
  readonly entries: readonly TreeStat[];
  /** Present when the directory's name holds a valid id. */
  readonly sbiId?: SbiId;
  /** The first directory with the same id, when this one is a later one. */
  readonly duplicateOf?: TreePath;
}

/**
 * Groups a scan into units, in scan order. Streams: holds one unit in memory.
 *
 * @param scan - in the order that `TreeReader.scan` promises
 */
export function* groupUnits(scan: Iterable<TreeStat>): Iterable<TreeUnit> {
  const firsts = new FirstDirectories();
  let pending: TreeStat[] = [];
  for (const stat of scan) {
    const root = pending[0];
    if (root !== undefined && stat.path.startsWith(`${root.path}/`)) {
      pending.push(stat);
      continue;
    }
    if (root !== undefined) yield unitOf(pending, firsts);
    pending = [];
    if (stat.kind === 'directory' && isUnitDirectory(stat.path)) pending = [stat];
    else yield { kind: 'entry', path: stat.path, entries: [stat] };
  }
  if (pending.length > 0) yield unitOf(pending, firsts);
}

/** Remembers the first directory of the last id only: directories of one id are adjacent in scan order. */
class FirstDirectories {
  private id: SbiId | undefined;
  private path: TreePath | undefined;

  /** The earlier directory of `id`, or `undefined` when `path` is the first. */
  note(id: SbiId, path: TreePath): TreePath | undefined {
    if (this.id === id) return this.path;
    this.id = id;
    this.path = path;
    return undefined;
  }
}

const transactionDirectory = /^journal\/\d{4}-\d\d-\d\d\/[^/]+$/u;

function isUnitDirectory(path: TreePath): boolean {
  const parent = parentPath(path);
  return parent === SBI_ROOT || parent === 'var/txn' || transactionDirectory.test(path);
}

function unitOf(entries: readonly TreeStat[], firsts: FirstDirectories): TreeUnit {
  const path = entries[0]!.path;
  if (transactionDirectory.test(path)) return { kind: 'transaction', path, entries };
  if (parentPath(path) !== SBI_ROOT) return { kind: 'entry', path, entries };
  const sbiId = sbiIdOfDirectory(baseName(path));
  if (sbiId !== undefined) {
    const duplicateOf = firsts.note(sbiId, path);
    return { kind: 'sbi', path, entries, sbiId, ...(duplicateOf === undefined ? {} : { duplicateOf }) };
  }
  const isLike = baseName(path).startsWith('SBI-') || entries.some((e) => isMarkOf(path, e.path));
  return { kind: isLike ? 'sbi' : 'entry', path, entries };
}

function isMarkOf(directory: TreePath, path: TreePath): boolean {
  return path.length > directory.length && parentPath(path) === directory && isSbiMark(path);
}
