import { useQuery } from '@tanstack/react-query';
import { answer, api } from './client.js';
import type { Execution, Sbi } from './sbis.js';

/** A step that failed, with the item that it belongs to. */
export interface FailedStep {
  readonly sbi: Sbi;
  readonly execution: Execution;
}

/** What failed, and how many items were looked at to find it. */
export interface RecentFailures {
  /** Newest first. */
  readonly steps: readonly FailedStep[];
  readonly lookedAt: number;
}

/** Items that are looked at: those that changed last. */
const mostItems = 40;
/** Requests at once; more would only wait for each other. */
const atOnce = 4;

function hasFailedSince(execution: Execution, sinceMs: number): boolean {
  const isBad =
    execution.decision === 'FAILED' ||
    execution.decision === 'FORCE_TERMINATED' ||
    (execution.error ?? '') !== '';
  return isBad && Date.parse(execution.completedAt ?? execution.startedAt) >= sinceMs;
}

async function failuresOf(sbi: Sbi, sinceMs: number): Promise<FailedStep[]> {
  const failed: FailedStep[] = [];
  let cursor: string | undefined;
  do {
    const query = { limit: 200, ...(cursor === undefined ? {} : { cursor }) };
    const page = await answer(
      api.GET('/api/sbis/{id}/executions', { params: { path: { id: sbi.id }, query } }),
    );
    for (const execution of page.items) {
      if (hasFailedSince(execution, sinceMs)) failed.push({ sbi, execution });
    }
    cursor = page.nextCursor;
  } while (cursor !== undefined);
  return failed;
}

/** Items that can have failed since: changed since, or in work at this moment. */
async function candidates(sinceMs: number, wip: string | undefined): Promise<Sbi[]> {
  const query = { sort: 'updated', order: 'desc', limit: mostItems } as const;
  const page = await answer(api.GET('/api/sbis', { params: { query } }));
  const changed = page.items.filter((sbi) => Date.parse(sbi.updatedAt) >= sinceMs);
  if (wip === undefined || changed.some((sbi) => sbi.id === wip)) return changed;
  const inWork = await answer(api.GET('/api/sbis/{id}', { params: { path: { id: wip } } })).catch(
    () => undefined,
  );
  return inWork === undefined ? changed : [inWork, ...changed];
}

async function readFailures(sinceMs: number, wip: string | undefined): Promise<RecentFailures> {
  const items = await candidates(sinceMs, wip);
  const steps: FailedStep[] = [];
  for (let at = 0; at < items.length; at += atOnce) {
    const found = await Promise.all(items.slice(at, at + atOnce).map((sbi) => failuresOf(sbi, sinceMs)));
    steps.push(...found.flat());
  }
  const endOf = ({ execution }: FailedStep) => execution.completedAt ?? execution.startedAt;
  return { steps: steps.sort((a, b) => endOf(b).localeCompare(endOf(a))), lookedAt: items.length };
}

/**
 * Steps that failed since a moment, of the items that changed last and of the one in work.
 *
 * @param wip - the item that the workflow tool has in work
 */
export function useRecentFailures(sinceMs: number, wip: string | undefined) {
  return useQuery({
    queryKey: ['sbis', 'failures', sinceMs, wip],
    queryFn: () => readFailures(sinceMs, wip),
    staleTime: 30_000,
  });
}
