import {
  CHUNK_BYTES,
  DIRECTORY_SHA256,
  invariant,
  type DerivedUnit,
  type LoadContent,
  type LoadEntry,
  type SbiId,
  type TreePath,
  type TreeStat,
  type UnitChange,
} from '@deespec/domain';
import type { Database } from 'better-sqlite3';
import { createHash } from 'node:crypto';

import { ContentRows, readEntry } from './content-rows.js';
import { EntryRows, type EntryRow } from './entry-rows.js';
import { executionKey, IndexRows } from './index-rows.js';
import { SearchRows, UnitText } from './search-rows.js';

/** Where an entry's bytes lie; a directory has none. */
interface Place {
  readonly contentId?: number;
  readonly executionId?: number;
}

/** Where an entry's bytes and its state belong. */
interface Target {
  readonly executionId: number | undefined;
  readonly reason: string | undefined;
  readonly rev: number;
}

/**
 * Writes one unit: index rows, entries and their bytes, and the words to search for, each only where it differs. The one place
 * that decides where bytes are stored: with their execution up to 1 MiB, else in `content`. Every call runs in the caller's
 * transaction.
 */
export class UnitWriter {
  readonly entries: EntryRows;
  readonly contents: ContentRows;
  readonly index: IndexRows;
  private readonly search: SearchRows;

  /** @param isEmpty - the database is empty and every unit is written once: nothing stored is looked for */
  constructor(
    handle: Database,
    private readonly isEmpty = false,
  ) {
    this.entries = new EntryRows(handle);
    this.contents = new ContentRows(handle);
    this.index = new IndexRows(handle, isEmpty);
    this.search = new SearchRows(handle, { isMany: isEmpty });
  }

  /** @param changed - entries of the unit whose bytes, mode or time differ, in the unit's order; consumed lazily */
  write(unit: DerivedUnit, changed: Iterable<LoadEntry>, rev: number): UnitChange {
    this.evict(unit, rev);
    const { rows, placements } = this.index.write(unit);
    const text = unit.sbi === undefined ? undefined : new UnitText({ ...unit, sbi: unit.sbi });
    const incoming = changed[Symbol.iterator]();
    let next = incoming.next();
    const done = { entries: 0, bytes: 0, rows };
    for (const stat of unit.entries) {
      const target = { executionId: placements.get(stat.path), reason: unit.quarantined.get(stat.path), rev };
      if (next.done !== true && next.value.stat.path === stat.path) {
        const { content } = next.value;
        const sha256 = this.put(next.value, target);
        text?.note(stat.path, sha256, 'bytes' in content ? content.bytes : undefined);
        done.entries += 1;
        done.bytes += next.value.stat.size;
        next = incoming.next();
      } else {
        const { sha256, rows: changedRows } = this.settle(stat, target);
        text?.note(stat.path, sha256);
        done.rows += changedRows;
      }
    }
    invariant(next.done === true, 'changed entries come in the order of their unit');
    if (text !== undefined) this.search.write(text, (path) => this.bytesAt(path));
    return done;
  }

  /** Indexes the words of what was written, which can be held back in an empty database. To be called before its transaction ends. */
  flush(): void {
    this.search.flush();
  }

  /** Removes an entry, its bytes and the index rows that came from it. */
  remove(path: TreePath): void {
    this.index.removeAt(path);
    const row = this.entries.find(path);
    if (row === undefined) return;
    this.entries.delete(path);
    this.release(row, undefined);
  }

  /**
   * Puts an entry with its bytes into a row of their own, in place of what stands there; where they belong by their meaning
   * is decided when their unit is written. An entry whose state is not known yet keeps the one it had.
   */
  place({ stat, content }: LoadEntry, rev: number): EntryRow {
    const old = this.entries.find(stat.path);
    const target = { executionId: undefined, reason: old?.reason, rev };
    const isDirectory = stat.kind === 'directory';
    const { place, sha256 } = isDirectory
      ? { place: {} as Place, sha256: DIRECTORY_SHA256 }
      : this.store(stat, content, target);
    const placed = row({ ...stat, sha256 }, place, target);
    this.entries.put(placed, rev);
    if (old !== undefined) this.release(old, undefined);
    return placed;
  }

  /** Moves the bytes that entries have with the executions of an SBI to rows of their own. */
  moveOutOf(id: SbiId, rev: number): void {
    for (const path of this.entries.listWithin(id)) {
      const entry = this.entries.find(path)!;
      this.moveOut(entry, rev);
      this.contents.clearExecution(entry.executionId!);
    }
  }

  /** Moves bytes that lie with an execution which will hold another path, or none, to rows of their own. */
  private evict(unit: DerivedUnit, rev: number): void {
    if (this.isEmpty || unit.kind !== 'sbi') return;
    const wanted = new Map(
      unit.executions.map((execution) => [executionKey(execution), execution.contentPath]),
    );
    // By id, not by directory: another directory can have had the rows of this id before.
    for (const { id, key, path } of this.index.storedExecutions(unit)) {
      if (path === undefined || wanted.get(key) === path) continue;
      const entry = this.entries.find(path);
      if (entry?.executionId === id) this.moveOut(entry, rev);
      this.contents.clearExecution(id);
    }
  }

  private moveOut(entry: EntryRow, rev: number): void {
    const bytes = Buffer.concat([...readEntry(this.contents, entry)]);
    const { id } = this.contents.insert({ bytes, sha256: entry.sha256 }, entry.size);
    this.entries.put(
      row(entry, { contentId: id }, { executionId: undefined, reason: entry.reason, rev }),
      rev,
    );
  }

  private bytesAt(path: TreePath): Buffer {
    return Buffer.concat([...readEntry(this.contents, this.entries.find(path)!)]);
  }

  /** Returns the hash of what was put. */
  private put(load: LoadEntry, target: Target): string {
    const { stat, content } = load;
    const old = this.isEmpty ? undefined : this.entries.find(stat.path);
    const { place, sha256 } =
      stat.kind === 'directory'
        ? { place: {} as Place, sha256: DIRECTORY_SHA256 }
        : this.store(stat, content, target);
    this.entries.put(row({ ...stat, sha256 }, place, target), target.rev);
    if (old !== undefined) this.release(old, place.executionId);
    return sha256;
  }

  /** Brings an entry whose bytes did not change to its present place and state. Returns its hash and the rows that changed. */
  private settle(stat: TreeStat, target: Target): { sha256: string; rows: 0 | 1 } {
    const old = this.entries.find(stat.path);
    invariant(old !== undefined, `an unchanged entry is stored: ${stat.path}`);
    const wanted = fits(stat) ? target.executionId : undefined;
    const moves = stat.kind !== 'directory' && old.executionId !== wanted;
    if (!moves && old.reason === target.reason) return { sha256: old.sha256, rows: 0 };
    if (!moves) {
      this.entries.put(row(old, old, target), target.rev);
      return { sha256: old.sha256, rows: 1 };
    }
    const bytes = Buffer.concat([...readEntry(this.contents, old)]);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    const { place } = this.store(stat, { bytes, sha256 }, target);
    this.entries.put(row(old, place, target), target.rev);
    this.release(old, wanted);
    return { sha256: old.sha256, rows: 1 };
  }

  private store(stat: TreeStat, content: LoadContent, target: Target): { place: Place; sha256: string } {
    if (target.executionId !== undefined && fits(stat) && 'bytes' in content) {
      this.contents.setExecution(target.executionId, content.bytes);
      return { place: { executionId: target.executionId }, sha256: content.sha256 };
    }
    const { id, sha256 } = this.contents.insert(content, stat.size);
    return { place: { contentId: id }, sha256 };
  }

  /** Frees the bytes an entry had before, unless they are in use. */
  private release(old: EntryRow, executionId: number | undefined): void {
    if (old.contentId !== undefined) this.contents.remove(old.contentId);
    if (old.executionId === undefined || old.executionId === executionId) return;
    if (!this.entries.isShared(old.executionId, old.path)) this.contents.clearExecution(old.executionId);
  }
}

/** True for an entry whose bytes can lie with an execution. */
function fits(stat: TreeStat): boolean {
  return stat.kind === 'file' && stat.size <= CHUNK_BYTES;
}

function row(entry: TreeStat & { readonly sha256: string }, place: Place, { reason }: Target): EntryRow {
  return {
    path: entry.path,
    kind: entry.kind,
    mode: entry.mode,
    mtimeNs: entry.mtimeNs,
    sha256: entry.sha256,
    size: entry.size,
    ...(place.contentId === undefined ? {} : { contentId: place.contentId }),
    ...(place.executionId === undefined ? {} : { executionId: place.executionId }),
    ...(reason === undefined ? {} : { reason }),
  };
}
