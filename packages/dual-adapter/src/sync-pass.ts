import {
  displayPath,
  isStorageError,
  StorageError,
  type DiskStat,
  type Projection,
  type TreePath,
} from '@deespec/domain';

import { Carrier, type Turn } from './carrier.js';
import { decide, isSameStat, type Decision } from './decide.js';
import type { SyncStores } from './keeping.js';
import type { Look } from './look.js';
import { depthOf } from './scan-order.js';
import { SettleBatch, stopsAll, type Settling } from './settle-batch.js';
import { actionOf, Tally, type SyncAction } from './sync-report.js';

/** How a synchronisation is made. */
export interface SyncOptions {
  /** Only these, in this order; absent: the whole tree. */
  readonly paths?: readonly TreePath[] | undefined;
  /** Only this path and what is below it. */
  readonly below?: TreePath | undefined;
  /** Decides and reports, and writes nothing. */
  readonly dryRun?: boolean | undefined;
  /** Takes over deletions however many they are. */
  readonly allowDeletions?: boolean | undefined;
  /** Deletions that were taken over shortly before: they count with those of this pass. */
  readonly deletedBefore?: number | undefined;
  /** Called for each path that is not in step. */
  readonly onAction?: ((action: SyncAction) => void) | undefined;
}

/** How often a path is decided before it is left for the next synchronisation. */
const ROUNDS = 5;

/** How often what was settled is decided again because the files changed meanwhile: a busy file is not followed for ever. */
const CONFIRMED_ROUNDS = 3;

/** Up to this many files may vanish at once. Source: docs/adr/0013. */
const FEW_DELETIONS = 20;

/** Up to this share of the entries may vanish at once. Source: docs/adr/0013. */
const DELETED_SHARE = 0.1;

const first: Turn = { round: 1, isLate: false };
const late: Turn = { round: 1, isLate: true };

/** One synchronisation: takes paths one after the other; what must wait for others to be gone is done at the end. */
export class SyncPass {
  readonly tally = new Tally();
  /** What is removed, or stops being a directory: after everything else, the deepest first. */
  readonly #late = new Map<TreePath, Decision['action']>();
  readonly #carrier: Carrier;
  readonly #batch: SettleBatch;

  constructor(
    private readonly stores: SyncStores,
    private readonly options: SyncOptions,
  ) {
    this.#batch = new SettleBatch(stores.ledger, {
      made: (item) => this.#confirm(item),
      moved: (item) => this.#retry(item),
      failed: ({ settlement, ...turn }, error) => this.#failed(settlement.path, error, turn),
    });
    this.#carrier = new Carrier(stores, this.tally, {
      again: (path, turn) => this.#take(path, turn),
      settle: (item) => this.#batch.add(item),
      defer: (path) => this.#late.set(path, 'write'),
    });
  }

  skip(): void {
    this.#proceed();
    this.tally.count('scanned');
    this.tally.count('unchanged');
  }

  async take(path: TreePath): Promise<void> {
    this.#proceed();
    this.tally.count('scanned');
    await this.#take(path, first);
  }

  /** Has the time of a directory looked at again at the end. */
  touch(directory: TreePath): void {
    this.#carrier.touched.add(directory);
  }

  /**
   * Does what was left for the end.
   *
   * @param entries - how many entries the database has, when that is known
   * @returns the error to throw when everything else is done: too much vanished at once, so nothing of it was taken over
   */
  async finish(entries: number | undefined): Promise<StorageError | undefined> {
    await this.#batch.flush();
    const refused = this.#guard(entries);
    if (this.options.dryRun === true) return refused;
    const paths = [...this.#late.keys()].sort((one, other) => depthOf(other) - depthOf(one));
    for (const [index, path] of paths.entries()) {
      // The content of a directory is gone from the database before the directory is.
      if (index > 0 && depthOf(path) < depthOf(paths[index - 1]!)) await this.#batch.flush();
      this.#proceed();
      await this.#take(path, late);
    }
    await this.#batch.flush();
    await this.#noteDirectories();
    this.#clearOwnDebts();
    return refused;
  }

  /** The time of a directory changes with what is written into it. */
  async #noteDirectories(): Promise<void> {
    const { files, ledger } = this.stores;
    for (const path of this.#carrier.touched) {
      const stands = files.statOf(path)?.kind === 'directory' && ledger.find(path)?.kind === 'directory';
      if (stands) await this.#take(path, late);
    }
    await this.#batch.flush();
  }

  /** What was written into the files from the database is owed to nobody. */
  #clearOwnDebts(): void {
    for (const { debt, paths } of this.#carrier.ownDebts) {
      if (debt !== undefined && this.tally.isSettled(paths)) this.stores.files.clearFileDebt(debt);
    }
  }

  #guard(known: number | undefined): StorageError | undefined {
    const { allowDeletions, deletedBefore = 0 } = this.options;
    const gone = [...this.#late].filter(([, action]) => action === 'remove-entry').map(([path]) => path);
    const deleted = gone.length + deletedBefore;
    if (allowDeletions === true || gone.length === 0 || deleted <= FEW_DELETIONS) return undefined;
    const entries = deletedBefore + (known ?? countEntries(this.stores));
    const most = Math.max(FEW_DELETIONS, Math.floor(entries * DELETED_SHARE));
    if (deleted <= most) return undefined;
    // Also what stops being a directory: its content is among what vanished.
    for (const [path, action] of this.#late) {
      if (action === 'remove-entry' || action === 'import') this.#late.delete(path);
    }
    return new StorageError(
      'SYNC.MASS_DELETION',
      `${deleted} of ${entries} entries vanished from the files; ${deletedBefore === 0 ? 'none' : `only the first ${deletedBefore}`} were deleted in the database`,
      {
        hint: 'if they were meant to go: "deespec sync --allow-deletions"; else put them back from a backup',
        details: { deleted, entries, allowed: most, first: gone.slice(0, 10).map(displayPath) },
      },
    );
  }

  async #take(path: TreePath, turn: Turn): Promise<void> {
    if (turn.round > ROUNDS) return this.tally.unstable(path);
    try {
      const look = this.#carrier.look(path);
      const decision = decide(look.facts);
      if (turn === first && decision.action !== 'nothing') this.options.onAction?.(actionOf(path, decision));
      if (!turn.isLate && isForLater(look, decision)) return await this.#defer(path, decision);
      if (this.options.dryRun !== true) await this.#carrier.carry(look, decision, turn);
      else if (decision.action === 'nothing') this.tally.count('unchanged');
    } catch (error) {
      await this.#failed(path, error, turn);
    }
  }

  /** With given paths, what is below a directory that goes is not among them for certain. */
  async #defer(path: TreePath, { action }: Decision): Promise<void> {
    if (this.#late.has(path)) return;
    this.#late.set(path, action);
    if (this.options.paths === undefined) return;
    const { files, ledger } = this.stores;
    const below = new Set<TreePath>();
    if (ledger.find(path)?.kind === 'directory') for (const row of ledger.account(path)) below.add(row.path);
    if (files.statOf(path)?.kind === 'directory') for (const stat of files.scan(path)) below.add(stat.path);
    below.delete(path);
    for (const each of below) if (!this.#late.has(each)) await this.#take(each, first);
  }

  /**
   * Looks whether the files still are what was settled. An edit of ours may have come in between, and its debt have been paid
   * by somebody who saw nothing to do because the database was not changed yet: nobody else would look again.
   */
  async #confirm({ settlement: { path, projection }, round, isLate }: Settling): Promise<void> {
    if (round > CONFIRMED_ROUNDS) return;
    try {
      if (isStill(this.stores.files.statOf(path), projection)) return;
    } catch (error) {
      return this.#failed(path, error, { round, isLate });
    }
    await this.#take(path, { round: round + 1, isLate });
  }

  #retry(item: Settling): Promise<void> {
    this.#carrier.moved(item);
    return this.#take(item.settlement.path, { round: item.round + 1, isLate: item.isLate });
  }

  async #failed(path: TreePath, error: unknown, turn: Turn): Promise<void> {
    if (stopsAll(error) || !isStorageError(error)) throw error;
    const { code, message } = error;
    // Somebody writes at the same time: what stands there now decides.
    if (code === 'FILE.CHANGED' || code === 'FILE.NOT_FOUND') {
      return this.#take(path, { ...turn, round: turn.round + 1 });
    }
    if (code === 'FILE.UNSTABLE') return this.tally.unstable(path);
    this.tally.failed({ path, code, message });
    if (this.stores.ledger.debtOf(path) !== undefined)
      await this.stores.ledger.noteFailure(path, `${code}: ${message}`);
  }

  #proceed(): void {
    if (this.stores.signal?.aborted === true) {
      throw new StorageError('INTERRUPTED', 'interrupted; what was brought in step stays so', {
        hint: 'run "deespec sync" to continue',
      });
    }
  }
}

function countEntries({ ledger }: SyncStores): number {
  let count = 0;
  for (const { entry } of ledger.account()) if (entry !== undefined) count += 1;
  return count;
}

/** True when the files are as they were recorded. A directory may have been written into: it is noted at the end. */
function isStill(stat: DiskStat | undefined, projection: Projection | undefined): boolean {
  if (stat === undefined || projection === undefined) return stat === projection;
  if (stat.kind !== 'directory') return isSameStat(stat, projection);
  return projection.kind === 'directory' && stat.mode === projection.mode;
}

/** True for what removes an entry, and for what puts something else where a directory stands. */
function isForLater({ facts: { file, entry } }: Look, { action }: Decision): boolean {
  if (action === 'remove-entry' || action === 'remove-file') return true;
  if (action === 'write') return file?.kind === 'directory' && entry!.kind !== 'directory';
  return action === 'import' && entry?.kind === 'directory' && file!.kind !== 'directory';
}
