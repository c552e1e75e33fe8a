import type { Activity } from './activity.js';
import type { AuditEntry, AuditFilter } from './audit.js';
import type { NewExecution, SbiFields } from './change.js';
import type { ConfigEntry } from './config.js';
import type { Execution, ExecutionFilter, ExecutionKey, FailureFilter } from './execution.js';
import type { StorageMode } from './mode.js';
import type { Sbi, SbiFilter, SbiId, SbiStatus } from './sbi.js';
import type { SnippetPart } from './search/snippet.js';
import type { TreePath } from './tree-path.js';
import type { TreeStat } from './tree-store.js';

/** An SBI as it was read. */
export interface StoredSbi extends Sbi {
  /** Opaque; another one for every version. A change names the version it was made on by it. */
  readonly revision: string;
}

/** A setting as it was read. */
export interface StoredConfig extends ConfigEntry {
  /** Opaque; another one for every value. */
  readonly revision: string;
}

/** What a new SBI is made of. */
export interface SbiInput {
  /** Default: a new one, from the present time. */
  readonly id?: SbiId;
  readonly title: string;
  /** The content of its `spec.md`; default empty. */
  readonly spec?: string | Uint8Array;
  readonly labels?: readonly string[];
  readonly priority?: number;
}

/** An SBI that was taken into work. */
export interface Claim {
  readonly sbi: StoredSbi;
  /** The run that began with it, counted from 1. */
  readonly run: number;
  /** UTC, fixed width. Whoever renews or releases names the lease by it. */
  readonly leaseExpiresAt: string;
}

/** A file below the directories of an SBI. */
export interface SbiFile {
  readonly sbiId: SbiId;
  readonly path: TreePath;
}

/** Which SBI to take into work, and for how long. */
export interface ClaimOptions {
  /** Length of the lease, milliseconds, 1,000 to 86,400,000. */
  readonly leaseMs: number;
  /** Only SBIs that carry this label. */
  readonly label?: string;
}

/** Reads that every store answers alike. */
export interface StorageReads {
  /** @throws StorageError `SBI.NOT_FOUND` */
  getSbi(id: SbiId): Promise<StoredSbi>;
  /** A page, in the order that the filter names. @throws StorageError `SBI.NOT_FOUND` for `after`, `USAGE.INVALID` for `limit` or `search` */
  listSbis(filter?: SbiFilter): Promise<StoredSbi[]>;
  /** Ordered by `sbiId`, `run`, `turn`, `step`. @throws StorageError `USAGE.INVALID` for `limit` */
  listExecutions(filter?: ExecutionFilter): Promise<Execution[]>;
  /** @throws StorageError `EXECUTION.NOT_FOUND` */
  getExecution(key: ExecutionKey): Promise<Execution>;
  /** The bytes of an execution's file, or `undefined` when it has none. @throws StorageError `EXECUTION.NOT_FOUND` */
  readContent(key: ExecutionKey): Promise<Buffer | undefined>;
  /** @throws StorageError `CONFIG.NOT_FOUND` */
  getConfig(key: string): Promise<StoredConfig>;
}

/**
 * Changes. Each is durable when it resolves, in the store that is the truth, and has one row in the audit log.
 *
 * Every method can throw `LAYOUT.CANNOT_EXPRESS` (the layout has no place for it), `LAYOUT.MALFORMED` (a file to be changed cannot
 * be interpreted), `LOCK.HELD` or `SQLITE.BUSY` (try again), `FILE.OUTCOME_UNKNOWN` (the disk failed: look before you
 * repeat). Nothing is changed by any of them but the last.
 */
export interface StorageWrites {
  /** @throws StorageError `SBI.EXISTS`, `SBI.INVALID_ID` */
  createSbi(input: SbiInput): Promise<StoredSbi>;
  /**
   * Changes fields of the version that was read.
   *
   * @throws StorageError `SBI.CHANGED` with `details.read` and `details.current` when it is another one by now; `SBI.NOT_FOUND`
   */
  updateSbi(read: StoredSbi, fields: SbiFields): Promise<StoredSbi>;
  /** Removes an SBI with everything below its directory. @throws StorageError as `updateSbi`; `LEASE.HELD` */
  deleteSbi(read: StoredSbi): Promise<void>;
  /** Appends what a step did. @throws StorageError `EXECUTION.EXISTS`, `SBI.NOT_FOUND` */
  appendExecution(execution: NewExecution): Promise<Execution>;
  /**
   * Sets one setting; the file keeps its other bytes.
   *
   * @param valueJson - JSON text
   * @param read - the version it replaces; absent: whatever there is
   * @throws StorageError `CONFIG.CHANGED` with `details.read` and `details.current`, `USAGE.INVALID`
   */
  setConfig(key: string, valueJson: string, read?: StoredConfig): Promise<StoredConfig>;
}

/**
 * The calls inside a transaction. Reads see one state of the tree with the transaction's own changes on top; changes are made
 * together when `work` returns, or not at all.
 */
export interface StorageTx extends StorageReads, StorageWrites {
  /** Takes an SBI into work; see `Storage.claimNext`. @throws StorageError `LEASE.HELD`, `SBI.NOT_FOUND` */
  claimSbi(id: SbiId, leaseMs: number): Promise<Claim>;
}

/** Everything a service does with a tree, whatever its mode. */
export interface Storage extends StorageReads, StorageWrites {
  /** The mode in force when it was last looked at. */
  readonly mode: StorageMode;
  /** Every SBI that the filter names, page by page; memory stays flat. `limit` is the size of a page. */
  streamSbis(filter?: SbiFilter): AsyncIterable<StoredSbi>;
  /** How many SBIs have each status. */
  countSbis(): Promise<ReadonlyMap<string, number>>;
  /** Ordered by key. */
  listConfig(): Promise<StoredConfig[]>;
  /** Oldest first, or as the filter says. */
  listAudit(filter?: AuditFilter): Promise<AuditEntry[]>;
  /** Executions that failed, newest end first. @throws StorageError `EXECUTION.NOT_FOUND` for `after`; `USAGE.INVALID` for `limit` */
  listFailures(filter: FailureFilter): Promise<Execution[]>;
  /** What ended at or after `since`: UTC, fixed width. Reads a row for each of them. */
  readActivity(since: string): Promise<Activity>;
  /**
   * The files and symlinks below the directories of an SBI, in scan order; `[]` when it has none, also for one that does not exist.
   * Only their names, sizes and times are looked at.
   */
  listFiles(id: SbiId): Promise<readonly TreeStat[]>;
  /**
   * Hands the content of one of them on, in chunks of at most 1 MiB. The tree is kept from maintenance meanwhile, not from writers.
   *
   * @param take - called for each chunk, one after the other
   * @throws StorageError `FILE.NOT_FOUND` when it is no file of that SBI; `FILE.UNSTABLE` when it changed on the way
   */
  readFile(file: SbiFile, take: (chunk: Buffer) => Promise<void>): Promise<void>;
  /**
   * Where a word of a search text stands in each of some SBIs, in their order: in `spec.md`, the text of an execution, or the title.
   * `undefined` where none was found in what is searched of it.
   *
   * @throws StorageError `USAGE.INVALID` for the text, see `SbiFilter.search`
   */
  listSnippets(
    ids: readonly SbiId[],
    search: string,
  ): Promise<readonly (readonly SnippetPart[] | undefined)[]>;
  /**
   * Takes the next SBI into work: one whose lease has ended, else the first that is READY, see `SbiFilter.order`. Each SBI goes
   * to one caller, whatever their number.
   *
   * @returns `undefined` when none can be taken: also when the Go tool's layout has another one in work
   */
  claimNext(options: ClaimOptions): Promise<Claim | undefined>;
  /** Moves the end of a lease to `leaseMs` from now. @throws StorageError `LEASE.NOT_HELD` when it is no longer this one */
  renewLease(claim: Claim, leaseMs: number): Promise<Claim>;
  /** Gives an SBI back with the status it has then. @throws StorageError `LEASE.NOT_HELD` */
  releaseSbi(claim: Claim, status: SbiStatus): Promise<StoredSbi>;
  /**
   * Runs `work` as a unit: its changes are made together after it returned, or none when it throws. What it read is compared
   * once more before that, so that nobody's change in between is lost. Nothing is locked while `work` runs.
   *
   * @param work - use only `tx` inside; it may run long, and other calls go on meanwhile
   * @throws StorageError `TRANSACTION.CHANGED` when something it read is another one by now: run it again; what `work` throws
   */
  transaction<T>(work: (tx: StorageTx) => Promise<T>): Promise<T>;
  /** Resolves when the other store holds everything; rejects with why it does not, when the last attempt failed. */
  settled(): Promise<void>;
  /** Finishes what is running and releases every handle. A second call does nothing. */
  close(): Promise<void>;
}
