import type {
  Activity,
  AuditEntry,
  AuditFilter,
  ConfigEntry,
  Execution,
  ExecutionFilter,
  ExecutionKey,
  FailureFilter,
  Index,
  IndexFilter,
  Sbi,
  SbiId,
  SearchedParts,
  TreePath,
} from '@deespec/domain';

import {
  activityOf,
  auditOf,
  configOf,
  countByStatus,
  getConfigIn,
  getExecutionIn,
  getSbiIn,
  pageOfAudit,
  pageOfExecutions,
  pageOfFailures,
  pageOfSbis,
  type UnitRows,
} from './index-rows.js';
import { searchSbis } from './search-sbis.js';

/** Where a {@link UnitIndex} takes its rows and contents from. */
export interface UnitSource {
  /** Looks at the tree as it is now. */
  look(): Promise<UnitView>;
  /** The content at a path now. */
  read(path: TreePath): Iterable<Buffer>;
  /** Records of the changes through the API. Streams. */
  audit(): Iterable<AuditEntry>;
}

/** A tree's units at one look. */
export interface UnitView {
  /** Every unit that can have the row of an SBI or of an execution. Streams. */
  sbis(): Iterable<UnitRows>;
  /** Every unit that can have a row of the audit log. Streams. */
  transactions(): Iterable<UnitRows>;
  /** Every unit that can have settings. */
  settings(): Iterable<UnitRows>;
  /** The units with the id of an SBI, of which one at most has its row. */
  of(id: SbiId): readonly UnitRows[];
}

/**
 * An index without tables. Lists go through all units and hold a page, so that memory does not grow with the tree; queries on one SBI
 * look at that SBI alone.
 */
export class UnitIndex implements Index {
  constructor(private readonly source: UnitSource) {}

  async getSbi(id: SbiId): Promise<Sbi> {
    return getSbiIn(await this.#of(id), id);
  }

  async listSbis(filter: IndexFilter = {}): Promise<Sbi[]> {
    const { search } = filter;
    const after = filter.after === undefined ? undefined : await this.getSbi(filter.after);
    const units = await this.#sbis();
    if (search === undefined) return pageOfSbis(units, filter, after);
    return searchSbis({ units, read: (path) => this.source.read(path) }, { ...filter, search }, after);
  }

  async listSearched(ids: readonly SbiId[]): Promise<ReadonlyMap<SbiId, SearchedParts>> {
    const view = await this.source.look();
    const found = new Map<SbiId, SearchedParts>();
    for (const id of ids) {
      const rows = view.of(id).find(({ sbi }) => sbi !== undefined);
      if (rows !== undefined) found.set(id, { sbi: rows.sbi!, files: rows.searched });
    }
    return found;
  }

  async countSbis(): Promise<ReadonlyMap<string, number>> {
    return countByStatus(await this.#sbis());
  }

  async listExecutions(filter: ExecutionFilter = {}): Promise<Execution[]> {
    const { sbiId } = filter;
    return pageOfExecutions(await (sbiId === undefined ? this.#sbis() : this.#of(sbiId)), filter);
  }

  async getExecution(key: ExecutionKey): Promise<Execution> {
    return getExecutionIn(await this.#of(key.sbiId), key);
  }

  async readContent(key: ExecutionKey): Promise<Buffer | undefined> {
    const { contentPath } = await this.getExecution(key);
    return contentPath === undefined ? undefined : Buffer.concat([...this.source.read(contentPath)]);
  }

  async listConfig(): Promise<ConfigEntry[]> {
    return configOf((await this.source.look()).settings());
  }

  async getConfig(key: string): Promise<ConfigEntry> {
    return getConfigIn(await this.listConfig(), key);
  }

  async listAudit(filter: AuditFilter = {}): Promise<AuditEntry[]> {
    const { source } = this;
    const rows = auditOf((await source.look()).transactions());
    return pageOfAudit(chain(rows, source.audit()), filter);
  }

  async listFailures(filter: FailureFilter): Promise<Execution[]> {
    const after = filter.after === undefined ? undefined : await this.getExecution(filter.after);
    return pageOfFailures(await this.#sbis(), filter, after);
  }

  async readActivity(since: string): Promise<Activity> {
    return activityOf(await this.#sbis(), since);
  }

  async #sbis(): Promise<Iterable<UnitRows>> {
    return (await this.source.look()).sbis();
  }

  async #of(id: SbiId): Promise<readonly UnitRows[]> {
    return (await this.source.look()).of(id);
  }
}

function* chain<T>(...parts: readonly Iterable<T>[]): Generator<T> {
  for (const part of parts) yield* part;
}
