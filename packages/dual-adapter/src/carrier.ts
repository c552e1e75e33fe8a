import {
  DIRECTORY_SHA256,
  displayPath,
  parentPath,
  StorageError,
  type EditResult,
  type Settlement,
  type TreeEdit,
  type TreeEntry,
  type TreePath,
} from '@deespec/domain';

import { isSameVersion, type Decision, type DiskEntry, type Version } from './decide.js';
import { keepEntry, keepFile, type SyncStores } from './keeping.js';
import { lookAt, type Look } from './look.js';
import { mergeLines } from './merge-lines.js';
import { contentOf, isRacy, observe, projectionOf, verified, type Observation } from './observe.js';
import { putEdits } from './put-edits.js';
import { ancestorsOf } from './scan-order.js';
import { BATCH_BYTES, type Settling } from './settle-batch.js';
import type { Tally } from './sync-report.js';

/** How far a path has come in this synchronisation. */
export interface Turn {
  /** How often it was decided, counted from 1. */
  readonly round: number;
  /** True when everything that is only added or changed is done, and what is removed can be. */
  readonly isLate: boolean;
}

/** What the carrier asks of the one who drives it. */
export interface Steps {
  /** Decides a path again. */
  readonly again: (path: TreePath, turn: Turn) => Promise<void>;
  readonly settle: (item: Settling) => Promise<void>;
  /** Leaves a path for later, when its content is gone. */
  readonly defer: (path: TreePath) => void;
}

/** Carries out decisions. What it writes into files is looked at again afterwards: nothing is recorded that was not seen. */
export class Carrier {
  /** What both stores are known to hold since a write that is not settled yet. */
  readonly #bases = new Map<TreePath, Version | 'absent'>();
  /** Directories that the database has, or has on their way into it. */
  readonly #ensured = new Set<TreePath>();
  /** Directories whose times changed with what was written into them. */
  readonly touched = new Set<TreePath>();
  /** Changes of ours that a store with debts noted down. */
  readonly ownDebts: EditResult[] = [];

  constructor(
    private readonly stores: SyncStores,
    private readonly tally: Tally,
    private readonly steps: Steps,
  ) {}

  /** Everything about a path, as it is now. */
  look(path: TreePath): Look {
    const base = this.#bases.get(path);
    this.#bases.delete(path);
    return lookAt(this.stores, path, base);
  }

  /** Both stores held this when a settlement was made that the database did not take. */
  moved({ settlement: { path }, base }: Settling): void {
    this.#ensured.delete(path);
    if (base !== undefined) this.#bases.set(path, base);
  }

  async carry(look: Look, decision: Decision, turn: Turn): Promise<void> {
    switch (decision.action) {
      case 'nothing':
        return this.#refresh(look, turn);
      case 'note':
        return this.#note(look, turn);
      case 'forget':
        return this.#forget(look, turn);
      case 'import':
        return this.#import(look, decision, turn);
      case 'write':
        return this.#write(look, decision, turn);
      case 'merge':
        return this.#merge(look, decision, turn);
      case 'remove-entry':
        return this.#removeEntry(look, decision, turn);
      case 'remove-file':
        return this.#removeFile(look, decision, turn);
    }
  }

  /** Records that a file has not changed since it was young, so that it is not hashed at every synchronisation. */
  async #refresh(look: Look, turn: Turn): Promise<void> {
    this.tally.count('unchanged');
    const { seen } = look;
    const { projection } = look.facts;
    if (seen === undefined || projection === undefined || !isRacy(projection, projection.seenAtMs)) return;
    if (isRacy(seen.entry, seen.seenAtMs)) return;
    await this.#settle(look, turn, { change: { op: 'none' }, settled: () => undefined });
  }

  async #note(look: Look, turn: Turn): Promise<void> {
    const { projection, debt, entry } = look.facts;
    const seen = look.seen!;
    // Written by us before a crash, perhaps without its name being durable; or by somebody else, who syncs nothing.
    if (debt || (projection !== undefined && !isSameVersion(projection, seen.entry)))
      this.stores.files.syncName(look.path);
    const { mtimeNs } = seen.entry;
    const change =
      entry!.mtimeNs === mtimeNs ? ({ op: 'none' } as const) : ({ op: 'date', mtimeNs } as const);
    await this.#settle(look, turn, { change, base: seen.entry, settled: () => this.tally.wrote() });
  }

  async #forget(look: Look, turn: Turn): Promise<void> {
    if (look.facts.debt) this.stores.files.syncName(look.path);
    await this.#settle(look, turn, { change: { op: 'none' }, settled: () => this.tally.wrote() });
  }

  async #import(look: Look, decision: Decision & { action: 'import' }, turn: Turn): Promise<void> {
    const { entry, debt } = look.facts;
    const seen = look.seen!;
    const { reason } = decision;
    if (debt) this.stores.files.syncName(look.path);
    await this.#entryParents(look.path, turn);
    if (decision.keep === 'sqlite') this.#keepEntry(entry!, reason, seen.entry);
    if (decision.keep === 'files') {
      keepFile(this.stores, this.tally, { seen, reason, keptSha256: seen.entry.sha256 });
    }
    if (entry?.kind === 'file' && entry.sha256 !== seen.entry.sha256) await this.#keepEarlier(entry, turn);
    if (seen.entry.kind === 'directory') this.#ensured.add(look.path);
    await this.#settle(look, turn, {
      change: this.#importOf(seen),
      settled: () => {
        this.tally.count('imported');
        this.tally.wrote();
      },
    });
  }

  async #write(look: Look, decision: Decision & { action: 'write' }, turn: Turn): Promise<void> {
    const { path, seen } = look;
    const entry = look.facts.entry!;
    if (!(await this.#fileParents(path, turn))) return this.#blocked(look, turn);
    if (decision.keep !== undefined) {
      keepFile(this.stores, this.tally, {
        seen: seen!,
        reason: decision.reason,
        keptSha256: entry.sha256,
      });
    }
    for (const edits of putEdits(this.stores.ledger, entry, look.facts.file)) await this.#edit(path, edits);
    this.#bases.set(path, entry);
    this.tally.count('projected');
    await this.#again(path, turn);
  }

  async #merge(look: Look, decision: Decision & { action: 'merge' }, turn: Turn): Promise<void> {
    const { path } = look;
    const { files, ledger } = this.stores;
    const { projection, entry } = look.facts;
    const seen = look.seen!;
    const lines = mergeLines(
      projection?.kind === 'file' ? projection : undefined,
      () => verified(files.read(path), seen.entry, 'FILE.CHANGED'),
      () => verified(ledger.read(path), entry!, 'FILE.CHANGED'),
    );
    if (lines === undefined) {
      const reason = 'changed in both, and the files no longer extend what both had';
      return this.#import(look, { action: 'import', keep: 'sqlite', reason }, turn);
    }
    if (lines.length === 0) return this.#import(look, { ...decision, action: 'import' }, turn);
    await this.#edit(
      path,
      lines.map((line) => ({ op: 'append', path, line })),
    );
    this.tally.count('merged');
    await this.#again(path, turn);
  }

  async #removeFile(look: Look, decision: Decision & { action: 'remove-file' }, turn: Turn): Promise<void> {
    const { path, facts, seen } = look;
    if (decision.keep !== undefined) {
      keepFile(this.stores, this.tally, { seen: seen!, reason: decision.reason, keptSha256: undefined });
    }
    await this.#edit(path, [{ op: 'remove', path, expected: facts.file!.sha256 }]);
    this.#bases.set(path, 'absent');
    this.tally.count('removedFromFiles');
    await this.#again(path, turn);
  }

  async #removeEntry(look: Look, decision: Decision & { action: 'remove-entry' }, turn: Turn): Promise<void> {
    const entry = look.facts.entry!;
    const { files, ledger } = this.stores;
    if (decision.keep !== undefined) this.#keepEntry(entry, decision.reason, undefined);
    else if (entry.kind !== 'directory') {
      files.keepRemoved(entry.path, verified(ledger.read(entry.path), entry, 'FILE.CHANGED'));
    }
    await this.#dropEntry(look, turn);
  }

  /** Something that is no directory stands above the path in the files. They cannot hold it: it becomes a conflict. */
  async #blocked(look: Look, turn: Turn): Promise<void> {
    if (!turn.isLate) return this.steps.defer(look.path);
    const entry = look.facts.entry!;
    if (entry.kind !== 'directory') {
      this.#keepEntry(entry, 'in the files something stands above it that is no directory', undefined);
    }
    await this.#dropEntry(look, turn);
  }

  async #dropEntry(look: Look, turn: Turn): Promise<void> {
    const { path } = look;
    if (look.facts.entry!.kind === 'directory' && this.#hasEntriesBelow(path)) {
      throw changed(path, 'still has content in the database');
    }
    this.#ensured.delete(path);
    await this.#settle(look, turn, {
      change: { op: 'remove' },
      settled: () => {
        this.tally.count('removedFromDatabase');
        this.tally.wrote();
      },
    });
  }

  #hasEntriesBelow(path: TreePath): boolean {
    for (const row of this.stores.ledger.account(path)) {
      if (row.entry !== undefined && row.path !== path) return true;
    }
    return false;
  }

  /** Sees to it that the database has every directory above a path before it has the path. */
  async #entryParents(path: TreePath, turn: Turn): Promise<void> {
    const { ledger } = this.stores;
    for (const above of ancestorsOf(path)) {
      if (this.#ensured.has(above)) continue;
      if (ledger.find(above)?.kind !== 'directory') await this.#again(above, turn);
      if (!this.#ensured.has(above)) await this.#importAbove(lookAt(this.stores, above, undefined), turn);
      this.#ensured.add(above);
    }
  }

  /** Imports a directory of the files that is to hold something; what the database has in its place becomes a conflict. */
  async #importAbove(look: Look, turn: Turn): Promise<void> {
    const { entry } = look.facts;
    if (entry?.kind === 'directory') return;
    if (look.seen?.entry.kind !== 'directory') throw changed(look.path, 'changed while it was looked at');
    const reason = 'in the files it is a directory with new content';
    const keep = entry === undefined ? {} : ({ keep: 'sqlite' } as const);
    await this.#import(look, { action: 'import', reason, ...keep }, turn);
  }

  /** Makes every directory above a path in the files. @returns false when something else stands in the way */
  async #fileParents(path: TreePath, turn: Turn): Promise<boolean> {
    const { files, ledger } = this.stores;
    for (const above of ancestorsOf(path)) {
      const stat = files.statOf(above);
      if (stat !== undefined && stat.kind !== 'directory') return false;
      if (stat !== undefined) continue;
      const entry = ledger.find(above);
      const mode = entry?.kind === 'directory' ? entry.mode : 0o755;
      const version = { path: above, kind: 'directory', mode, bytes: Buffer.alloc(0) } as const;
      await this.#edit(above, [{ op: 'put', version, expected: undefined }]);
      this.#bases.set(above, { kind: 'directory', mode, sha256: DIRECTORY_SHA256 });
      await this.#again(above, turn);
    }
    return true;
  }

  async #keepEarlier(entry: TreeEntry, turn: Turn): Promise<void> {
    const { files, ledger, earlier, now } = this.stores;
    const target = await earlier?.(entry.path, entry);
    if (target === undefined) return;
    const there = observe(files, target, now ?? systemTime);
    const isFree = there === undefined && (await this.#fileParents(target, turn));
    if (!isFree && there?.entry.sha256 !== entry.sha256) {
      return this.#keepEntry(entry, 'replaced, and the place for it is taken', undefined);
    }
    if (isFree) {
      const open = (): Iterable<Buffer> => verified(ledger.read(entry.path), entry, 'FILE.CHANGED');
      const bytes = { size: entry.size, sha256: entry.sha256, open };
      await this.#edit(target, [
        { op: 'put', version: { ...entry, path: target, bytes }, expected: undefined },
      ]);
    }
    await this.#again(target, turn);
  }

  #keepEntry(version: TreeEntry, reason: string, winner: DiskEntry | undefined): void {
    keepEntry(this.stores, this.tally, { version, reason, keptSha256: winner?.sha256 });
  }

  async #edit(path: TreePath, edits: readonly TreeEdit[]): Promise<void> {
    const result = await this.stores.files.edit(() => ({ edits }));
    if (result.debt !== undefined) this.ownDebts.push(result);
    const parent = parentPath(path);
    if (parent !== '') this.touched.add(parent as TreePath);
    this.tally.wrote();
  }

  #again(path: TreePath, turn: Turn): Promise<void> {
    return this.steps.again(path, { ...turn, round: turn.round + 1 });
  }

  #importOf(seen: Observation): Settlement['change'] {
    return { op: 'import', stat: seen.entry, content: contentOf(this.stores.files, seen) };
  }

  #settle(
    { path, facts, seen, clears }: Look,
    turn: Turn,
    item: Pick<Settling, 'settled' | 'base'> & Pick<Settlement, 'change'>,
  ): Promise<void> {
    const { change, ...rest } = item;
    const projection = seen === undefined ? undefined : projectionOf(seen);
    const paid = clears === undefined ? {} : { clears };
    const settlement = { path, expected: facts.entry, change, projection, ...paid };
    const isStream = change.op === 'import' && 'chunks' in change.content;
    const size = isStream ? BATCH_BYTES : change.op === 'import' ? change.stat.size : 0;
    return this.steps.settle({ settlement, size, ...turn, ...rest });
  }
}

function systemTime(): Date {
  return new Date();
}

function changed(path: TreePath, what: string): StorageError {
  return new StorageError('FILE.CHANGED', `"${displayPath(path)}" ${what}`, {
    hint: 'it is looked at again',
    details: { path: displayPath(path) },
  });
}
