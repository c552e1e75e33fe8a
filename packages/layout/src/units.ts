import type { SbiId, TreePath, TreeStat } from '@deespec/domain';

/** The entries that are derived together: an SBI's directory, a journal transaction's directory, or one other entry. */
export interface TreeUnit {
  readonly kind: 'sbi' | 'transaction' | 'entry';
  /** Path of the unit's directory or entry. */
  readonly path: TreePath;
  /** The unit's entries in scan order, the directory itself first. */
  readonly entries: readonly TreeStat[];
  /** Present when the directory's name holds a valid id. */
  readonly sbiId?: SbiId;
  /** The directory before this one that has the same id. */
  readonly duplicateOf?: TreePath;
}

/** Groups a scan into units, in scan order. Holds one unit in memory. */
export function groupUnits(_scan: Iterable<TreeStat>): Iterable<TreeUnit> {
  throw new Error('not built');
}
