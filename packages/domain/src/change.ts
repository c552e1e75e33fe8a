import type { Decision, ExecutionKey } from './execution.js';
import type { SbiId, SbiStatus } from './sbi.js';

/** A new backlog item. */
export interface NewSbi {
  readonly id: SbiId;
  readonly title: string;
  /** The bytes of its `spec.md`. */
  readonly spec: Uint8Array;
  readonly labels?: readonly string[];
  readonly priority?: number;
}

/** What of an SBI is to change; an absent field stays as it is. */
export interface SbiFields {
  readonly title?: string;
  /** Comma-separated labels. */
  readonly label?: string;
  readonly priority?: number;
  readonly status?: SbiStatus;
  /** Decision of the step in work. */
  readonly decision?: Decision;
  /** Attempt of the step in work, from 1. */
  readonly attempt?: number;
}

/** One step of one turn that ended now. */
export interface NewExecution extends ExecutionKey {
  /** The status of the SBI after it. */
  readonly status: SbiStatus;
  readonly decision: Decision;
  /** From 1; default 1. */
  readonly attempt?: number;
  /** How long it took, in milliseconds. */
  readonly elapsedMs?: number;
  readonly error?: string;
  /** The bytes of `<step>_<turn>.md`; absent: it has none. */
  readonly content?: Uint8Array;
}

/** A change of one SBI or one setting, as services ask for it. Each becomes edits of paths. */
export type Change =
  | { readonly kind: 'create-sbi'; readonly sbi: NewSbi }
  | { readonly kind: 'update-sbi'; readonly id: SbiId; readonly fields: SbiFields }
  | { readonly kind: 'append-execution'; readonly execution: NewExecution }
  /** Takes an SBI into work: a new run begins. `leaseExpiresAt` is UTC, see `parseTime`. */
  | { readonly kind: 'claim-sbi'; readonly id: SbiId; readonly leaseExpiresAt: string }
  | { readonly kind: 'renew-lease'; readonly id: SbiId; readonly leaseExpiresAt: string }
  /** Gives an SBI back with the status it has then. */
  | { readonly kind: 'release-sbi'; readonly id: SbiId; readonly status: SbiStatus }
  | { readonly kind: 'delete-sbi'; readonly id: SbiId }
  /** `key` as `ConfigEntry` has it; `valueJson` is JSON text, stored as it is spelled where the file is JSON. */
  | { readonly kind: 'set-config'; readonly key: string; readonly valueJson: string };
