import {
  timeFromDate,
  type AccountRow,
  type AuditRecord,
  type Debt,
  type EditPlan,
  type EditResult,
  type Ledger,
  type Projection,
  type Settlement,
  type TreeEntry,
  type TreePath,
  type TreeStat,
  type TreeView,
} from '@deespec/domain';
import type { Database } from 'better-sqlite3';

import { readAccount } from './account.js';
import { AuditRows } from './audit-rows.js';
import { Derivation } from './derivation.js';
import { OutboxRows } from './outbox-rows.js';
import { ProjectionRows } from './projection-rows.js';
import { ReadView } from './read-view.js';
import { RowChanges, RowEdits } from './row-edits.js';
import { settleAll } from './settling.js';
import { StoredJournal } from './stored-journal.js';
import { StoredView } from './stored-view.js';
import { UnitWriter } from './unit-writer.js';
import type { WriteQueue } from './write-queue.js';

/** What a {@link SqliteTreeStore} works on. */
export interface TreeStoreParts {
  readonly handle: Database;
  /** A connection that cannot write: a look waits for no writer. */
  readonly reader: Database;
  /** Path of the database. */
  readonly path: string;
  readonly queue: WriteQueue;
  readonly now: () => Date;
  /** True when files follow this database: each edit notes what they do not have yet. */
  readonly owes: boolean;
  readonly close: () => Promise<void>;
}

/**
 * The tree in SQLite: `tree_entry` with its bytes, the index tables changed in the same transaction as the bytes they are
 * derived from, and the account of what the files hold of it.
 *
 * One edit is one `BEGIN IMMEDIATE`: the plan, its edits, the rows derived from them, the chain of changes and the debt of
 * the files become durable together or not at all.
 */
export class SqliteTreeStore implements Ledger {
  private readonly view: StoredView;
  private readonly shown: ReadView;
  private readonly edits: RowEdits;
  private readonly derivation: Derivation;
  private readonly audit: AuditRows;
  private readonly outbox: OutboxRows;
  private readonly projections: ProjectionRows;
  private readonly writer: UnitWriter;

  constructor(private readonly parts: TreeStoreParts) {
    const { handle, now } = parts;
    this.writer = new UnitWriter(handle);
    const { entries, contents } = this.writer;
    const journal = new StoredJournal(handle, entries, contents);
    this.view = new StoredView(entries, contents, journal);
    this.shown = new ReadView(parts.reader);
    this.edits = new RowEdits(this.writer, now);
    this.derivation = new Derivation(this.view, this.writer, journal);
    this.audit = new AuditRows(handle);
    this.outbox = new OutboxRows(handle);
    this.projections = new ProjectionRows(handle);
  }

  scan(): Iterable<TreeStat> {
    return this.view.scan();
  }

  find(path: TreePath): TreeEntry | undefined {
    return this.view.find(path);
  }

  read(path: TreePath): Iterable<Buffer> {
    return this.view.read(path);
  }

  edit(plan: (tree: TreeView) => EditPlan): Promise<EditResult> {
    return this.parts.queue.run(() => {
      const ground = this.derivation.ground();
      const { edits, audit = [] } = plan(this.view);
      const changes = this.begin(ground.journal.bytes);
      for (const edit of edits) this.edits.make(edit, changes);
      this.derivation.follow(changes, ground);
      const paths = [...new Set(changes.paths)];
      const isOwed = this.parts.owes && paths.length > 0;
      if (isOwed) this.outbox.add(paths, changes.rev, timeFromDate(this.parts.now()));
      return { paths, audit: this.audit.append(audit) };
    });
  }

  async look<T>(look: (tree: TreeView) => T): Promise<T> {
    for (;;) {
      const shown = this.shown.show(look, this.parts.path);
      if (shown !== undefined) return shown.value;
      // The journal is new to this database: it is parsed once, which is a write.
      await this.parts.queue.run(() => this.derivation.ground());
    }
  }

  settle(
    settlements: readonly Settlement[],
    audit: readonly AuditRecord[] = [],
  ): Promise<readonly TreePath[]> {
    return this.parts.queue.run(() => {
      const ground = this.derivation.ground();
      const changes = this.begin(ground.journal.bytes);
      const { edits, projections, outbox } = this;
      const left = settleAll(
        { entries: this.writer.entries, edits, projections, outbox },
        settlements,
        changes,
      );
      this.derivation.follow(changes, ground);
      this.audit.merge(audit);
      return left;
    });
  }

  projected(path: TreePath): Projection | undefined {
    return this.projections.find(path);
  }

  account(below?: TreePath): Iterable<AccountRow> {
    return readAccount(this.parts.path, below);
  }

  debtOf(path: TreePath): Debt | undefined {
    return this.outbox.find(path);
  }

  debts(limit: number): readonly Debt[] {
    return this.outbox.list(limit);
  }

  countDebts(): number {
    return this.outbox.count();
  }

  noteFailure(path: TreePath, message: string): Promise<void> {
    return this.parts.queue.run(() => this.outbox.noteFailure(path, message));
  }

  auditSince(seq: number): Iterable<AuditRecord> {
    return this.audit.since(seq);
  }

  close(): Promise<void> {
    return this.parts.close();
  }

  /** Begins to change rows, in the transaction that is open. */
  private begin(journalBytes: number): RowChanges {
    this.parts.handle.pragma('defer_foreign_keys = ON');
    return new RowChanges(this.parts.handle, journalBytes);
  }
}
