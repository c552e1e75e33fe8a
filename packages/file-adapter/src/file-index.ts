import {
  searchedFiles,
  type Activity,
  type AuditEntry,
  type AuditFilter,
  type ConfigEntry,
  type DiskStat,
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
  type TreeReader,
} from '@deespec/domain';
import type { TreeContext, TreeUnit } from '@deespec/layout';
import { createHash } from 'node:crypto';

import type { AuditFile } from './audit-file.js';
import type { DiskTree } from './disk-tree.js';
import { entriesOfSbi } from './disk-view.js';
import {
  hasStateFile,
  activityOf,
  compareKeys,
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
import type { JournalCache, JournalState } from './journal-cache.js';
import { loadLayout, type Layout } from './load-layout.js';
import { searchSbis } from './search-sbis.js';

/** What a {@link FileIndex} answers from. */
export interface FileIndexParts {
  readonly tree: DiskTree;
  readonly journal: JournalCache;
  readonly audit: AuditFile;
}

/** A unit as it was derived, and from what. */
interface KnownUnit {
  readonly basis: string;
  /** False when it was derived so soon after a change that a later one may look the same. */
  readonly isSettled: boolean;
  readonly rows: UnitRows;
}

/** Two versions of a file can look the same this long, milliseconds: the coarsest clock of a file system. Source: docs/adr/0013. */
const RACY_MS = 2_000;

/**
 * The index of a tree on disk, in memory. Every query looks at the tree again, by `lstat` alone, and derives those units whose
 * files changed since, or what they depend on: the journal's events of their SBI, the state file, the keys of `workflow.json`.
 * So the next query sees what any program wrote. Queries on one SBI look at that SBI alone.
 */
export class FileIndex implements Index {
  readonly #units = new Map<TreePath, KnownUnit>();
  #rows: IndexRows | undefined;

  constructor(private readonly parts: FileIndexParts) {}

  async getSbi(id: SbiId): Promise<Sbi> {
    const { sbi } = await this.#unitsOf(id);
    return getSbiIn({ sbiById: new Map(sbi === undefined ? [] : [[id, sbi]]) }, id);
  }

  async listSbis(filter: IndexFilter = {}): Promise<Sbi[]> {
    const { search } = filter;
    if (search === undefined) return pageOfSbis(await this.#now(), filter);
    const source = { rows: () => this.#now(), read: (path: TreePath) => this.parts.tree.read(path) };
    return searchSbis(source, { ...filter, search });
  }

  async listSearched(ids: readonly SbiId[]): Promise<ReadonlyMap<SbiId, SearchedParts>> {
    const found = new Map<SbiId, SearchedParts>();
    for (const id of ids) {
      const { sbi, searched } = await this.#unitsOf(id);
      if (sbi !== undefined) found.set(id, { sbi, files: searched });
    }
    return found;
  }

  async countSbis(): Promise<ReadonlyMap<string, number>> {
    return countByStatus((await this.#now()).sbis);
  }

  async listExecutions(filter: ExecutionFilter = {}): Promise<Execution[]> {
    const { sbiId } = filter;
    const { executions } = sbiId === undefined ? await this.#now() : await this.#unitsOf(sbiId);
    return pageOfExecutions(executions, filter);
  }

  async getExecution(key: ExecutionKey): Promise<Execution> {
    return getExecutionIn((await this.#unitsOf(key.sbiId)).executions, key);
  }

  async readContent(key: ExecutionKey): Promise<Buffer | undefined> {
    const { contentPath } = await this.getExecution(key);
    return contentPath === undefined ? undefined : Buffer.concat([...this.parts.tree.read(contentPath)]);
  }

  async listConfig(): Promise<ConfigEntry[]> {
    return [...(await this.#now()).config];
  }

  async getConfig(key: string): Promise<ConfigEntry> {
    return getConfigIn((await this.#now()).config, key);
  }

  async listAudit(filter: AuditFilter = {}): Promise<AuditEntry[]> {
    const { audit } = await this.#now();
    return pageOfAudit([...audit, ...this.parts.audit.since(0)], filter);
  }

  async listFailures(filter: FailureFilter): Promise<Execution[]> {
    return pageOfFailures((await this.#now()).executions, filter);
  }

  async readActivity(since: string): Promise<Activity> {
    return activityOf(await this.#now(), since);
  }

  async #now(): Promise<IndexRows> {
    const layout = await loadLayout();
    const look = this.#look(layout);
    const seen = new Set<TreePath>();
    for (const unit of layout.layout.groupUnits(this.parts.tree.scan())) {
      seen.add(unit.path);
      this.#derive(unit, look);
    }
    for (const path of this.#units.keys()) if (!seen.has(path)) this.#forget(path);
    this.#rows ??= rowsOf([...this.#units.values()].map(({ rows }) => rows));
    return this.#rows;
  }

  /** What the directories of one SBI give. */
  async #unitsOf(id: SbiId): Promise<Pick<UnitRows, 'sbi' | 'executions' | 'searched'>> {
    const layout = await loadLayout();
    const look = this.#look(layout);
    const units = [...layout.layout.groupUnits(entriesOfSbi(this.parts.tree, layout, id))];
    const rows = units.map((unit) => this.#derive(unit, look));
    const executions = rows.flatMap((unit) => unit.executions).sort(compareKeys);
    return { ...(rows.find((unit) => unit.sbi !== undefined) ?? { searched: [] }), executions };
  }

  #derive(unit: TreeUnit, look: Look): UnitRows {
    const basis = basisOf(unit, look);
    const known = this.#units.get(unit.path);
    if (known?.basis === basis && known.isSettled) return known.rows;
    const { sbi, executions, config, audit } = look.layout.layout.deriveUnit(
      unit,
      look.context,
      this.parts.tree,
    );
    const searched = searchedFiles({ ...unit, executions }).map(({ path }) => path);
    const rows: UnitRows = {
      executions,
      config,
      searched,
      hasState: hasStateFile(unit),
      ...(sbi === undefined ? {} : { sbi }),
      ...(audit === undefined ? {} : { audit }),
    };
    this.#forget(unit.path);
    this.#units.set(unit.path, { basis, isSettled: isSettled(unit, look.nowMs), rows });
    return rows;
  }

  #forget(path: TreePath): void {
    this.#units.delete(path);
    this.#rows = undefined;
  }

  #look(layout: Layout): Look {
    const nowMs = Date.now();
    this.parts.tree.root.forget();
    const journal = this.parts.journal.now(layout);
    const { readContext, JOURNAL, MemorySpool } = layout.layout;
    const reader = withoutEntry(this.parts.tree, JOURNAL);
    const context = readContext(reader, { checks: layout.checks, spool: new MemorySpool() });
    return { layout, journal, nowMs, context: { ...context, spool: journal } };
  }
}

/** What a query sees beside the units. */
interface Look {
  readonly layout: Layout;
  readonly journal: JournalState;
  readonly context: TreeContext;
  /** Before anything was read. */
  readonly nowMs: number;
}

/** Everything that the rows of a unit depend on, as a hash. */
function basisOf(unit: TreeUnit, { journal, context }: Look): string {
  const hash = createHash('sha256');
  for (const entry of unit.entries as readonly DiskStat[]) {
    const { path, kind, mode, size, mtimeNs, ctimeNs, ino } = entry;
    hash.update(`${path}\0${kind} ${mode} ${size} ${mtimeNs} ${ctimeNs} ${ino}\0`);
  }
  const { sbiId, duplicateOf = '' } = unit;
  if (sbiId === undefined) {
    if (unit.kind === 'entry') hash.update([...context.workflowKeys].sort().join('\0'));
    return hash.digest('base64');
  }
  const state = context.goState?.wip === sbiId ? JSON.stringify(context.goState) : '';
  hash.update(`${duplicateOf}\0${journal.generation} ${journal.eventsOf(sbiId).length}\0${state}`);
  return hash.digest('base64');
}

function isSettled(unit: TreeUnit, nowMs: number): boolean {
  const limit = BigInt(nowMs - RACY_MS) * 1_000_000n;
  return (unit.entries as readonly DiskStat[]).every(({ ctimeNs }) => ctimeNs < limit);
}

/** The tree as if nothing stood at `path`. */
function withoutEntry(tree: DiskTree, path: TreePath): TreeReader {
  return {
    scan: () => tree.scan(),
    find: (other) => (other === path ? undefined : tree.find(other)),
    read: (other) => tree.read(other),
  };
}
