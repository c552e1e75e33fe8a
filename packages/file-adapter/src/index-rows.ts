import {
  ActivityCount,
  endOf,
  hasFailed,
  joinPath,
  sbiComparer,
  searchedFiles,
  StorageError,
  type Activity,
  type AuditEntry,
  type AuditFilter,
  type ConfigEntry,
  type DerivedUnit,
  type Execution,
  type ExecutionFilter,
  type ExecutionKey,
  type FailureFilter,
  type IndexFilter,
  type Sbi,
  type SbiId,
  type TreePath,
} from '@deespec/domain';

import { FirstOf } from './first-of.js';

/** What a unit gives the index. All of it is JSON. */
export interface UnitRows extends Pick<DerivedUnit, 'path' | 'sbi' | 'executions' | 'config' | 'audit'> {
  /** The files that are searched. */
  readonly searched: readonly TreePath[];
  /** Whether it has a `state.json` of its own. */
  readonly hasState: boolean;
}

/** The rows of an SBI. */
export type SbiRows = UnitRows & { readonly sbi: Sbi };

export function unitRows(unit: DerivedUnit): UnitRows {
  const { path, entries, executions, config, sbi, audit } = unit;
  const state = joinPath(path, 'state.json');
  return {
    path,
    executions,
    config,
    searched: searchedFiles(unit).map((file) => file.path),
    hasState: entries.some((entry) => entry.kind === 'file' && entry.path === state),
    ...(sbi === undefined ? {} : { sbi }),
    ...(audit === undefined ? {} : { audit }),
  };
}

/** A page as `Index.listSbis` says, without a search. @param after - the SBI that `filter.after` names */
export function pageOfSbis(units: Iterable<UnitRows>, filter: IndexFilter, after: Sbi | undefined): Sbi[] {
  const page = new FirstOf<Sbi>(sbiComparer(filter), pageSize(filter.limit));
  for (const { sbi } of sbisOf(units, filter, after)) page.offer(sbi);
  return [...page.inOrder];
}

/** The SBIs of all pages of a filter, whatever it searches for, in no order. */
export function* sbisOf(
  units: Iterable<UnitRows>,
  filter: IndexFilter,
  after: Sbi | undefined,
): Generator<SbiRows> {
  const compare = sbiComparer(filter);
  const { status, label, hasState } = filter;
  for (const rows of units) {
    const { sbi } = rows;
    if (sbi === undefined || (after !== undefined && compare(sbi, after) <= 0)) continue;
    if (status !== undefined && sbi.status !== status) continue;
    if (hasState !== undefined && !rows.hasState) continue;
    if (label === undefined || hasLabel(sbi, label)) yield rows as SbiRows;
  }
}

/** A page as `Index.listExecutions` says. */
export function pageOfExecutions(units: Iterable<UnitRows>, filter: ExecutionFilter): Execution[] {
  const page = new FirstOf<Execution>(compareKeys, pageSize(filter.limit));
  const { sbiId, run, after } = filter;
  for (const execution of executionsOf(units)) {
    if (sbiId !== undefined && execution.sbiId !== sbiId) continue;
    if (run !== undefined && execution.run !== run) continue;
    if (after === undefined || compareKeys(execution, after) > 0) page.offer(execution);
  }
  return [...page.inOrder];
}

/** A page as `Index.listFailures` says. @param after - the execution that `filter.after` names */
export function pageOfFailures(
  units: Iterable<UnitRows>,
  { since, limit }: FailureFilter,
  after: Execution | undefined,
): Execution[] {
  const page = new FirstOf<Execution>((a, b) => compareEnds(b, a), pageSize(limit));
  for (const execution of executionsOf(units)) {
    if (!hasFailed(execution) || endOf(execution) < since) continue;
    if (after === undefined || compareEnds(execution, after) < 0) page.offer(execution);
  }
  return [...page.inOrder];
}

/** A page as `Index.listAudit` says, of rows in any order. */
export function pageOfAudit(entries: Iterable<AuditEntry>, filter: AuditFilter): AuditEntry[] {
  const limit = pageSize(filter.limit);
  const { since, entityId, offset = 0 } = filter;
  if (!Number.isSafeInteger(offset) || offset < 0)
    throw usage(`offset is ${offset}`, 'an offset is a whole number from 0');
  const isNewest = filter.first === 'newest';
  const page = new FirstOf<AuditEntry>(
    isNewest ? (a, b) => compareAudit(b, a) : compareAudit,
    offset + limit,
  );
  for (const entry of entries) {
    if (entityId !== undefined && entry.entityId !== entityId) continue;
    if (since === undefined || entry.timestamp >= since) page.offer(entry);
  }
  return page.inOrder.slice(offset);
}

/** As `Index.readActivity` says. */
export function activityOf(units: Iterable<UnitRows>, since: string): Activity {
  const count = new ActivityCount();
  for (const { sbi, executions } of units) {
    if (sbi?.completedAt !== undefined && sbi.completedAt >= since) count.takeSbi(sbi.completedAt);
    for (const { step, startedAt, completedAt } of executions) {
      if (completedAt !== undefined && completedAt >= since)
        count.takeExecution({ step, startedAt, completedAt });
    }
  }
  return count.activity();
}

export function countByStatus(units: Iterable<UnitRows>): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { sbi } of units)
    if (sbi !== undefined) counts.set(sbi.status, (counts.get(sbi.status) ?? 0) + 1);
  return counts;
}

/** Ordered by key. */
export function configOf(units: Iterable<UnitRows>): ConfigEntry[] {
  const entries: ConfigEntry[] = [];
  for (const { config } of units) entries.push(...config);
  return entries.sort((a, b) => compareBytes(a.key, b.key));
}

/** The audit rows that the tree itself has. */
export function* auditOf(units: Iterable<UnitRows>): Generator<AuditEntry> {
  for (const { audit } of units) if (audit !== undefined) yield audit;
}

/** @throws StorageError `SBI.NOT_FOUND` */
export function getSbiIn(units: Iterable<UnitRows>, id: SbiId): Sbi {
  for (const { sbi } of units) if (sbi?.id === id) return sbi;
  throw new StorageError('SBI.NOT_FOUND', `no SBI has the id ${id}`, {
    hint: '"deespec sbi list" shows those that exist',
    details: { id },
  });
}

/** @throws StorageError `EXECUTION.NOT_FOUND` */
export function getExecutionIn(units: Iterable<UnitRows>, key: ExecutionKey): Execution {
  for (const execution of executionsOf(units)) if (compareKeys(execution, key) === 0) return execution;
  const { sbiId, run, turn, step } = key;
  throw new StorageError(
    'EXECUTION.NOT_FOUND',
    `${sbiId} has no execution run ${run}, turn ${turn}, step ${step}`,
    { hint: `"deespec execution list --sbi ${sbiId}" shows those that exist`, details: { ...key } },
  );
}

/** @throws StorageError `CONFIG.NOT_FOUND` */
export function getConfigIn(config: readonly ConfigEntry[], key: string): ConfigEntry {
  const found = config.find((entry) => entry.key === key);
  if (found !== undefined) return found;
  throw new StorageError('CONFIG.NOT_FOUND', `no setting is called ${JSON.stringify(key)}`, {
    hint: '"deespec config list" shows those that exist',
    details: { key },
  });
}

/** Rows of a page: the given limit, 100 when absent. @throws StorageError `USAGE.INVALID` when not 1 to 1,000 */
export function pageSize(limit: number | undefined): number {
  const rows = limit ?? 100;
  if (Number.isInteger(rows) && rows >= 1 && rows <= 1000) return rows;
  throw usage(`limit is ${rows}`, 'a limit is a whole number from 1 to 1000');
}

function* executionsOf(units: Iterable<UnitRows>): Generator<Execution> {
  for (const { executions } of units) yield* executions;
}

function usage(message: string, hint: string): StorageError {
  return new StorageError('USAGE.INVALID', message, { hint });
}

function hasLabel({ label }: Sbi, wanted: string): boolean {
  return label !== undefined && (label === wanted || `,${label},`.includes(`,${wanted},`));
}

/** In the order of the lists. */
function compareKeys(a: ExecutionKey, b: ExecutionKey): number {
  return compareBytes(a.sbiId, b.sbiId) || a.run - b.run || a.turn - b.turn || compareBytes(a.step, b.step);
}

function compareEnds(a: Execution, b: Execution): number {
  return compareBytes(endOf(a), endOf(b)) || compareKeys(a, b);
}

function compareAudit(a: AuditEntry, b: AuditEntry): number {
  // A source is a byte string already: comparing its characters compares its bytes.
  const [left, right] = [a.source ?? '', b.source ?? ''];
  const bySource = left < right ? -1 : left > right ? 1 : 0;
  return compareBytes(a.timestamp, b.timestamp) || bySource || (a.seq ?? 0) - (b.seq ?? 0);
}

/** Order of the UTF-8 bytes: SQLite's, where JavaScript's `<` compares UTF-16 units. */
function compareBytes(a: string, b: string): number {
  return a === b ? 0 : Buffer.compare(Buffer.from(a), Buffer.from(b));
}
