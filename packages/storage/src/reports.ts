import type { Finding, QuarantinedEntry, QuarantineFilter, StorageMode, TreePath } from '@deespec/domain';
import type { TableCounts } from '@deespec/sqlite-adapter';

/** Files (of any kind: files, directories, symlinks) and the bytes of their contents. */
export interface Tally {
  readonly entries: number;
  readonly bytes: number;
}

/** `scanned = stored + ignored`, in entries and in bytes. */
export interface ByteEquation {
  readonly scanned: Tally;
  readonly stored: Tally;
  readonly ignored: Tally;
  readonly holds: boolean;
}

/** Progress of a long command. */
export interface Progress {
  readonly phase: 'scan' | 'load' | 'compare' | 'verify' | 'write' | 'publish';
  readonly doneBytes: number;
  /** Absent while the total is not known yet. */
  readonly totalBytes?: number;
  readonly doneEntries: number;
}

/** What every long use case takes. */
export interface RunOptions {
  /** Path of the `.deespec` directory. */
  readonly home: string;
  readonly onProgress?: (progress: Progress) => void;
  /** Ends the run cleanly between two batches with `INTERRUPTED`; nothing is published then. */
  readonly signal?: AbortSignal;
}

export interface MigrateOptions extends RunOptions {
  readonly dryRun?: boolean;
  /** Keep entries that break a rule as quarantined instead of refusing. */
  readonly quarantine?: boolean;
  /** Units per transaction, 1 to 100,000; default 100. */
  readonly batchSize?: number;
}

/** Rows in the database after the run. */
export type RowCounts = TableCounts;

export interface MigrateReport {
  readonly runId: string;
  /** `created`: first publication; `updated`: differences written; `unchanged`: nothing to write. */
  readonly outcome: 'created' | 'updated' | 'unchanged';
  readonly dryRun: boolean;
  readonly home: string;
  readonly database: string;
  readonly digest: string;
  readonly equation: ByteEquation;
  /** What this run wrote. */
  readonly written: {
    readonly entries: number;
    readonly bytes: number;
    readonly rows: number;
    readonly removed: number;
  };
  readonly rows: RowCounts;
  /** Foreign files that the law ignores, for display. */
  readonly ignored: readonly string[];
  /** The tree's directory and its parent, as far as everybody may write there. */
  readonly unsafeDirectories: readonly string[];
  readonly findings: readonly Finding[];
  /** Entries kept but not interpreted. */
  readonly quarantined: number;
  /** Compare rounds that were needed, 1 to 3. */
  readonly rounds: number;
  readonly databaseBytes: number;
  readonly durationMs: number;
}

/** What `listQuarantine` takes. */
export interface QuarantineListOptions extends QuarantineFilter {
  /** Path of the `.deespec` directory. */
  readonly home: string;
}

/** A rule that an entry in quarantine breaks. */
export interface QuarantineRule {
  readonly rule: string;
  readonly why: string;
  /** What the user does about it. */
  readonly fix: string;
}

/** One entry in quarantine, open for reading. */
export interface OpenQuarantined {
  readonly entry: QuarantinedEntry;
  /** Its stored bytes in chunks of at most 1 MiB; none for a directory. */
  readonly read: () => Iterable<Buffer>;
  /** The rules it breaks; `[]` when another version of this program wrote the reason. Reads a journal to its end. */
  listRules(): Promise<readonly QuarantineRule[]>;
  close(): void;
}

export interface RetryOptions extends RunOptions {
  readonly dryRun?: boolean;
  /** The entries asked about; absent or empty: all. */
  readonly paths?: readonly TreePath[];
}

/** What became of one entry. */
export interface RetriedEntry {
  /** For display. */
  readonly path: string;
  /** `gone`: the tree no longer has it. */
  readonly outcome: 'released' | 'still-quarantined' | 'newly-quarantined' | 'gone';
  /** Why it is in quarantine now; absent when it is not. */
  readonly reason?: string;
}

/** Entries of the whole tree by outcome. */
export type RetryCounts = Readonly<Record<RetriedEntry['outcome'], number>>;

export interface RetryReport {
  readonly migration: MigrateReport;
  /** By path: every named one and at most 1,000 others; with named paths, others only when newly quarantined. */
  readonly entries: readonly RetriedEntry[];
  readonly counts: RetryCounts;
  /** Entries asked about that are in quarantine after the run; without named paths, all that are. */
  readonly left: number;
}

/** One difference between tree and database, or one thing wrong with the database. */
export interface Difference {
  /** `missing-in-database`, `missing-in-tree`, `content`, `kind`, `mode`, `stored-content`, `index`, `schema`, ... */
  readonly what: string;
  /** Path for display, table or object. */
  readonly where: string;
  readonly expected: string;
  readonly actual: string;
}

export interface VerifyOptions extends RunOptions {
  /** Re-read and hash every byte on both sides, check the whole database and re-derive the index. */
  readonly checkAll?: boolean;
}

export interface VerifyReport {
  readonly home: string;
  readonly database: string;
  readonly checkAll: boolean;
  readonly ok: boolean;
  /** Digest of the tree on disk and of the tree in the database; absent without `checkAll`. */
  readonly treeDigest?: string;
  readonly databaseDigest?: string;
  readonly equation: ByteEquation;
  /** At most 1,000; `differenceCount` has the number. */
  readonly differences: readonly Difference[];
  readonly differenceCount: number;
  /** Entries that services changed while they were compared, and that were equal when both sides were looked at together. */
  readonly changedMeanwhile: number;
  /** Entries whose modification time differs; reported, no difference. */
  readonly timeDifferences: number;
  readonly quarantined: number;
  /** `recorded`, or `not recorded: <why>` when the database cannot be written. */
  readonly evidence: string;
  readonly durationMs: number;
}

export interface ExportOptions extends RunOptions {
  /** Directory to create; must be absent or empty, outside the tree. */
  readonly output: string;
}

export interface ExportReport {
  readonly output: string;
  readonly digest: string;
  readonly written: Tally;
  readonly durationMs: number;
}

export interface DigestReport {
  readonly directory: string;
  readonly digest: string;
  readonly files: number;
  readonly directories: number;
  readonly symlinks: number;
  readonly bytes: number;
  /** Foreign files that the law ignores, for display. */
  readonly ignored: readonly string[];
}

export interface StatusReport {
  readonly home: string;
  readonly mode: StorageMode;
  readonly modeMeaning: string;
  /** Why `setting.json` cannot be read, when it cannot; the mode is then the one in force. */
  readonly setting?: { readonly code: string; readonly message: string };
  /** What `setting.json` asks for, when the mode in force is another one. */
  readonly requested?: StorageMode;
  /** What holds the truth in this mode. */
  readonly truth: 'files' | 'sqlite';
  /** What the second store is behind on; absent where there is none. */
  readonly debt?: {
    /** Paths that the files lack, and changes that the database lacks. */
    readonly count: number;
    /** Since when the oldest is owed: UTC, fixed width. */
    readonly since?: string;
    /** Why paying one of them failed last. */
    readonly lastError?: string;
  };
  /** Versions that are kept until somebody resolves them: "deespec conflict list". */
  readonly conflicts: number;
  readonly database:
    | { readonly state: 'absent' }
    | { readonly state: 'refused'; readonly code: string; readonly message: string; readonly hint?: string }
    | {
        readonly state: 'ours';
        readonly path: string;
        readonly schemaVersion: number;
        readonly storeId: string;
        readonly epoch: number;
        readonly bytes: number;
        readonly rows: RowCounts;
      };
  /** The last verification on record. */
  readonly evidence?: {
    readonly at: string;
    /** Absent when not every byte was read. */
    readonly digest?: string;
    readonly entries: number;
    readonly bytes: number;
    readonly differences: number;
  };
  /** The last scan of the files: counts and when; with `--scan` it is now. */
  readonly lastScan?: { readonly at: string; readonly entries: number; readonly bytes: number };
  readonly lock: { readonly held: boolean; readonly holder?: LockHolder };
  /** Since when changes are refused, and by which command; absent while they are not. */
  readonly stopped?: { readonly since: string; readonly command: string };
  /** The background service; absent when none runs. */
  readonly service?: {
    readonly pid: number;
    readonly since: string;
    /** What it says of itself; absent when it does not answer at once. */
    readonly state?: 'watching' | 'waiting' | 'failing';
    /** What went wrong last. */
    readonly problem?: { readonly at: string; readonly code: string; readonly message: string };
  };
  /** Processes that have the tree open for long, the service among them. */
  readonly processes: readonly (LockHolder & { readonly role: 'service' | 'watch' | 'api' })[];
  readonly goTool: {
    readonly stateLock: boolean;
    readonly runLock: boolean;
    readonly leaseUntil?: string;
    readonly wip?: string;
  };
  /** The newest backup; absent when there is none. */
  readonly lastBackup?: {
    readonly id: string;
    /** UTC, fixed width. */
    readonly createdAt: string;
    /** True when all of it was read and was as it should be. */
    readonly verified: boolean;
  };
  /** Runs that were not finished; the next command removes them. */
  readonly unfinishedRuns: readonly string[];
  /** A cut-over or rollback that is at work, or was cut off. */
  readonly run?: {
    readonly kind: 'cutover' | 'rollback';
    readonly id: string;
    /** ISO 8601, UTC. */
    readonly startedAt: string;
    /** Steps that are done. */
    readonly done: readonly string[];
    /** The step that was begun last. */
    readonly begun?: string;
  };
  /** What the last rehearsal of a cut-over proved. */
  readonly rehearsal?: { readonly at: string; readonly ok: boolean; readonly writes: number };
  /** What to do next, in words with a command. */
  readonly nextStep: string;
}

/** Who holds the barrier. */
export interface LockHolder {
  readonly pid: number;
  readonly host: string;
  readonly command: string;
  /** UTC, fixed width. */
  readonly since: string;
}
