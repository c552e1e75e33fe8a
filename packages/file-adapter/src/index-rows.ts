import {
  ActivityCount,
  endOf,
  hasFailed,
  joinPath,
  sbiComparer,
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

/** The rows of an index, in the order of the lists. */
export interface IndexRows {
  readonly sbis: readonly Sbi[];
  readonly sbiById: ReadonlyMap<SbiId, Sbi>;
  readonly executions: readonly Execution[];
  readonly config: readonly ConfigEntry[];
  readonly audit: readonly AuditEntry[];
  /** The files of each SBI that are searched. */
  readonly searched: ReadonlyMap<SbiId, readonly TreePath[]>;
  /** The SBIs with a `state.json` of their own. */
  readonly stateful: ReadonlySet<SbiId>;
}

/** What a unit gives the index. */
export interface UnitRows extends Pick<DerivedUnit, 'sbi' | 'executions' | 'config' | 'audit'> {
  readonly searched: readonly TreePath[];
  readonly hasState: boolean;
}

/** Whether a unit has a `state.json` of its own. */
export function hasStateFile({ path, entries }: Pick<DerivedUnit, 'path' | 'entries'>): boolean {
  const name = joinPath(path, 'state.json');
  return entries.some((entry) => entry.kind === 'file' && entry.path === name);
}

export function rowsOf(units: Iterable<UnitRows>): IndexRows {
  const sbiById = new Map<SbiId, Sbi>();
  const executions: Execution[] = [];
  const config: ConfigEntry[] = [];
  const audit: AuditEntry[] = [];
  const searched = new Map<SbiId, readonly TreePath[]>();
  const stateful = new Set<SbiId>();
  for (const unit of units) {
    if (unit.sbi !== undefined) {
      sbiById.set(unit.sbi.id, unit.sbi);
      searched.set(unit.sbi.id, unit.searched);
      if (unit.hasState) stateful.add(unit.sbi.id);
    }
    for (const execution of unit.executions) executions.push(execution);
    for (const entry of unit.config) config.push(entry);
    if (unit.audit !== undefined) audit.push(unit.audit);
  }
  return {
    sbiById,
    sbis: [...sbiById.values()].sort(sbiComparer({})),
    executions: executions.sort(compareKeys),
    config: config.sort((a, b) => compareBytes(a.key, b.key)),
    audit,
    searched,
    stateful,
  };
}

/** A page as `Index.listSbis` says, without a search. */
export function pageOfSbis(rows: IndexRows, filter: IndexFilter): Sbi[] {
  return sbisInOrder(rows, filter).slice(0, pageSize(filter.limit));
}

/** Every SBI of the pages of a filter, whatever it searches for. */
export function sbisInOrder(rows: IndexRows, filter: IndexFilter): Sbi[] {
  const compare = sbiComparer(filter);
  const after = filter.after === undefined ? undefined : getSbiIn(rows, filter.after);
  const wanted = rows.sbis
    .filter((sbi) => after === undefined || compare(sbi, after) > 0)
    .filter((sbi) => filter.hasState === undefined || rows.stateful.has(sbi.id))
    .filter((sbi) => filter.status === undefined || sbi.status === filter.status)
    .filter((sbi) => filter.label === undefined || hasLabel(sbi, filter.label));
  const isCreated = (filter.order ?? 'created') === 'created' && filter.direction !== 'descending';
  return isCreated ? wanted : wanted.sort(compare);
}

/** A page as `Index.listExecutions` says, of executions in order. */
export function pageOfExecutions(executions: readonly Execution[], filter: ExecutionFilter): Execution[] {
  const limit = pageSize(filter.limit);
  const { after } = filter;
  return executions
    .filter((execution) => filter.sbiId === undefined || execution.sbiId === filter.sbiId)
    .filter((execution) => filter.run === undefined || execution.run === filter.run)
    .filter((execution) => after === undefined || compareKeys(execution, after) > 0)
    .slice(0, limit);
}

/** A page as `Index.listFailures` says. */
export function pageOfFailures(executions: readonly Execution[], filter: FailureFilter): Execution[] {
  const limit = pageSize(filter.limit);
  const after = filter.after === undefined ? undefined : getExecutionIn(executions, filter.after);
  return executions
    .filter((execution) => hasFailed(execution) && endOf(execution) >= filter.since)
    .filter((execution) => after === undefined || compareEnds(execution, after) < 0)
    .sort((a, b) => compareEnds(b, a))
    .slice(0, limit);
}

/** A page as `Index.listAudit` says, of rows in any order. */
export function pageOfAudit(entries: Iterable<AuditEntry>, filter: AuditFilter): AuditEntry[] {
  const limit = pageSize(filter.limit);
  const offset = filter.offset ?? 0;
  if (!Number.isSafeInteger(offset) || offset < 0)
    throw usage(`offset is ${offset}`, 'an offset is a whole number from 0');
  const { since } = filter;
  return [...entries]
    .filter((entry) => filter.entityId === undefined || entry.entityId === filter.entityId)
    .filter((entry) => since === undefined || entry.timestamp >= since)
    .sort(filter.first === 'newest' ? (a, b) => compareAudit(b, a) : compareAudit)
    .slice(offset, offset + limit);
}

/** As `Index.readActivity` says. */
export function activityOf(rows: Pick<IndexRows, 'sbis' | 'executions'>, since: string): Activity {
  const count = new ActivityCount();
  for (const { completedAt } of rows.sbis) if ((completedAt ?? '') >= since) count.takeSbi(completedAt!);
  for (const { step, startedAt, completedAt } of rows.executions)
    if ((completedAt ?? '') >= since) count.takeExecution({ step, startedAt, completedAt: completedAt! });
  return count.activity();
}

export function countByStatus(sbis: readonly Sbi[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { status } of sbis) counts.set(status, (counts.get(status) ?? 0) + 1);
  return counts;
}

/** @throws StorageError `SBI.NOT_FOUND` */
export function getSbiIn({ sbiById }: Pick<IndexRows, 'sbiById'>, id: SbiId): Sbi {
  const found = sbiById.get(id);
  if (found !== undefined) return found;
  throw new StorageError('SBI.NOT_FOUND', `no SBI has the id ${id}`, {
    hint: '"deespec sbi list" shows those that exist',
    details: { id },
  });
}

/** @throws StorageError `EXECUTION.NOT_FOUND` */
export function getExecutionIn(executions: readonly Execution[], key: ExecutionKey): Execution {
  const found = executions.find((execution) => compareKeys(execution, key) === 0);
  if (found !== undefined) return found;
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

function usage(message: string, hint: string): StorageError {
  return new StorageError('USAGE.INVALID', message, { hint });
}

function hasLabel({ label }: Sbi, wanted: string): boolean {
  return label !== undefined && (label === wanted || `,${label},`.includes(`,${wanted},`));
}

/** In the order of the lists. */
export function compareKeys(a: ExecutionKey, b: ExecutionKey): number {
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
