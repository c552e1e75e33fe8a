import type { TreePath } from './tree-path.js';

/** One row of the audit log. */
export interface AuditEntry {
  /** UTC, fixed width, see `parseTime`. */
  readonly timestamp: string;
  readonly entityType: string;
  readonly entityId: string;
  readonly action: string;
  /** JSON text. */
  readonly oldValue?: string;
  readonly newValue?: string;
  readonly user?: string;
  readonly sessionId?: string;
  /** The path this row was derived from: a transaction directory of the tree's journal. */
  readonly source?: TreePath;
}

/** Which audit rows to list, oldest first. */
export interface AuditFilter {
  readonly entityId?: string;
  /** Rows, 1 to 1,000; default 100. */
  readonly limit?: number;
}
