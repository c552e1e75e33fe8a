import {
  invariant,
  type AuditEntry,
  type DiskStat,
  type JournalEvent,
  type JournalSpool,
  type SbiId,
  type TreePath,
  type TreeReader,
} from '@deespec/domain';
import type { TreeContext, TreeUnit } from '@deespec/layout';
import { createHash } from 'node:crypto';
import { deflateRawSync, inflateRawSync } from 'node:zlib';

import type { AuditFile } from './audit-file.js';
import type { DiskTree } from './disk-tree.js';
import { entriesOfSbi } from './disk-view.js';
import { unitRows, type UnitRows } from './index-rows.js';
import type { JournalCache, JournalState } from './journal-cache.js';
import { loadLayout, type Layout } from './load-layout.js';
import type { UnitSource, UnitView } from './unit-index.js';

/** What {@link FileUnits} are derived from. */
export interface FileUnitsParts {
  readonly tree: DiskTree;
  readonly journal: JournalCache;
  readonly audit: AuditFile;
}

/** A unit as it was derived, and from what. */
interface HeldUnit {
  readonly basis: string;
  /** Its {@link UnitRows}, packed: a byte string. */
  readonly packed: string;
  /** The last walk that came by. */
  walk: number;
}

/** Two versions of a file can look the same this long, milliseconds: the coarsest clock of a file system. Source: docs/adr/0013. */
const RACY_MS = 2_000;

/** So much of the derived units is held in all, bytes: some 30,000 SBIs. What is beyond is derived for each query. */
const MOST_HELD_BYTES = 32 * 1_048_576;

/** What a held unit takes beside its rows, bytes. */
const UNIT_BYTES = 250;

/**
 * The units of a tree on disk. Every query looks at the tree again, by `lstat` alone, and derives those whose
 * files changed since, or what they depend on: the journal's events of their SBI, the state file, the keys of `workflow.json`.
 * So the next query sees what any program wrote.
 */
export class FileUnits implements UnitSource {
  readonly #held = new Map<TreePath, HeldUnit>();
  #heldBytes = 0;
  #walk = 0;

  constructor(private readonly parts: FileUnitsParts) {}

  async look(): Promise<UnitView> {
    const layout = await loadLayout();
    const look = this.#look(layout);
    const { tree } = this.parts;
    const { SBI_ROOT, TRANSACTION_ROOT, SETTINGS } = layout.layout;
    const at = (path: TreePath): UnitRows | undefined => this.#derive(tree.scan(path), look)[0];
    return {
      sbis: () => this.#below(SBI_ROOT, look),
      transactions: () => this.#below(TRANSACTION_ROOT, look),
      settings: () => SETTINGS.map(at).filter((unit) => unit !== undefined),
      of: (id) => this.#derive(entriesOfSbi(tree, layout, id), look),
    };
  }

  read(path: TreePath): Iterable<Buffer> {
    return this.parts.tree.read(path);
  }

  audit(): Iterable<AuditEntry> {
    return this.parts.audit.since(0);
  }

  *#below(directory: TreePath, look: Look): Generator<UnitRows> {
    const walk = (this.#walk += 1);
    for (const unit of look.layout.layout.groupUnits(this.parts.tree.scan(directory)))
      yield this.#rowsOf(unit, look);
    for (const [path, held] of this.#held) {
      if (held.walk < walk && path.startsWith(`${directory}/`)) this.#forget(path);
    }
  }

  #derive(entries: Iterable<DiskStat>, look: Look): readonly UnitRows[] {
    return [...look.layout.layout.groupUnits(entries)].map((unit) => this.#rowsOf(unit, look));
  }

  #rowsOf(unit: TreeUnit, look: Look): UnitRows {
    const basis = basisOf(unit, look);
    const held = this.#held.get(unit.path);
    if (held?.basis === basis) {
      held.walk = this.#walk;
      return unpack(held.packed);
    }
    const rows = unitRows(look.layout.layout.deriveUnit(unit, look.context, this.parts.tree));
    this.#forget(unit.path);
    if (isSettled(unit, look.nowMs)) this.#hold(rows, basis);
    return rows;
  }

  #hold(rows: UnitRows, basis: string): void {
    const packed = pack(rows);
    const bytes = bytesOf(rows.path, packed);
    if (this.#heldBytes + bytes > MOST_HELD_BYTES) return;
    this.#heldBytes += bytes;
    this.#held.set(rows.path, { basis, packed, walk: this.#walk });
  }

  #forget(path: TreePath): void {
    const held = this.#held.get(path);
    if (held === undefined) return;
    this.#heldBytes -= bytesOf(path, held.packed);
    this.#held.delete(path);
  }

  #look(layout: Layout): Look {
    const nowMs = Date.now();
    const { tree, journal } = this.parts;
    tree.root.forget();
    const { readContext, JOURNAL } = layout.layout;
    const spool = new JournalAt(() => journal.now(layout));
    const context = readContext(withoutEntry(tree, JOURNAL), { checks: layout.checks, spool });
    return { layout, journal: spool, nowMs, context };
  }
}

/** What a query sees beside the units. */
interface Look {
  readonly layout: Layout;
  readonly journal: JournalAt;
  readonly context: TreeContext;
  /** Before anything was read. */
  readonly nowMs: number;
}

/** The journal as it is when an SBI is looked at first: settings and transactions do not need it. */
class JournalAt implements JournalSpool {
  #state: JournalState | undefined;

  constructor(private readonly read: () => JournalState) {}

  textOf(id: SbiId): string {
    return this.#now.textOf(id);
  }

  eventsOf(id: SbiId): readonly JournalEvent[] {
    return this.#now.eventsOf(id);
  }

  countOf(id: SbiId): number {
    return this.#now.countOf(id);
  }

  picksOf(id: SbiId): number {
    return this.#now.picksOf(id);
  }

  add(): void {
    invariant(false, 'a journal that is only looked at gets no events');
  }

  get #now(): JournalState {
    return (this.#state ??= this.read());
  }
}

function bytesOf(path: TreePath, packed: string): number {
  return path.length + packed.length + UNIT_BYTES;
}

/** Small buffers: what is packed is 2 KB. It takes 600 bytes then, in 40 microseconds, and 12 more than JSON to unpack. */
const packing = { level: 1, windowBits: 11, memLevel: 4 } as const;

function pack(rows: UnitRows): string {
  // A small buffer would keep the larger one that it is a piece of.
  return deflateRawSync(JSON.stringify(rows), packing).toString('latin1');
}

function unpack(packed: string): UnitRows {
  return JSON.parse(inflateRawSync(Buffer.from(packed, 'latin1'), packing).toString()) as UnitRows;
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
  hash.update(`${duplicateOf}\0${journal.textOf(sbiId)}\0${state}`);
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
