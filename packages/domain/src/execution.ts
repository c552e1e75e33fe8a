import type { JsonObject } from './json.js';
import type { SbiId } from './sbi.js';
import type { TreePath } from './tree-path.js';

/** Decisions an execution can carry; `OK` and `FORCE_TERMINATED` come from older tools. */
export const decisions = [
  'PENDING',
  'NEEDS_CHANGES',
  'SUCCEEDED',
  'FAILED',
  'OK',
  'FORCE_TERMINATED',
] as const;
export type Decision = (typeof decisions)[number];

/** Steps whose artifacts are named `<step>_<turn>.md`. */
export const artifactSteps = ['plan', 'implement', 'test', 'review', 'done'] as const;

/** Names one execution: `UNIQUE(sbi_id, run, turn, step)`. Source: docs/adr/0005. */
export interface ExecutionKey {
  readonly sbiId: SbiId;
  /** Which pick of the SBI, counted from 1. */
  readonly run: number;
  /** Counted from 1 within a run. */
  readonly turn: number;
  readonly step: string;
}

/** One step of one turn of one run: a journal line joined with the artifact it names. */
export interface Execution extends ExecutionKey {
  readonly status: string;
  readonly decision: Decision;
  readonly attempt: number;
  /** UTC, fixed width, see `parseTime`; so are the next two. */
  readonly startedAt: string;
  readonly completedAt?: string;
  readonly leaseExpiresAt?: string;
  /** The artifact whose bytes are this execution's content; absent when there is none or a later run overwrote it. */
  readonly contentPath?: TreePath;
  /** `elapsedMs`, `error`, `derived` (column -> where its value came from), `line` of the journal, earlier duplicates. */
  readonly metadata: JsonObject;
}

/** Which executions to list. Absent fields do not restrict. */
export interface ExecutionFilter {
  readonly sbiId?: SbiId;
  readonly run?: number;
  /** Rows, 1 to 1,000; default 100. */
  readonly limit?: number;
  /** List those after this one, in the order of the list; it need not exist. */
  readonly after?: ExecutionKey;
}

/** Which failures to list. */
export interface FailureFilter {
  /** Those that ended, or where they have not, began, at or after this time: UTC, fixed width. */
  readonly since: string;
  /** Rows, 1 to 1,000; default 100. */
  readonly limit?: number;
  /** List those after this one, in the order of the list. */
  readonly after?: ExecutionKey;
}

/** Whether an execution failed: by its decision, or by an error that was recorded with it. */
export function hasFailed({
  decision,
  metadata: { error },
}: Pick<Execution, 'decision' | 'metadata'>): boolean {
  const isError = error !== undefined && error !== null && error !== '';
  return decision === 'FAILED' || decision === 'FORCE_TERMINATED' || isError;
}

/** When an execution ended; when it began, where it has not. */
export function endOf({ completedAt, startedAt }: Pick<Execution, 'completedAt' | 'startedAt'>): string {
  return completedAt ?? startedAt;
}

/** True when `text` is a known decision. */
export function isDecision(text: string): text is Decision {
  return (decisions as readonly string[]).includes(text);
}
