import {
  DIRECTORY_SHA256,
  parentPath,
  StorageError,
  type AuditRecord,
  type Conflict,
  type DiskStat,
  type EditPlan,
  type EditResult,
  type EntryKind,
  type ErrorCode,
  type FileDebt,
  type ProjectedFiles,
  type TreeEdit,
  type TreeEntry,
  type TreePath,
  type TreeView,
} from '@deespec/domain';
import { chainAudit } from '@deespec/layout';
import { createHash } from 'node:crypto';

import { compareScanOrder } from '../src/scan-order.js';
import type { World } from './world.js';

/** An entry of the disk. */
export interface Node {
  kind: EntryKind;
  mode: number;
  mtimeNs: bigint;
  ctimeNs: bigint;
  ino: bigint;
  bytes: Buffer;
}

type Put = Extract<TreeEdit, { op: 'put' }>;

interface Intent {
  readonly id: string;
  readonly edits: readonly TreeEdit[];
  readonly paths: readonly TreePath[];
  readonly audit: readonly AuditRecord[];
  /** Length of each journal before the edit. */
  readonly lengths: ReadonlyMap<TreePath, number>;
}

/** What outlives a process. */
export class Disk {
  nodes = new Map<TreePath, Node>();
  /** What a power cut brings back, because the name was not synced. */
  readonly unsynced = new Map<TreePath, Node | undefined>();
  intent: Intent | undefined;
  debts: FileDebt[] = [];
  audit: AuditRecord[] = [];
  /** How much of the audit file was synced. */
  syncedAudit = 0;
  readonly conflicts: { conflict: Conflict; bytes: Buffer }[] = [];
  readonly trash: Buffer[] = [];
  /** What edits put over something else, and when. */
  readonly projected: { path: TreePath; sha256: string; atMs: number }[] = [];

  constructor(readonly world: World) {}

  put(path: TreePath, node: Pick<Node, 'kind' | 'mode' | 'bytes'> & { mtimeNs?: bigint }): void {
    const time = this.world.fileTimeNs();
    this.nodes.set(path, {
      mtimeNs: time,
      ...node,
      ctimeNs: time,
      ino: BigInt(this.world.next()),
    });
    this.bump(path);
  }

  remove(path: TreePath): void {
    this.nodes.delete(path);
    this.bump(path);
  }

  /** The time of the directory that holds `path`. */
  bump(path: TreePath): void {
    const parent = this.nodes.get(parentPath(path) as TreePath);
    if (parent !== undefined) parent.mtimeNs = parent.ctimeNs = this.world.fileTimeNs();
  }

  below(path: TreePath): TreePath[] {
    return [...this.nodes.keys()].filter((each) => each.startsWith(`${path}/`));
  }

  /** What is not durable is gone. */
  cutPower(): void {
    for (const [path, node] of this.unsynced) {
      if (node === undefined) this.nodes.delete(path);
      else if (this.nodes.has(parentPath(path) as TreePath) || !path.includes('/'))
        this.nodes.set(path, node);
    }
    this.unsynced.clear();
    this.audit = this.audit.slice(0, this.syncedAudit);
  }
}

/** The files' port on a {@link Disk}. */
export class MemoryFiles implements ProjectedFiles {
  owes: boolean;

  constructor(
    readonly disk: Disk,
    { owes }: { owes: boolean },
  ) {
    this.owes = owes;
  }

  private get world(): World {
    return this.disk.world;
  }

  *scan(below?: TreePath): Generator<DiskStat> {
    const paths = [...this.disk.nodes.keys()].sort(compareScanOrder);
    for (const path of paths) {
      if (below !== undefined && path !== below && !path.startsWith(`${below}/`)) continue;
      const stat = this.statOf(path);
      if (stat !== undefined) yield stat;
    }
  }

  statOf(path: TreePath): DiskStat | undefined {
    this.world.enter();
    const node = this.disk.nodes.get(path);
    if (node === undefined) return undefined;
    const { bytes, ...stat } = node;
    return { path, ...stat, size: bytes.length };
  }

  find(path: TreePath): TreeEntry | undefined {
    return this.world.alone(() => {
      const stat = this.statOf(path);
      return stat && { ...stat, sha256: hashOf(this.disk.nodes.get(path)!) };
    });
  }

  *read(path: TreePath): Generator<Buffer> {
    this.world.enter();
    const node = this.disk.nodes.get(path);
    if (node === undefined) throw failure('FILE.NOT_FOUND', path);
    const { bytes } = node;
    for (let start = 0; start < bytes.length; start += 1_048_576)
      yield bytes.subarray(start, start + 1_048_576);
  }

  hasProjected(path: TreePath, sha256: string, sinceMs: number): boolean {
    return this.disk.projected.some(
      (put) => put.path === path && put.sha256 === sha256 && put.atMs >= sinceMs,
    );
  }

  async look<T>(look: (tree: TreeView) => T): Promise<T> {
    this.world.enter();
    this.recover();
    return this.world.alone(() => look(this.view()));
  }

  async edit(plan: (tree: TreeView) => EditPlan): Promise<EditResult> {
    this.world.enter();
    this.recover();
    const { edits, audit: notes = [] } = this.world.alone(() => plan(this.view()));
    this.check(edits);
    const single = edits.length === 1 && notes.length === 0 ? edits[0]! : undefined;
    if (single?.op === 'put' && 'open' in single.version.bytes) return this.putAlone(single);
    const intent = this.intend(edits, notes);
    if (this.world.mutation === 'acknowledged before durable' && this.world.chance(0.5)) this.world.burn();
    else {
      this.disk.intent = this.world.mutation === 'debt after the change' ? undefined : intent;
      this.world.burn();
    }
    this.carryOut(intent, 'first');
    const debt = this.conclude(intent);
    this.world.burn();
    return { paths: intent.paths, audit: intent.audit, ...debt };
  }

  /** What a new process, or the next edit, does with the edit that a dead process left. */
  recover(): void {
    const { intent } = this.disk;
    if (intent === undefined) return;
    this.carryOut(intent, 'again');
    this.conclude(intent);
  }

  syncName(path: TreePath): void {
    this.world.enter();
    if (this.world.mutation !== 'names not synced') this.disk.unsynced.delete(path);
  }

  fileDebts(): readonly string[] {
    return this.disk.debts.map(({ id }) => id);
  }

  fileDebt(id: string): FileDebt | undefined {
    const debt = this.disk.debts.find((one) => one.id === id);
    if (this.world.mutation === 'debt cleared when read') this.clearFileDebt(id);
    return debt;
  }

  clearFileDebt(id: string): void {
    this.world.enter();
    this.world.burn();
    this.disk.debts = this.disk.debts.filter((debt) => debt.id !== id);
  }

  keepConflict(conflict: Omit<Conflict, 'id'>, content: Iterable<Buffer>): string {
    this.world.burn();
    const id = `c${this.world.next()}`;
    const bytes = Buffer.concat([...content]);
    if (this.world.mutation !== 'conflicts not kept') {
      this.disk.conflicts.push({ conflict: { ...conflict, id }, bytes });
    }
    this.world.burn();
    return id;
  }

  listConflicts(): readonly Conflict[] {
    return this.disk.conflicts.map(({ conflict }) => conflict);
  }

  readConflict(id: string): Iterable<Buffer> {
    return [this.disk.conflicts.find(({ conflict }) => conflict.id === id)!.bytes];
  }

  dropConflict(id: string): void {
    const at = this.disk.conflicts.findIndex(({ conflict }) => conflict.id === id);
    this.disk.conflicts.splice(at, 1);
  }

  auditSince(seq: number): Iterable<AuditRecord> {
    return this.disk.audit.filter((record) => record.seq > seq);
  }

  appendAudit(records: readonly AuditRecord[]): void {
    this.world.enter();
    this.world.burn();
    const head = this.disk.audit.at(-1)?.seq ?? 0;
    this.disk.audit.push(...records.filter(({ seq }) => seq > head));
  }

  keepRemoved(_path: TreePath, content: Iterable<Buffer>): void {
    this.world.burn();
    this.disk.trash.push(Buffer.concat([...content]));
  }

  async close(): Promise<void> {
    // Nothing is held.
  }

  private view(): TreeView {
    return Object.assign(Object.create(this) as MemoryFiles, {
      journal: { add: () => undefined, eventsOf: () => [], countOf: () => 0, picksOf: () => 0 },
      entriesOf: () => [],
      newestSbis: () => [],
    });
  }

  /** @throws StorageError when an edit cannot be made on what the edits before it leave */
  private check(edits: readonly TreeEdit[]): void {
    const nodes = new Map([...this.disk.nodes].map(([path, node]) => [path, hashOf(node)]));
    for (const edit of edits) {
      const path = edit.op === 'put' ? edit.version.path : edit.path;
      const parent = parentPath(path) as TreePath;
      const isNew = edit.op === 'put' || edit.op === 'append';
      if (isNew && parent !== ('' as TreePath) && nodes.get(parent) !== DIRECTORY_SHA256) {
        throw failure('FILE.NOT_FOUND', path);
      }
      if (edit.op === 'put') {
        const there = nodes.get(path);
        const wanted = edit.version.kind === 'directory';
        if (there !== edit.expected || (there !== undefined && (there === DIRECTORY_SHA256) !== wanted))
          throw failure('FILE.CHANGED', path);
        nodes.set(path, wanted ? DIRECTORY_SHA256 : 'new');
      } else if (edit.op === 'append') {
        if (nodes.get(path) === DIRECTORY_SHA256) throw failure('FILE.CHANGED', path);
        nodes.set(path, 'new');
      } else if (edit.op === 'remove') {
        if (nodes.get(path) === undefined) throw failure('FILE.NOT_FOUND', path);
        const isFull = [...nodes.keys()].some((each) => each.startsWith(`${path}/`));
        if (nodes.get(path) !== edit.expected || isFull) throw failure('FILE.CHANGED', path);
        nodes.delete(path);
      } else [...nodes.keys()].filter((each) => isWithin(each, path)).forEach((each) => nodes.delete(each));
    }
  }

  private intend(edits: readonly TreeEdit[], notes: NonNullable<EditPlan['audit']>): Intent {
    const paths = new Set<TreePath>();
    const lengths = new Map<TreePath, number>();
    for (const edit of edits) {
      const path = edit.op === 'put' ? edit.version.path : edit.path;
      paths.add(path);
      if (edit.op === 'discard') for (const each of this.disk.below(path)) paths.add(each);
      if (edit.op === 'append') lengths.set(path, this.disk.nodes.get(path)?.bytes.length ?? 0);
    }
    let head = this.disk.audit.at(-1);
    const audit = notes.map((note) => (head = chainAudit(note, head)));
    return { id: `d${this.world.next()}`, edits, paths: [...paths], audit, lengths };
  }

  private carryOut(intent: Intent, when: 'first' | 'again'): void {
    for (const edit of intent.edits) {
      if (edit.op === 'put') this.applyPut(edit);
      else if (edit.op === 'append') this.applyAppend(intent, edit, when);
      else this.applyRemoval(edit.path);
      if (when === 'first') this.world.burn();
    }
  }

  private applyRemoval(top: TreePath): void {
    for (const path of [top, ...this.disk.below(top)]) {
      const node = this.disk.nodes.get(path);
      if (node === undefined) continue;
      this.disk.trash.push(node.bytes);
      this.disk.remove(path);
    }
  }

  /** Redone only where the path is as it was; what somebody wrote since the crash stays. */
  private applyPut({ version: { path, kind, mode, mtimeNs, bytes }, isProjection }: Put): void {
    const content = 'open' in bytes ? Buffer.concat([...bytes.open()]) : Buffer.from(bytes);
    const there = this.disk.nodes.get(path);
    if (there !== undefined) this.disk.trash.push(there.bytes);
    if (isProjection === true) {
      this.disk.projected.push({
        path,
        sha256: hashOf({ kind, bytes: content }),
        atMs: this.world.now().getTime(),
      });
    }
    if (there !== undefined && kind === 'directory') {
      there.mode = mode;
      there.ctimeNs = this.world.fileTimeNs();
      return;
    }
    this.disk.put(path, { kind, mode, bytes: content, ...(mtimeNs === undefined ? {} : { mtimeNs }) });
  }

  private applyAppend(
    { lengths }: Intent,
    { path, line }: TreeEdit & { op: 'append' },
    when: 'first' | 'again',
  ): void {
    const node = this.disk.nodes.get(path);
    const there = node?.bytes ?? Buffer.alloc(0);
    const isDone = there.subarray(lengths.get(path)).includes(line);
    if (when === 'again' && isDone && this.world.mutation !== 'append repeated by recovery') return;
    const end = there.length === 0 || there.at(-1) === 10 ? '' : '\n';
    const bytes = Buffer.concat([there, Buffer.from(end), line]);
    if (node === undefined) this.disk.put(path, { kind: 'file', mode: 0o644, bytes });
    else Object.assign(node, { bytes, mtimeNs: this.world.fileTimeNs(), ctimeNs: this.world.fileTimeNs() });
  }

  private conclude({ id, paths, audit }: Intent): { debt?: string } {
    const known = new Set(this.disk.audit.map(({ seq }) => seq));
    this.disk.audit.push(...audit.filter(({ seq }) => !known.has(seq)));
    this.disk.syncedAudit = this.disk.audit.length;
    this.disk.intent = undefined;
    if (!this.owes) return {};
    if (this.world.mutation === 'debt after the change') this.world.burn();
    this.disk.debts = [...this.disk.debts, { id, paths, audit, since: '2026-01-02T03:04:05.000000000Z' }];
    return { debt: id };
  }

  /** Temporary file, sync, rename, and then, a step later, the sync of the name. */
  private putAlone(put: Put): EditResult {
    const { path } = put.version;
    const before = this.disk.nodes.get(path);
    this.world.alone(() => this.applyPut(put));
    if (!this.disk.unsynced.has(path)) this.disk.unsynced.set(path, before);
    this.world.burn();
    this.disk.unsynced.delete(path);
    return { paths: [path], audit: [] };
  }
}

export function hashOf({ kind, bytes }: Pick<Node, 'kind' | 'bytes'>): string {
  return kind === 'directory' ? DIRECTORY_SHA256 : createHash('sha256').update(bytes).digest('hex');
}

function isWithin(path: string, above: string): boolean {
  return path === above || path.startsWith(`${above}/`);
}

export function failure(code: ErrorCode, path: string): StorageError {
  return new StorageError(code, `refused at ${path}`, { hint: 'a test asks for it', details: { path } });
}
