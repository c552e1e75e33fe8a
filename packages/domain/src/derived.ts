import type { AuditEntry } from './audit.js';
import type { ConfigEntry } from './config.js';
import type { Execution } from './execution.js';
import type { Finding } from './finding.js';
import type { Sbi } from './sbi.js';
import type { TreePath } from './tree-path.js';
import type { TreeStat } from './tree-store.js';

/**
 * What one unit of the tree means: an SBI's directory, a journal transaction's directory, or a single entry beside them.
 * Its rows depend on nothing but the unit's bytes, the journal and the tree's state file.
 */
export interface DerivedUnit {
  readonly kind: 'sbi' | 'transaction' | 'entry';
  /** Path of the unit's directory or entry. */
  readonly path: TreePath;
  /** Every entry of the unit in scan order, the directory itself first. */
  readonly entries: readonly TreeStat[];
  readonly sbi?: Sbi;
  readonly executions: readonly Execution[];
  readonly config: readonly ConfigEntry[];
  readonly audit?: AuditEntry;
  /** Entries that are kept but not interpreted, with the reason. */
  readonly quarantined: ReadonlyMap<TreePath, string>;
  readonly findings: readonly Finding[];
}
