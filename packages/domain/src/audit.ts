import type { TreePath } from './tree-path.js';

/** What a change through the API says of itself. */
export interface AuditNote {
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
  /** Names the request of the caller that the change belongs to. */
  readonly requestId?: string;
  /** SHA-256 (hex) of the first file that was replaced and of what replaced it. */
  readonly oldHash?: string;
  readonly newHash?: string;
}

/** A link of the chain of changes: each hashes itself and the one before it. */
export interface AuditRecord extends AuditNote {
  /** Counted from 1, without gaps. */
  readonly seq: number;
  /** `hash` of the record before it; 64 zeros for the first. */
  readonly previous: string;
  /** SHA-256 (hex), see `chainAudit` of `@deespec/layout`. */
  readonly hash: string;
}

/** One row of the audit log: a change through the API, or a transaction of the tree's journal. */
export interface AuditEntry extends AuditNote, Partial<Pick<AuditRecord, 'seq' | 'previous' | 'hash'>> {
  /** The path this row was derived from: a transaction directory of the tree's journal. */
  readonly source?: TreePath;
}

/** Which audit rows to list. */
export interface AuditFilter {
  /** Which come first; default `oldest`. */
  readonly first?: 'oldest' | 'newest';
  readonly entityId?: string;
  /** Rows at or after this time: UTC, fixed width. */
  readonly since?: string;
  /** Skip this many rows of the list; default 0. */
  readonly offset?: number;
  /** Rows, 1 to 1,000; default 100. */
  readonly limit?: number;
}
