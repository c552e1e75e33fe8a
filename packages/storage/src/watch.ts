import { isStorageError, modeMeanings, type StorageError, type TreePath } from '@deespec/domain';
import { payDebts } from '@deespec/dual-adapter';
import { setTimeout as sleep } from 'node:timers/promises';

import { prepareLock } from './barrier.js';
import { earlierRuns } from './earlier-runs.js';
import { readEpoch } from './epoch-file.js';
import { homePaths, type HomePaths } from './home.js';
import { register } from './service/registry.js';
import { requireStarted } from './service/stopped.js';
import { SharedBarrier } from './shared-barrier.js';
import {
  openSyncStores,
  syncedMode,
  syncOnce,
  type SyncOptions,
  type SyncResult,
  type SyncStores,
} from './sync.js';
import { Patrol } from './patrol.js';
import { DirectoryWatch } from './watch-directories.js';
import { WriterLock } from './writer-lock.js';

/** How often what was heard of is looked at, milliseconds. */
const TICK_MS = 200;

/** A file that changed this shortly before may still be written: it is looked at in the next turn. */
const SETTLE_MS = 300;

/** Longest time in which deletions count together, milliseconds: a mount that goes away is heard of piece by piece. */
const DELETIONS_MS = 60_000;

/** What {@link watchTree} takes. */
export interface WatchOptions extends Omit<SyncOptions, 'dryRun'> {
  /** Told after each pass that did something, and after the first. */
  readonly onPass?: (result: SyncResult) => void;
  /** Told when a debt could not be paid; nothing is lost, and it is tried again. */
  readonly onProblem?: (problem: StorageError) => void;
  readonly signal: AbortSignal;
}

/**
 * Keeps files and database in step until `signal` is aborted: a change of either is in the other within 2 s.
 *
 * @throws StorageError those of `sync`; `STORAGE.STOPPED` while the tree is stopped, also when it is stopped meanwhile
 */
export async function watchTree(options: WatchOptions): Promise<void> {
  const paths = homePaths(options.home);
  prepareLock(paths);
  const withdraw = register(paths, 'watch', 'sync --watch');
  try {
    await keepWatching(options);
  } finally {
    withdraw();
  }
}

/** {@link watchTree} without saying so. */
export async function keepWatching(options: WatchOptions): Promise<void> {
  const paths = homePaths(options.home);
  const barrier = new SharedBarrier(paths);
  const writers = new WriterLock(paths);
  const payers = new WriterLock(paths, 'pay');
  const follower = new Follower(paths, writers, options);
  try {
    while (!options.signal.aborted) {
      await payers.alone(() => barrier.hold(() => follower.turn()));
      await pause(options.signal);
    }
  } catch (error) {
    if (!options.signal.aborted || !isStorageError(error, 'INTERRUPTED')) throw error;
  } finally {
    await follower.close();
    await writers.close();
    await payers.close();
    barrier.close();
  }
}

async function pause(signal: AbortSignal): Promise<void> {
  try {
    await sleep(TICK_MS, undefined, { signal });
  } catch {
    // Asked to stop: the loop sees it.
  }
}

class Follower {
  private stores: SyncStores | undefined;
  private epoch = 0;
  private readonly watch: DirectoryWatch;
  private readonly heard = new Set<TreePath>();
  private readonly patrol: Patrol;
  private isFirst = true;
  private deletions: { readonly atMs: number; readonly count: number }[] = [];

  constructor(
    private readonly paths: HomePaths,
    private readonly writers: WriterLock,
    private readonly options: WatchOptions,
  ) {
    this.watch = new DirectoryWatch(paths.home, (path) => {
      if (path === undefined) this.patrol.demand();
      else this.heard.add(path);
    });
    this.patrol = new Patrol(this.watch);
  }

  /** Looks at what changed since the last turn. Runs under the barrier. */
  async turn(): Promise<void> {
    requireStarted(this.paths);
    const stores = await this.current();
    if (this.isFirst) return this.full(stores);
    await this.pass(stores, this.due(stores));
    const found = this.patrol.goOn(stores);
    for (const path of found.changed) this.heard.add(path);
    await this.pass(stores, found.settled);
    if (stores.ledger.countDebts() > 0 || stores.files.fileDebts().length > 0) await this.pay(stores);
  }

  /** What others left owed. A failure is told, not fatal: the debt stays and is tried again. */
  private async pay({ files, ledger, mode }: SyncStores): Promise<void> {
    try {
      await payDebts({ files, ledger, truth: modeMeanings[mode].reads, earlier: earlierRuns(files) });
    } catch (error) {
      if (!isStorageError(error) || error.code === 'INTERNAL') throw error;
      this.options.onProblem?.(error);
    }
  }

  async close(): Promise<void> {
    this.watch.close();
    this.patrol.close();
    await this.stores?.close();
  }

  /** Everything in one pass, before anything is heard of. */
  private async full(stores: SyncStores): Promise<void> {
    this.watch.add('');
    for (const { kind, path } of stores.files.scan()) if (kind === 'directory') this.watch.add(path);
    this.report(await syncOnce(stores, this.options));
  }

  private async pass(stores: SyncStores, paths: readonly TreePath[]): Promise<void> {
    if (paths.length === 0) return;
    const since = performance.now() - DELETIONS_MS;
    this.deletions = this.deletions.filter(({ atMs }) => atMs > since);
    const deletedBefore = this.deletions.reduce((sum, { count }) => sum + count, 0);
    this.report(await syncOnce(stores, { ...this.options, paths, deletedBefore }));
  }

  /** What was heard of and has come to rest, with all below it. */
  private due({ files, ledger }: SyncStores): TreePath[] {
    const due = new Set<TreePath>();
    const restNs = BigInt(Date.now() - SETTLE_MS) * 1_000_000n;
    for (const path of this.heard) {
      const stat = files.statOf(path);
      if (stat !== undefined && stat.kind !== 'directory' && stat.ctimeNs > restNs) continue;
      this.heard.delete(path);
      due.add(path);
      if (stat?.kind === 'directory') for (const below of this.newBelow(files, path)) due.add(below);
      if (stat === undefined) for (const row of ledger.account(path)) due.add(row.path);
    }
    return [...due];
  }

  private *newBelow(files: SyncStores['files'], directory: TreePath): Iterable<TreePath> {
    if (!this.watch.add(directory)) this.patrol.demand();
    for (const { path, kind } of files.scan(directory)) {
      yield path;
      if (kind === 'directory' && !this.watch.add(path)) this.patrol.demand();
    }
  }

  private report(result: SyncResult): void {
    for (const path of result.unstable) this.heard.add(path);
    const count = result.removedFromDatabase;
    if (count > 0) this.deletions.push({ atMs: performance.now(), count });
    if (this.isFirst || result.wrote > 0 || result.failed.length > 0) this.options.onPass?.(result);
    this.isFirst = false;
  }

  private async current(): Promise<SyncStores> {
    const epoch = readEpoch(this.paths)?.epoch ?? 0;
    if (this.stores !== undefined && this.epoch === epoch) return this.stores;
    this.patrol.close();
    await this.stores?.close();
    this.stores = undefined;
    this.stores = await openSyncStores(this.paths, await syncedMode(this.paths), this.writers);
    this.epoch = epoch;
    this.patrol.demand();
    return this.stores;
  }
}
