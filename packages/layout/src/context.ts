import type { Checks, Finding, JournalSpool, SbiId, TreePath, TreeReader } from '@deespec/domain';

/** What `var/state.json` says, typed; absent when it does not say it. */
export interface GoState {
  readonly wip?: SbiId;
  readonly status?: string;
  readonly current?: string;
  readonly turn?: number;
  readonly attempt?: number;
  readonly decision?: string;
  /** UTC, fixed width. */
  readonly leaseExpiresAt?: string;
}

/** What every unit may depend on beside its own bytes. */
export interface TreeContext {
  readonly checks: Checks;
  /** The journal's events, by SBI. */
  readonly spool: JournalSpool;
  readonly goState?: GoState;
  /** Top-level keys of a readable `workflow.json`. */
  readonly workflowKeys: ReadonlySet<string>;
  /** Entries read for the context that are not interpreted (wholly), with the reason. */
  readonly quarantined: ReadonlyMap<TreePath, string>;
  /** Findings on those entries, by path; they are reported with their unit. */
  readonly findings: ReadonlyMap<TreePath, readonly Finding[]>;
}

/** What {@link readContext} needs. */
export interface ContextOptions {
  readonly checks: Checks;
  readonly spool: JournalSpool;
}

/** Reads the journal into `spool`, `var/state.json` and the keys of `workflow.json`. A missing file is fine. */
export function readContext(_reader: TreeReader, _options: ContextOptions): TreeContext {
  throw new Error('not built');
}
