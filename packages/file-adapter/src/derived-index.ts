import {
  searchedFiles,
  type Activity,
  type AuditEntry,
  type AuditFilter,
  type ConfigEntry,
  type DerivedUnit,
  type Execution,
  type ExecutionFilter,
  type ExecutionKey,
  type FailureFilter,
  type Index,
  type IndexFilter,
  type Sbi,
  type SbiId,
  type SearchedParts,
  type TreePath,
} from '@deespec/domain';

import {
  hasStateFile,
  activityOf,
  countByStatus,
  getConfigIn,
  getExecutionIn,
  getSbiIn,
  pageOfAudit,
  pageOfExecutions,
  pageOfFailures,
  pageOfSbis,
  rowsOf,
  type IndexRows,
  type UnitRows,
} from './index-rows.js';
import { searchSbis } from './search-sbis.js';

/** Where a {@link DerivedIndex} takes its rows and contents from. */
export interface IndexSource {
  /** Derives the whole tree as it is now. */
  derive(): Promise<Iterable<DerivedUnit>> | Iterable<DerivedUnit>;
  /** The content at a path now. */
  read(path: TreePath): Iterable<Buffer>;
  /** Records of the changes through the API; absent: there are none. */
  audit?(): Iterable<AuditEntry>;
}

/**
 * An index in memory: derived at the first query and kept until {@link DerivedIndex.invalidate}. For stores that know of every
 * change; holds every row but no content.
 */
export class DerivedIndex implements Index {
  #rows: Promise<IndexRows> | undefined;

  constructor(private readonly source: IndexSource) {}

  /** Makes the next query derive the tree again. */
  invalidate(): void {
    this.#rows = undefined;
  }

  async getSbi(id: SbiId): Promise<Sbi> {
    return getSbiIn(await this.#now(), id);
  }

  async listSbis(filter: IndexFilter = {}): Promise<Sbi[]> {
    const { search } = filter;
    if (search === undefined) return pageOfSbis(await this.#now(), filter);
    const source = { rows: () => this.#now(), read: (path: TreePath) => this.source.read(path) };
    return searchSbis(source, { ...filter, search });
  }

  async listSearched(ids: readonly SbiId[]): Promise<ReadonlyMap<SbiId, SearchedParts>> {
    const { sbiById, searched } = await this.#now();
    return new Map(
      ids.flatMap((id) => {
        const sbi = sbiById.get(id);
        return sbi === undefined ? [] : [[id, { sbi, files: searched.get(id) ?? [] }]];
      }),
    );
  }

  async countSbis(): Promise<ReadonlyMap<string, number>> {
    return countByStatus((await this.#now()).sbis);
  }

  async listExecutions(filter: ExecutionFilter = {}): Promise<Execution[]> {
    return pageOfExecutions((await this.#now()).executions, filter);
  }

  async getExecution(key: ExecutionKey): Promise<Execution> {
    return getExecutionIn((await this.#now()).executions, key);
  }

  async readContent(key: ExecutionKey): Promise<Buffer | undefined> {
    const { contentPath } = await this.getExecution(key);
    return contentPath === undefined ? undefined : Buffer.concat([...this.source.read(contentPath)]);
  }

  async listConfig(): Promise<ConfigEntry[]> {
    return [...(await this.#now()).config];
  }

  async getConfig(key: string): Promise<ConfigEntry> {
    return getConfigIn((await this.#now()).config, key);
  }

  async listAudit(filter: AuditFilter = {}): Promise<AuditEntry[]> {
    const { audit } = await this.#now();
    return pageOfAudit([...audit, ...(this.source.audit?.() ?? [])], filter);
  }

  async listFailures(filter: FailureFilter): Promise<Execution[]> {
    return pageOfFailures((await this.#now()).executions, filter);
  }

  async readActivity(since: string): Promise<Activity> {
    return activityOf(await this.#now(), since);
  }

  #now(): Promise<IndexRows> {
    const pending = this.#rows ?? this.#derive();
    this.#rows = pending;
    return pending;
  }

  async #derive(): Promise<IndexRows> {
    try {
      return rowsOf(withSearched(await this.source.derive()));
    } catch (error) {
      this.invalidate(); // the next query tries again
      throw error;
    }
  }
}

function* withSearched(units: Iterable<DerivedUnit>): Generator<UnitRows> {
  for (const unit of units) {
    yield { ...unit, searched: searchedFiles(unit).map(({ path }) => path), hasState: hasStateFile(unit) };
  }
}
