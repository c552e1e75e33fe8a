import { displayPath } from '@deespec/domain';
import type { Execution, ExecutionFilter, Index } from '@deespec/domain';
import { localTime } from './render.js';

/** Rows asked for at once, the most a page may have. */
const PAGE_ROWS = 1000;

/** Every execution the filter selects, page by page; those of one SBI fit in memory. */
export async function listAllExecutions(
  index: Index,
  filter: Pick<ExecutionFilter, 'sbiId' | 'run'>,
): Promise<readonly Execution[]> {
  const all: Execution[] = [];
  for (;;) {
    const last = all.at(-1);
    const page = await index.listExecutions({
      ...filter,
      limit: PAGE_ROWS,
      ...(last === undefined ? {} : { after: last }),
    });
    all.push(...page);
    if (page.length < PAGE_ROWS) return all;
  }
}

/** Executions as a table. */
export async function renderExecutions(executions: readonly Execution[]): Promise<string> {
  const { renderTable } = await import('./render-table.js');
  return renderTable<Execution>(
    [
      { title: 'RUN', value: ({ run }) => String(run) },
      { title: 'TURN', value: ({ turn }) => String(turn) },
      { title: 'STEP', value: ({ step }) => step, maxLength: 30 },
      { title: 'STATUS', value: ({ status }) => status, maxLength: 30 },
      { title: 'DECISION', value: ({ decision }) => decision },
      { title: 'ATTEMPT', value: ({ attempt }) => String(attempt) },
      {
        title: 'COMPLETED',
        value: ({ completedAt }) => (completedAt === undefined ? '' : localTime(completedAt)),
      },
      {
        title: 'CONTENT',
        value: ({ contentPath }) => (contentPath === undefined ? '' : displayPath(contentPath)),
      },
    ],
    executions,
  );
}

/** An execution in a JSON document: the path of its content as text, since JSON has no byte strings. */
export function toExecutionData(execution: Execution) {
  const { contentPath } = execution;
  return { ...execution, contentPath: contentPath === undefined ? null : displayPath(contentPath) };
}
