import type { LoadContent } from './tree-loader.js';
import type { TreePath } from './tree-path.js';
import type { AuditRecord } from './audit.js';
import type { EntryKind, TreeEntry, TreeStat, TreeStore } from './tree-store.js';

// The ports of dual storage: what two stores must offer so that they can be kept in step.

/** What `lstat` says of an entry of the disk, with what tells two versions of a file apart. */
export interface DiskStat extends TreeStat {
  /** Time of the last change of content or metadata, nanoseconds since 1970 UTC. No program can set it back. */
  readonly ctimeNs: bigint;
  readonly ino: bigint;
}

/** What the files held at a path when both stores were last in step there. */
export interface Projection extends DiskStat {
  readonly sha256: string;
  /** When it was looked at, milliseconds since 1970 UTC: what changed within 2 s before it is hashed again. */
  readonly seenAtMs: number;
}

/** A path whose files are behind the database. */
export interface Debt {
  readonly path: TreePath;
  /** Revision of the change that made it; a newer change of the path has a higher one. */
  readonly rev: number;
  /** Since when it is owed: UTC, fixed width. */
  readonly since: string;
  /** How often paying it failed, and how the last time. */
  readonly tries: number;
  readonly lastError?: string;
}

/** What becomes of one path of the database, decided on what it held then. */
export interface Settlement {
  readonly path: TreePath;
  /** The entry of the database that the decision was made on; when it moved since, the path is left alone. */
  readonly expected: Pick<TreeEntry, 'kind' | 'mode' | 'sha256'> | undefined;
  /** `import` stores what the files hold, `date` its time alone, `remove` drops the entry, `none` leaves it. */
  readonly change:
    | { readonly op: 'import'; readonly stat: TreeStat; readonly content: LoadContent }
    | { readonly op: 'date'; readonly mtimeNs: bigint }
    | { readonly op: 'remove' }
    | { readonly op: 'none' };
  /** What the files hold now; `undefined`: nothing. */
  readonly projection: Projection | undefined;
  /** Revision of the debt that is paid by this; a debt of another revision stays. */
  readonly clears?: number;
}

/** The database of a dual store: the tree, and the account of what the files hold of it. */
export interface Ledger extends TreeStore {
  projected(path: TreePath): Projection | undefined;
  /** Paths that have a projection or an entry, with both, in scan order. Streams. */
  account(below?: TreePath): Iterable<AccountRow>;
  debtOf(path: TreePath): Debt | undefined;
  /** Debts in the order in which they were made; within one change in the order of its edits. */
  debts(limit: number): readonly Debt[];
  countDebts(): number;
  /**
   * Settles paths in one transaction, durable when it resolves.
   *
   * @returns the paths that were left alone because the database moved since they were decided
   */
  settle(settlements: readonly Settlement[], audit?: readonly AuditRecord[]): Promise<readonly TreePath[]>;
  /** Notes that paying a debt failed. */
  noteFailure(path: TreePath, message: string): Promise<void>;
  /** Records of the chain of changes after `seq`, in order. */
  auditSince(seq: number): Iterable<AuditRecord>;
}

/** One path as the database knows it. */
export interface AccountRow {
  readonly path: TreePath;
  readonly entry?: TreeEntry;
  readonly projection?: Projection;
}

/** What the files owe to the database after a change: recorded durably before the change. */
export interface FileDebt {
  readonly id: string;
  /** `unknown` when the record of it is damaged: only a look at everything pays it. */
  readonly paths: readonly TreePath[] | 'unknown';
  readonly audit: readonly AuditRecord[];
  /** Since when: UTC, fixed width. */
  readonly since: string;
}

/** A version that another one took the place of; its bytes are kept until somebody resolves it. */
export interface Conflict {
  readonly id: string;
  readonly path: TreePath;
  /** Which store held it. */
  readonly store: 'files' | 'sqlite';
  /** UTC, fixed width. */
  readonly at: string;
  readonly kind: EntryKind;
  readonly mode: number;
  readonly mtimeNs: bigint;
  readonly size: number;
  readonly sha256: string;
  /** Content that was kept in both stores; absent: nothing was. */
  readonly keptSha256?: string;
  /** Why, in words. */
  readonly reason: string;
}

/** The files of a dual store. */
export interface ProjectedFiles extends TreeStore {
  /** As `TreeReader.scan`, with what tells two versions of a file apart; below one path when it is given. */
  scan(below?: TreePath): Iterable<DiskStat>;
  /** What stands at a path, without reading it. */
  statOf(path: TreePath): DiskStat | undefined;
  /** Makes sure that the name of an entry, present or gone, is durable. */
  syncName(path: TreePath): void;
  /**
   * True when a put with `isProjection` left this content at `path`, at or after `sinceMs` (milliseconds since 1970 UTC). Known for
   * ten minutes at least, also when the process died right after it; perhaps not after a power cut.
   */
  hasProjected(path: TreePath, sha256: string, sinceMs: number): boolean;
  /** Ids of the changes whose debt is not cleared, oldest first. */
  fileDebts(): readonly string[];
  /** What one of them owes; `undefined` when it was cleared meanwhile. */
  fileDebt(id: string): FileDebt | undefined;
  /** Forgets a debt; called after its projection is durable. */
  clearFileDebt(id: string): void;
  /** Keeps a losing version durably. @returns its id */
  keepConflict(conflict: Omit<Conflict, 'id'>, content: Iterable<Buffer>): string;
  /** Oldest first. */
  listConflicts(): readonly Conflict[];
  /** @throws StorageError `CONFLICT.NOT_FOUND` */
  readConflict(id: string): Iterable<Buffer>;
  /** Moves a resolved conflict to the trash. @throws StorageError `CONFLICT.NOT_FOUND` */
  dropConflict(id: string): void;
  /** Records of the chain of changes after `seq` that stand outside the database, in order. */
  auditSince(seq: number): Iterable<AuditRecord>;
  /** Adds records that the database made to those outside it. Not synced: the database has them durably. */
  appendAudit(records: readonly AuditRecord[]): void;
  /** Keeps what is about to be removed from the database, in the trash, durably. */
  keepRemoved(path: TreePath, content: Iterable<Buffer>): void;
}
