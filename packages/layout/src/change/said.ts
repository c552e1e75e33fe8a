import { MOST_EVENTS } from '@deespec/domain';
import type {
  Change,
  DerivedUnit,
  Execution,
  ExecutionKey,
  NewExecution,
  Sbi,
  SbiFields,
} from '@deespec/domain';

import { cannotExpress } from '../edit.js';
import type { Draft } from './draft.js';
import type { Planning } from './sbi-place.js';

/**
 * Requires that the edited bytes say what was asked for, and still all that they said before.
 *
 * @throws StorageError `LAYOUT.CANNOT_EXPRESS` that names the first field that would be lost
 */
export function requireSaid(
  change: Exclude<Change, { kind: 'set-config' | 'delete-sbi' }>,
  { before, draft }: Planning,
  after: DerivedUnit,
): void {
  for (const [path, reason] of after.quarantined) {
    if (before?.quarantined.has(path) !== true) throw cannotExpress([path], reason);
  }
  requireSbi(askedOf(change), before?.sbi, after.sbi);
  const executions = new Map(after.executions.map((execution) => [keyOf(execution), execution]));
  const first = firstLine(before, draft);
  const isCut = after.findings.some(({ rule }) => rule === 'sbi-many-steps');
  for (const execution of before?.executions ?? []) {
    const found = executions.get(keyOf(execution));
    const { line } = execution.metadata;
    const isPast = typeof line === 'number' ? line < first : isCut && found === undefined;
    if (!isPast) requireKept(execution, found, draft);
  }
  if (change.kind !== 'append-execution') return;
  requireAppended(change.execution, executions.get(keyOf(change.execution)));
}

/** The first line of the journal that still counts: each line more moves one out of those that do. */
function firstLine(before: DerivedUnit | undefined, { journal }: Draft): number {
  const id = before?.sbi?.id;
  if (id === undefined || journal.countOf(id) <= MOST_EVENTS) return 0;
  return journal.eventsOf(id)[0]!.line;
}

function keyOf({ run, turn, step }: Pick<ExecutionKey, 'run' | 'turn' | 'step'>): string {
  return `${run}/${turn}/${step}`;
}

/** What of an SBI a change sets. */
type Asked = Pick<SbiFields, 'title' | 'label' | 'priority' | 'status'>;

function askedOf(change: Parameters<typeof requireSaid>[0]): Asked {
  switch (change.kind) {
    case 'create-sbi': {
      const { title, labels = [], priority = 0 } = change.sbi;
      return { title, label: labels.join(','), priority, status: 'READY' };
    }
    case 'update-sbi':
      return change.fields;
    case 'append-execution':
      return { status: change.execution.status };
    case 'claim-sbi':
      return { status: 'WIP' };
    case 'release-sbi':
      return { status: change.status };
    case 'renew-lease':
      return {};
  }
}

function requireSbi(asked: Asked, before: Sbi | undefined, after: Sbi | undefined): void {
  if (after === undefined) throw cannotExpress(['id'], 'the directory would hold no SBI');
  const { title, label, priority, status } = asked;
  if (title !== undefined) requireSame('title', title, after.metadata['title']);
  requireSame('label', label === undefined ? before?.label : label || undefined, after.label);
  requireSame('priority', priority ?? before?.priority, after.priority);
  requireSame('status', status ?? before?.status, after.status);
  if (status !== undefined) requireSame('completed_at', status === 'DONE', after.completedAt !== undefined);
  else requireSame('completed_at', before?.completedAt, after.completedAt);
  if (before === undefined) return;
  requireSame('task_id', before.taskId, after.taskId);
  requireSame('created_at', before.createdAt, after.createdAt);
}

/** An execution of before is still there, with what it said and the bytes it had. */
function requireKept(execution: Execution, found: Execution | undefined, draft: Draft): void {
  for (const field of ['status', 'decision', 'attempt', 'startedAt', 'completedAt'] as const) {
    requireSame(field, execution[field], found?.[field]);
  }
  const { contentPath } = execution;
  if (contentPath === undefined) return;
  const isMoved = found?.contentPath !== contentPath;
  if (!isMoved && !draft.isPut(contentPath)) return;
  const kept = found?.contentPath === undefined ? undefined : draft.find(found.contentPath);
  requireSame('content', draft.hashBefore(contentPath), kept?.sha256);
}

function requireAppended(asked: NewExecution, found: Execution | undefined): void {
  requireSame('status', asked.status, found?.status);
  requireSame('decision', asked.decision, found?.decision);
  requireSame('attempt', asked.attempt ?? 1, found?.attempt);
  requireSame('error', asked.error || undefined, found?.metadata['error']);
  requireSame('content', asked.content !== undefined, found?.contentPath !== undefined);
}

function requireSame(field: string, expected: unknown, actual: unknown): void {
  if (expected === actual) return;
  throw cannotExpress(
    [field],
    `it would read ${JSON.stringify(actual)} instead of ${JSON.stringify(expected)}`,
  );
}
