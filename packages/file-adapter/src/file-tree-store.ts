import {
  timeFromDate,
  type AuditRecord,
  type Chunks,
  type Conflict,
  type DiskStat,
  type EditPlan,
  type EditResult,
  type FileDebt,
  type Index,
  type ProjectedFiles,
  type TreeEntry,
  type TreePath,
  type TreeView,
} from '@deespec/domain';

import { AuditFile } from './audit-file.js';
import { checkEdits, isChunks } from './check-edits.js';
import { ConflictStore } from './conflict-store.js';
import { DiskTree } from './disk-tree.js';
import { DiskView } from './disk-view.js';
import { EditRunner } from './edit-runner.js';
import { readError, writeError } from './file-error.js';
import { FileUnits } from './file-units.js';
import { syncDirectory } from './file-system.js';
import type { IgnoredEntry } from './ignored.js';
import { pathsOf, type Intent } from './intent.js';
import { JournalCache } from './journal-cache.js';
import { loadLayout, type Layout } from './load-layout.js';
import { OwnArea } from './own-area.js';
import { ReplacedFiles } from './replaced-files.js';
import { keyOfTemporary, StepMaker } from './step-maker.js';
import type { TreeRoot } from './tree-root.js';
import { UnitIndex } from './unit-index.js';

/** What a {@link FileTreeStore} is told by its owner, and tells it. */
export interface FileTreeStoreOptions {
  /** Called for each entry of somebody else that a scan leaves out. */
  readonly onIgnored?: (entry: IgnoredEntry) => void;
  /** The present, for versions without a time; absent: the file system's. */
  readonly now?: () => Date;
  /**
   * Runs synchronous work alone among all writers of this product, in every process. Default: alone in this process, which is
   * enough only where no other process of this product writes to the tree.
   */
  readonly alone?: <T>(work: () => T) => Promise<T>;
  /** True when a database follows: what an edit changed is a debt until it is cleared. Default false. */
  readonly owes?: boolean;
}

/** How long nobody may have changed a file that was replaced before it is looked at, milliseconds. Source: docs/adr/0013. */
const SETTLE_MS = 2_000;

/** How long edits keep what they replaced without a `sync`, milliseconds. */
const KEPT_MS = 60_000;

/** How long it is known what was put for another store, milliseconds: longer than a debt waits behind others. */
const KNOWN_MS = 600_000;

/** How often edits look at what was replaced, milliseconds. */
const SETTLE_EVERY_MS = 10_000;

/**
 * The tree on disk. Symlinks are content, never followed, not even as parents. What is ignored (see `ignoredOwner`) is not there
 * for reads and refused for writes.
 *
 * An edit is made wholly or not at all, also when the process dies on the way: the next edit, or {@link FileTreeStore.recover},
 * finishes it or takes it back. Each path is compared directly before it is changed; what a program that takes no lock writes
 * into a file at that moment is kept, see {@link FileTreeStore.settleReplaced}.
 */
export class FileTreeStore implements ProjectedFiles {
  readonly #tree: DiskTree;
  readonly #audit: AuditFile;
  readonly #conflicts: ConflictStore;
  readonly #replaced: ReplacedFiles;
  readonly #steps: StepMaker;
  readonly #runner: EditRunner;
  readonly #journal: JournalCache;
  /** Temporary files of ours that a scan came by. */
  readonly #left = new Set<TreePath>();
  /** When edits look next at what was replaced, milliseconds of the process clock. */
  #settleAtMs = 0;

  constructor(
    readonly root: TreeRoot,
    private readonly options: FileTreeStoreOptions = {},
  ) {
    const area = new OwnArea(root);
    this.#tree = new DiskTree(root, (entry) => {
      if (keyOfTemporary(entry.path) !== undefined) this.#left.add(entry.path);
      options.onIgnored?.(entry);
    });
    this.#audit = new AuditFile(area);
    this.#conflicts = new ConflictStore(area);
    this.#replaced = new ReplacedFiles(this.#tree, area);
    this.#journal = new JournalCache(this.#tree);
    this.#steps = new StepMaker({ tree: this.#tree, area, replaced: this.#replaced });
    const parts = { tree: this.#tree, area, audit: this.#audit, steps: this.#steps };
    this.#runner = new EditRunner({ ...parts, owes: options.owes ?? false });
  }

  scan(below?: TreePath): Iterable<DiskStat> {
    return this.#tree.scan(below);
  }

  find(path: TreePath): TreeEntry | undefined {
    return this.#tree.find(path);
  }

  read(path: TreePath): Iterable<Buffer> {
    return this.#tree.read(path);
  }

  statOf(path: TreePath): DiskStat | undefined {
    return this.#tree.statOf(path);
  }

  /** As the port says. What an edit removes goes to `.storage/trash/`; no content is unlinked. */
  async edit(plan: (tree: TreeView) => EditPlan): Promise<EditResult> {
    const layout = await loadLayout();
    return this.#alone(() => this.#make(plan(this.#view(layout)), layout));
  }

  async look<T>(look: (tree: TreeView) => T): Promise<T> {
    const layout = await loadLayout();
    return this.#alone(() => look(this.#view(layout)));
  }

  /** The tree as it is now, without what a dead process left half done. */
  #view(layout: Awaited<ReturnType<typeof loadLayout>>): TreeView {
    this.root.forget();
    this.#runner.recover();
    // Without a `sync` nobody else looks at what edits replaced.
    if (performance.now() > this.#settleAtMs) {
      this.#settleAtMs = performance.now() + SETTLE_EVERY_MS;
      this.settleReplaced(KEPT_MS);
    }
    return new DiskView({ tree: this.#tree, journal: this.#journal, layout });
  }

  /**
   * Since when an edit is on its way, or a dead process left one half done: reads can show a part of it. `undefined` when there is
   * none; UTC, fixed width.
   */
  unfinishedSince(): string | undefined {
    return this.#runner.unfinishedSince();
  }

  /**
   * Finishes or takes back the edits of processes that died. Every edit does so first.
   *
   * @throws StorageError `FILE.OUTCOME_UNKNOWN`, `FILE.NO_SPACE` and others of a write: it is to be tried again
   */
  async recover(): Promise<void> {
    await this.#alone(() => {
      this.root.forget();
      this.#runner.recover();
    });
  }

  /**
   * Moves temporary files of ours that scans came by, and that no edit needs, to the trash: a power cut can leave one without the
   * note that it is there.
   */
  async discardLeft(): Promise<void> {
    if (this.#left.size === 0) return;
    await this.#alone(() => {
      this.root.forget();
      this.#runner.recover();
      for (const path of this.#left) this.#steps.discardTemporary(path);
      this.#left.clear();
    });
  }

  syncName(path: TreePath): void {
    try {
      let end = path.lastIndexOf('/');
      while (end > 0 && this.#tree.statOf(path.slice(0, end) as TreePath)?.kind !== 'directory') {
        end = path.lastIndexOf('/', end - 1);
      }
      syncDirectory(this.root.system, this.root.at(path.slice(0, Math.max(0, end))));
    } catch (error) {
      throw writeError(error, path, 'after');
    }
  }

  fileDebts(): readonly string[] {
    return this.#runner.debts();
  }

  fileDebt(id: string): FileDebt | undefined {
    return this.#runner.debt(id);
  }

  clearFileDebt(id: string): void {
    this.#runner.clearDebt(id);
  }

  keepConflict(conflict: Omit<Conflict, 'id'>, content: Iterable<Buffer>): string {
    return this.#conflicts.keep(conflict, content);
  }

  listConflicts(): readonly Conflict[] {
    return this.#conflicts.list();
  }

  readConflict(id: string): Iterable<Buffer> {
    return this.#conflicts.read(id);
  }

  dropConflict(id: string): void {
    this.#conflicts.drop(id);
  }

  auditSince(seq: number): Iterable<AuditRecord> {
    return this.#audit.since(seq);
  }

  /** As the port says; those that are there already are left out. */
  appendAudit(records: readonly AuditRecord[]): void {
    if (records.length > 0) this.#audit.append(records, { isSynced: false });
  }

  keepRemoved(path: TreePath, content: Iterable<Buffer>): void {
    this.#conflicts.keepRemoved(path, content);
  }

  /**
   * Looks at the files that were replaced and that nobody changed for a while: those that are as they were go, those that another
   * program wrote into become conflicts.
   *
   * @param knownMs - 0 when nothing is owed any more, so that nobody has to know what was put for another store
   * @returns the conflicts that came to light
   */
  settleReplaced(olderThanMs = SETTLE_MS, knownMs = KNOWN_MS): readonly Conflict[] {
    const isLive = (id: string): boolean => this.#runner.isLive(id);
    return this.#reading(() => this.#replaced.settle(this.#conflicts, { olderThanMs, knownMs, isLive }));
  }

  #reading<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw readError(error, '.storage/conflicts/replaced');
    }
  }

  hasProjected(path: TreePath, sha256: string, sinceMs: number): boolean {
    return this.#reading(() => this.#replaced.hasProjected(path, sha256, sinceMs));
  }

  /** An index of this tree. */
  openIndex(): Index {
    return new UnitIndex(new FileUnits({ tree: this.#tree, journal: this.#journal, audit: this.#audit }));
  }

  async close(): Promise<void> {
    // Handles live no longer than one call.
  }

  #make({ edits, audit = [] }: EditPlan, { layout }: Layout): EditResult {
    const now = this.options.now?.();
    const mtimeNs = now === undefined ? undefined : BigInt(now.getTime()) * 1_000_000n;
    const steps = checkEdits(edits, { tree: this.#tree, mtimeNs });
    if (steps.length === 0 && audit.length === 0) return { paths: [], audit: [] };
    let head = audit.length === 0 ? undefined : this.#audit.head();
    const records = audit.map((note) => (head = layout.chainAudit(note, head)));
    const since = timeFromDate(now ?? new Date());
    const intent: Intent = { id: this.#runner.nextId(), since, steps, audit: records };
    this.#runner.run(intent, chunksOf(edits));
    const result = { paths: pathsOf(intent), audit: records };
    return this.options.owes === true ? { ...result, debt: intent.id } : result;
  }

  #alone<T>(work: () => T): Promise<T> {
    return this.options.alone === undefined ? Promise.resolve().then(work) : this.options.alone(work);
  }
}

function chunksOf([edit]: EditPlan['edits']): Chunks | undefined {
  return edit?.op === 'put' && isChunks(edit.version.bytes) ? edit.version.bytes : undefined;
}
