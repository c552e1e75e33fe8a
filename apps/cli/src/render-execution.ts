import type { Execution } from '@deespec/domain';
import { toExecutionData } from './execution-list.js';
import { localTime, renderFields } from './render.js';

/** One execution for people. */
export function renderExecution(execution: Execution): string {
  const { completedAt, leaseExpiresAt } = execution;
  return renderFields([
    ['SBI', execution.sbiId],
    ['run', String(execution.run)],
    ['turn', String(execution.turn)],
    ['step', execution.step],
    ['status', execution.status],
    ['decision', execution.decision],
    ['attempt', String(execution.attempt)],
    ['started', localTime(execution.startedAt)],
    ['completed', completedAt === undefined ? '' : localTime(completedAt)],
    ['lease until', leaseExpiresAt === undefined ? '' : localTime(leaseExpiresAt)],
    ['content', toExecutionData(execution).contentPath ?? 'none'],
    ...Object.entries(execution.metadata).map(
      ([key, value]) => [`metadata ${key}`, JSON.stringify(value)] as const,
    ),
  ]);
}
