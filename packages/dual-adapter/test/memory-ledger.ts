import {
  DIRECTORY_SHA256,
  parentPath,
  type AccountRow,
  type AuditRecord,
  type Debt,
  type EditPlan,
  type EditResult,
  type Ledger,
  type Projection,
  type Settlement,
  type TreeEdit,
  type TreeEntry,
  type TreePath,
  type TreeStat,
  type TreeView,
} from '@deespec/domain';
import { chainAudit, isChained } from '@deespec/layout';

import { isSameVersion } from '../src/decide.js';
import { compareScanOrder } from '../src/scan-order.js';
import { failure, hashOf } from './memory-files.js';
import type { World } from './world.js';

interface Row {
  readonly entry: TreeEntry;
  readonly bytes: Buffer;
}

/** What outlives a process. A change replaces it as a whole, as a commit does. */
interface Tables {
  readonly rows: ReadonlyMap<TreePath, Row>;
  readonly projections: ReadonlyMap<TreePath, Projection>;
  readonly debts: ReadonlyMap<TreePath, Debt>;
  readonly audit: readonly AuditRecord[];
  readonly rev: number;
}

export class Database {
  tables: Tables = { rows: new Map(), projections: new Map(), debts: new Map(), audit: [], rev: 0 };
  constructor(readonly world: World) {}
}

/** A transaction: copies that a commit makes the tables. */
interface Draft {
  rows: Map<TreePath, Row>;
  projections: Map<TreePath, Projection>;
  debts: Map<TreePath, Debt>;
  audit: AuditRecord[];
  rev: number;
}

/** The database's port on a {@link Database}. */
export class MemoryLedger implements Ledger {
  owes: boolean;
  /** Debts come in any order: the result must not depend on it. */
  isShuffled = false;

  constructor(
    readonly database: Database,
    { owes }: { owes: boolean },
  ) {
    this.owes = owes;
  }

  private get world(): World {
    return this.database.world;
  }

  *scan(): Generator<TreeStat> {
    for (const path of [...this.database.tables.rows.keys()].sort(compareScanOrder)) {
      const entry = this.find(path);
      if (entry !== undefined) yield entry;
    }
  }

  find(path: TreePath): TreeEntry | undefined {
    this.world.enter();
    return this.database.tables.rows.get(path)?.entry;
  }

  *read(path: TreePath): Generator<Buffer> {
    this.world.enter();
    const row = this.database.tables.rows.get(path);
    if (row === undefined) throw failure('FILE.NOT_FOUND', path);
    const { bytes } = row;
    for (let start = 0; start < bytes.length; start += 1_048_576)
      yield bytes.subarray(start, start + 1_048_576);
  }

  async look<T>(look: (tree: TreeView) => T): Promise<T> {
    this.world.enter();
    return this.world.alone(() => look(this.view()));
  }

  async edit(plan: (tree: TreeView) => EditPlan): Promise<EditResult> {
    this.world.enter();
    const { edits, audit: notes = [] } = this.world.alone(() => plan(this.view()));
    const draft = this.begin();
    draft.rev += 1;
    const paths = new Set(edits.flatMap((edit) => this.make(draft.rows, edit)));
    let head = draft.audit.at(-1);
    const audit = notes.map((note) => (head = chainAudit(note, head)));
    draft.audit.push(...audit);
    if (this.owes && this.world.mutation !== 'debt after the change') owe(draft, paths);
    if (this.world.mutation === 'acknowledged before durable' && this.world.chance(0.2))
      return { paths: [...paths], audit };
    this.commit(draft);
    if (this.owes && this.world.mutation === 'debt after the change') {
      const late = this.begin();
      owe(late, paths);
      this.commit(late);
    }
    return { paths: [...paths], audit };
  }

  projected(path: TreePath): Projection | undefined {
    this.world.enter();
    return this.database.tables.projections.get(path);
  }

  *account(below?: TreePath): Generator<AccountRow> {
    const { rows, projections } = this.database.tables;
    for (const path of [...new Set([...rows.keys(), ...projections.keys()])].sort(compareScanOrder)) {
      if (below !== undefined && path !== below && !path.startsWith(`${below}/`)) continue;
      const [entry, projection] = [rows.get(path)?.entry, projections.get(path)];
      yield {
        path,
        ...(entry === undefined ? {} : { entry }),
        ...(projection === undefined ? {} : { projection }),
      };
    }
  }

  debtOf(path: TreePath): Debt | undefined {
    this.world.enter();
    return this.database.tables.debts.get(path);
  }

  debts(limit: number): readonly Debt[] {
    const debts = [...this.database.tables.debts.values()];
    if (this.world.mutation === 'debt cleared when read') {
      this.database.tables = { ...this.database.tables, debts: new Map() };
    }
    return (this.isShuffled ? debts.reverse() : debts).slice(0, limit);
  }

  countDebts(): number {
    return this.database.tables.debts.size;
  }

  async settle(
    settlements: readonly Settlement[],
    audit: readonly AuditRecord[] = [],
  ): Promise<readonly TreePath[]> {
    this.world.enter();
    const draft = this.begin();
    const moved: TreePath[] = [];
    for (const settlement of inOrder(settlements)) {
      const { path, clears } = settlement;
      const isExpected = isAsExpected(draft, settlement) && hasPlace(draft, settlement);
      const { mutation } = this.world;
      if (mutation === 'debt cleared whatever its revision') draft.debts.delete(path);
      else if (isExpected && clears === draft.debts.get(path)?.rev) draft.debts.delete(path);
      if (isExpected || mutation === 'settled whatever the database holds') apply(draft, settlement);
      else if (mutation !== 'debt cleared whatever its revision') moved.push(path);
    }
    for (const record of audit) {
      if (draft.audit.some(({ hash }) => hash === record.hash)) continue;
      if (!isChained(record, draft.audit.at(-1))) throw failure('AUDIT.BROKEN', `record ${record.seq}`);
      draft.audit.push(record);
    }
    this.commit(draft);
    return moved;
  }

  async noteFailure(path: TreePath, message: string): Promise<void> {
    const debt = this.database.tables.debts.get(path);
    if (debt === undefined) return;
    const draft = this.begin();
    draft.debts.set(path, { ...debt, tries: debt.tries + 1, lastError: message });
    this.commit(draft);
  }

  auditSince(seq: number): Iterable<AuditRecord> {
    return this.database.tables.audit.filter((record) => record.seq > seq);
  }

  async close(): Promise<void> {
    // Nothing is held.
  }

  private view(): TreeView {
    return Object.assign(Object.create(this) as MemoryLedger, {
      journal: { add: () => undefined, eventsOf: () => [], countOf: () => 0, picksOf: () => 0 },
      entriesOf: () => [],
      newestSbis: () => [],
    });
  }

  private begin(): Draft {
    const { rows, projections, debts, audit, rev } = this.database.tables;
    return {
      rows: new Map(rows),
      projections: new Map(projections),
      debts: new Map(debts),
      audit: [...audit],
      rev,
    };
  }

  /** All of it or nothing; the process may die before, and after, when it does not know any more. */
  private commit(draft: Draft): void {
    this.world.burn();
    this.database.tables = draft;
    this.world.burn();
  }

  private make(rows: Map<TreePath, Row>, edit: TreeEdit): TreePath[] {
    const path = edit.op === 'put' ? edit.version.path : edit.path;
    const there = rows.get(path);
    const below = [...rows.keys()].filter((each) => each.startsWith(`${path}/`));
    if (edit.op === 'discard') {
      for (const each of [path, ...below]) rows.delete(each);
      return [path, ...below];
    }
    if (edit.op === 'remove') {
      if (there === undefined) throw failure('FILE.NOT_FOUND', path);
      if (there.entry.sha256 !== edit.expected || below.length > 0) throw failure('FILE.CHANGED', path);
      rows.delete(path);
      return [path];
    }
    const parent = parentPath(path) as TreePath;
    if (parent !== ('' as TreePath) && rows.get(parent)?.entry.kind !== 'directory')
      throw failure('FILE.NOT_FOUND', path);
    const version = edit.op === 'put' ? edit.version : appended(there, edit);
    const isOther =
      there !== undefined && (there.entry.kind === 'directory') !== (version.kind === 'directory');
    if (isOther || (edit.op === 'put' && there?.entry.sha256 !== edit.expected))
      throw failure('FILE.CHANGED', path);
    const bytes = version.bytes as Buffer;
    const { kind, mode } = version;
    const entry = {
      path,
      kind,
      mode,
      mtimeNs: version.mtimeNs ?? this.world.fileTimeNs(),
      size: bytes.length,
    };
    rows.set(path, { entry: { ...entry, sha256: hashOf({ kind, bytes }) }, bytes });
    return [path];
  }
}

function appended(there: Row | undefined, { path, line }: TreeEdit & { op: 'append' }) {
  const before = there?.bytes ?? Buffer.alloc(0);
  const end = before.length === 0 || before.at(-1) === 10 ? '' : '\n';
  const bytes = Buffer.concat([before, Buffer.from(end), line]);
  return { path, kind: 'file', mode: there?.entry.mode ?? 0o644, bytes, mtimeNs: undefined } as const;
}

function owe(draft: Draft, paths: Iterable<TreePath>): void {
  for (const path of paths) {
    draft.debts.delete(path);
    draft.debts.set(path, { path, rev: draft.rev, since: '2026-01-02T03:04:05.000000000Z', tries: 0 });
  }
}

/** Removals first, from below; then everything else, from above. */
function inOrder(settlements: readonly Settlement[]): Settlement[] {
  const sorted = [...settlements].sort((one, other) => compareScanOrder(one.path, other.path));
  const isRemoval = ({ change }: Settlement): boolean => change.op === 'remove';
  return [...sorted.filter(isRemoval).reverse(), ...sorted.filter((item) => !isRemoval(item))];
}

function isAsExpected({ rows }: Draft, { path, expected }: Settlement): boolean {
  const there = rows.get(path)?.entry;
  if (there === undefined || expected === undefined) return there === expected;
  return isSameVersion(there, expected);
}

/** A directory above it, and nothing left below what is to be none. */
function hasPlace({ rows }: Draft, { path, change }: Settlement): boolean {
  if (change.op === 'none' || change.op === 'date') return true;
  const isDirectory = change.op === 'import' && change.stat.kind === 'directory';
  if (!isDirectory && [...rows.keys()].some((each) => each.startsWith(`${path}/`))) return false;
  const parent = parentPath(path) as TreePath | '';
  return change.op === 'remove' || parent === '' || rows.get(parent)?.entry.kind === 'directory';
}

function apply(draft: Draft, { path, change, projection }: Settlement): void {
  if (projection === undefined) draft.projections.delete(path);
  else draft.projections.set(path, projection);
  if (change.op === 'remove') draft.rows.delete(path);
  if (change.op === 'date') {
    const row = draft.rows.get(path)!;
    draft.rows.set(path, { ...row, entry: { ...row.entry, mtimeNs: change.mtimeNs } });
  }
  if (change.op !== 'import') return;
  const { kind, mode, mtimeNs } = change.stat;
  const { content } = change;
  const bytes = 'bytes' in content ? content.bytes : Buffer.concat([...content.chunks]);
  const sha256 = kind === 'directory' ? DIRECTORY_SHA256 : hashOf({ kind, bytes });
  draft.rows.set(path, { entry: { path, kind, mode, mtimeNs, size: bytes.length, sha256 }, bytes });
}
