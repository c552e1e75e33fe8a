import {
  StorageError,
  type AuditEntry,
  type AuditFilter,
  type ConfigEntry,
  type DerivedUnit,
  type Execution,
  type ExecutionFilter,
  type ExecutionKey,
  type Index,
  type Sbi,
  type SbiFilter,
  type SbiId,
  type TreePath,
} from '@deespec/domain';

/** Where a {@link DerivedIndex} takes its rows and contents from. */
export interface IndexSource {
  /** Derives the whole tree as it is now. */
  derive(): Promise<Iterable<DerivedUnit>> | Iterable<DerivedUnit>;
  /** The content at a path now. */
  read(path: TreePath): Iterable<Buffer>;
}

/**
 * An index in memory: derived at the first query and kept until {@link DerivedIndex.invalidate}. For stores that have no
 * tables of their own; holds every row but no content.
 */
export class DerivedIndex implements Index {
  #tables: Promise<Tables> | undefined;

  constructor(private readonly source: IndexSource) {}

  /** Makes the next query derive the tree again. */
  invalidate(): void {
    this.#tables = undefined;
  }

  async getSbi(id: SbiId): Promise<Sbi> {
    return sbiOf(await this.#rows(), id);
  }

  async listSbis(filter: SbiFilter = {}): Promise<Sbi[]> {
    const limit = pageSize(filter.limit);
    const rows = await this.#rows();
    const after = filter.after === undefined ? undefined : sbiOf(rows, filter.after);
    return rows.sbis
      .filter((sbi) => after === undefined || compareSbis(sbi, after) > 0)
      .filter((sbi) => filter.status === undefined || sbi.status === filter.status)
      .filter((sbi) => filter.label === undefined || hasLabel(sbi, filter.label))
      .slice(0, limit);
  }

  async countSbis(): Promise<ReadonlyMap<string, number>> {
    const counts = new Map<string, number>();
    for (const { status } of (await this.#rows()).sbis) counts.set(status, (counts.get(status) ?? 0) + 1);
    return counts;
  }

  async listExecutions(filter: ExecutionFilter = {}): Promise<Execution[]> {
    const limit = pageSize(filter.limit);
    const { after } = filter;
    return (await this.#rows()).executions
      .filter((execution) => filter.sbiId === undefined || execution.sbiId === filter.sbiId)
      .filter((execution) => filter.run === undefined || execution.run === filter.run)
      .filter((execution) => after === undefined || compareKeys(execution, after) > 0)
      .slice(0, limit);
  }

  async getExecution(key: ExecutionKey): Promise<Execution> {
    const found = (await this.#rows()).executions.find((execution) => compareKeys(execution, key) === 0);
    if (found !== undefined) return found;
    const { sbiId, run, turn, step } = key;
    throw new StorageError(
      'EXECUTION.NOT_FOUND',
      `${sbiId} has no execution run ${run}, turn ${turn}, step ${step}`,
      { hint: `"deespec execution list --sbi ${sbiId}" shows those that exist`, details: { ...key } },
    );
  }

  async readContent(key: ExecutionKey): Promise<Buffer | undefined> {
    const { contentPath } = await this.getExecution(key);
    return contentPath === undefined ? undefined : Buffer.concat([...this.source.read(contentPath)]);
  }

  async listConfig(): Promise<ConfigEntry[]> {
    return [...(await this.#rows()).config];
  }

  async getConfig(key: string): Promise<ConfigEntry> {
    const found = (await this.#rows()).config.find((entry) => entry.key === key);
    if (found !== undefined) return found;
    throw new StorageError('CONFIG.NOT_FOUND', `no setting is called ${JSON.stringify(key)}`, {
      hint: '"deespec config list" shows those that exist',
      details: { key },
    });
  }

  async listAudit(filter: AuditFilter = {}): Promise<AuditEntry[]> {
    const limit = pageSize(filter.limit);
    return (await this.#rows()).audit
      .filter((entry) => filter.entityId === undefined || entry.entityId === filter.entityId)
      .slice(0, limit);
  }

  #rows(): Promise<Tables> {
    const pending = this.#tables ?? this.#derive();
    this.#tables = pending;
    return pending;
  }

  async #derive(): Promise<Tables> {
    try {
      return tablesOf(await this.source.derive());
    } catch (error) {
      this.invalidate(); // the next query tries again
      throw error;
    }
  }
}

interface Tables {
  readonly sbis: readonly Sbi[];
  readonly sbiById: ReadonlyMap<SbiId, Sbi>;
  readonly executions: readonly Execution[];
  readonly config: readonly ConfigEntry[];
  readonly audit: readonly AuditEntry[];
}

/** The rows in the order of the lists. */
function tablesOf(units: Iterable<DerivedUnit>): Tables {
  const sbiById = new Map<SbiId, Sbi>();
  const executions: Execution[] = [];
  const config: ConfigEntry[] = [];
  const audit: AuditEntry[] = [];
  for (const unit of units) {
    if (unit.sbi !== undefined) sbiById.set(unit.sbi.id, unit.sbi);
    for (const execution of unit.executions) executions.push(execution);
    for (const entry of unit.config) config.push(entry);
    if (unit.audit !== undefined) audit.push(unit.audit);
  }
  return {
    sbiById,
    sbis: [...sbiById.values()].sort(compareSbis),
    executions: executions.sort(compareKeys),
    config: config.sort((a, b) => compareBytes(a.key, b.key)),
    audit: audit.sort(compareAudit),
  };
}

function sbiOf(rows: Tables, id: SbiId): Sbi {
  const found = rows.sbiById.get(id);
  if (found !== undefined) return found;
  throw new StorageError('SBI.NOT_FOUND', `no SBI has the id ${id}`, {
    hint: '"deespec sbi list" shows those that exist',
    details: { id },
  });
}

/** Rows of a page: the given limit, 100 when absent. @throws StorageError `USAGE.INVALID` when not 1 to 1,000 */
function pageSize(limit: number | undefined): number {
  const rows = limit ?? 100;
  if (Number.isInteger(rows) && rows >= 1 && rows <= 1000) return rows;
  throw new StorageError('USAGE.INVALID', `limit is ${rows}`, {
    hint: 'a limit is a whole number from 1 to 1000',
  });
}

function hasLabel({ label }: Sbi, wanted: string): boolean {
  return label !== undefined && (label === wanted || `,${label},`.includes(`,${wanted},`));
}

function compareSbis(a: Sbi, b: Sbi): number {
  return compareBytes(a.createdAt, b.createdAt) || compareBytes(a.id, b.id);
}

function compareKeys(a: ExecutionKey, b: ExecutionKey): number {
  return compareBytes(a.sbiId, b.sbiId) || a.run - b.run || a.turn - b.turn || compareBytes(a.step, b.step);
}

function compareAudit(a: AuditEntry, b: AuditEntry): number {
  // A source is a byte string already: comparing its characters compares its bytes.
  const [left, right] = [a.source ?? '', b.source ?? ''];
  return compareBytes(a.timestamp, b.timestamp) || (left < right ? -1 : left > right ? 1 : 0);
}

/** Order of the UTF-8 bytes: SQLite's, where JavaScript's `<` compares UTF-16 units. */
function compareBytes(a: string, b: string): number {
  return a === b ? 0 : Buffer.compare(Buffer.from(a), Buffer.from(b));
}
