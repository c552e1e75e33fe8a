import {
  sbiComparer,
  StorageError,
  type Execution,
  type ExecutionFilter,
  type ExecutionKey,
  type SbiFilter,
  type StoredSbi,
} from '@deespec/domain';

/** Rows of a page: the given limit, 100 when absent. @throws StorageError `USAGE.INVALID` when not 1 to 1,000 */
export function pageSize(limit: number | undefined): number {
  const rows = limit ?? 100;
  if (Number.isInteger(rows) && rows >= 1 && rows <= 1_000) return rows;
  throw new StorageError('USAGE.INVALID', `limit is ${rows}`, {
    hint: 'a limit is a whole number from 1 to 1000',
  });
}

/** A page of one SBI's executions, which are in order. */
export function pageOf(executions: readonly Execution[], filter: ExecutionFilter): Execution[] {
  const { run, after } = filter;
  return executions
    .filter((execution) => run === undefined || execution.run === run)
    .filter((execution) => after === undefined || compareKeys(execution, after) > 0)
    .slice(0, pageSize(filter.limit));
}

function compareKeys(a: ExecutionKey, b: ExecutionKey): number {
  return compare(a.sbiId, b.sbiId) || a.run - b.run || a.turn - b.turn || compare(a.step, b.step);
}

/** A page of SBIs with others that a filter may or may not name put in their places. */
export function sbisWith(
  rows: readonly StoredSbi[],
  others: readonly StoredSbi[],
  filter: Omit<SbiFilter, 'after'> & { readonly after: StoredSbi | undefined },
): StoredSbi[] {
  const { status, label, after } = filter;
  const compareSbis = sbiComparer(filter);
  const matching = others
    .filter((sbi) => after === undefined || compareSbis(sbi, after) > 0)
    .filter((sbi) => status === undefined || sbi.status === status)
    .filter((sbi) => label === undefined || hasLabel(sbi, label));
  const all = [...rows, ...matching].sort(compareSbis);
  return all.slice(0, pageSize(filter.limit));
}

function hasLabel({ label }: StoredSbi, wanted: string): boolean {
  return label !== undefined && (label === wanted || `,${label},`.includes(`,${wanted},`));
}

/** Order of the UTF-8 bytes, as SQLite has it. */
function compare(a: string, b: string): number {
  return a === b ? 0 : Buffer.compare(Buffer.from(a), Buffer.from(b));
}
