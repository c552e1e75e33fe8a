import { isStorageError, StorageError } from '@deespec/domain';

import type { HomePaths } from '../home.js';
import { readEpoch } from '../epoch-file.js';
import { requireStarted } from '../service/stopped.js';
import { grantedMode } from '../setting.js';
import { SharedBarrier } from '../shared-barrier.js';
import { WriterLock } from '../writer-lock.js';
import { openStores, type OpenStores, type StoresOptions } from './stores.js';

/** How often a process that makes no calls looks whether the mode has changed, milliseconds. */
const LOOK_MS = 1_000;

/**
 * An open tree in a process that lives long. Each call holds the barrier, shared, and works in the mode in force: a process that
 * slept through a change of mode or of the schema opens the stores anew first; one that is idle lets go of the old ones.
 *
 * Source: docs/adr/0013.
 */
export class Session {
  private readonly barrier: SharedBarrier;
  private readonly writers: WriterLock;
  private readonly payers: WriterLock;
  private stores: OpenStores | undefined;
  private opening: Promise<OpenStores> | undefined;
  private readonly timer = setInterval(() => void this.letGo(), LOOK_MS).unref();

  constructor(
    private readonly paths: HomePaths,
    private readonly options: Pick<StoresOptions, 'onProblem' | 'now'>,
  ) {
    this.barrier = new SharedBarrier(paths);
    this.writers = new WriterLock(paths);
    this.payers = new WriterLock(paths, 'pay');
  }

  /** @throws StorageError `LOCK.HELD`, `MODE.*`, `DATABASE.*`; what `work` throws */
  async use<T>(work: (stores: OpenStores) => Promise<T>): Promise<T> {
    for (;;) {
      const used = await this.barrier.hold(async () => {
        const stores = await this.current();
        return stores.isStale === true ? { stale: stores } : { value: await work(stores) };
      });
      if ('value' in used) return used.value;
      // Not under the barrier: a payment that waits for it has to end first.
      await this.drop(used.stale);
    }
  }

  /** As {@link use}, for a change that somebody asks for. @throws StorageError `STORAGE.STOPPED`, and those of {@link use} */
  change<T>(work: (stores: OpenStores) => Promise<T>): Promise<T> {
    return this.use(async (stores) => {
      requireStarted(this.paths);
      return work(stores);
    });
  }

  /** The mode in force when it was last looked at. */
  get mode(): OpenStores['mode'] {
    return this.stores?.mode ?? 'file';
  }

  /** See `Storage.settled`. */
  async settled(): Promise<void> {
    const { dual } = await this.use(async (stores) => stores);
    await dual?.settled();
  }

  async close(): Promise<void> {
    clearInterval(this.timer);
    await this.stores?.close();
    this.stores = undefined;
    await this.writers.close();
    await this.payers.close();
    this.barrier.close();
  }

  private async current(): Promise<OpenStores & { readonly isStale?: true }> {
    const epoch = this.epoch();
    const { stores } = this;
    if (stores !== undefined) return isOf(stores, epoch) ? stores : { ...stores, isStale: true };
    return (this.opening ??= this.open(epoch).finally(() => (this.opening = undefined)));
  }

  private async open(epoch: number): Promise<OpenStores> {
    const mode = await grantedMode(this.paths);
    this.stores = await openStores(this.paths, {
      ...this.options,
      mode,
      epoch,
      alone: this.writers.alone,
      // Whoever pays pays everybody's debts: a second one at the same time would do the same once more.
      // In another epoch other stores pay, by other rules.
      guard: (work) => this.payers.alone(() => this.payUnderBarrier(epoch, work)),
    });
    return this.stores;
  }

  /** Whoever keeps the tree to itself in a new epoch waits until the stores of the old one are closed: a payment does not hold that up. */
  private payUnderBarrier<T>(epoch: number, work: () => Promise<T>): Promise<T | undefined> {
    return this.barrier.holdWhile(
      () => this.epoch() === epoch,
      async () => (this.mayPay(epoch) ? work() : undefined),
    );
  }

  /** Closes the stores of a mode that is over: nobody uses them any more, and an open database keeps others from replacing it. */
  private async letGo(): Promise<void> {
    const { stores } = this;
    if (stores === undefined || this.isInForce(stores)) return;
    try {
      await this.drop(stores);
    } catch (error) {
      this.options.onProblem?.(problemOf(error));
    }
  }

  private isInForce(stores: OpenStores): boolean {
    try {
      return isOf(stores, this.epoch());
    } catch {
      return true; // a record that cannot be read: the next call reads it too, and says so
    }
  }

  private mayPay(epoch: number): boolean {
    return this.epoch() === epoch && this.stores?.isCurrent() !== false;
  }

  private epoch(): number {
    return readEpoch(this.paths)?.epoch ?? 0;
  }

  private async drop(stale: OpenStores): Promise<void> {
    if (this.stores?.epoch === stale.epoch) this.stores = undefined;
    await stale.close();
  }
}

/** True while neither the mode nor the schema has changed since the stores were opened. */
function isOf(stores: OpenStores, epoch: number): boolean {
  return stores.epoch === epoch && stores.isCurrent();
}

function problemOf(error: unknown): StorageError {
  if (isStorageError(error)) return error;
  return new StorageError('INTERNAL', `the stores of a mode that is over were not closed: ${String(error)}`, {
    hint: 'nothing is lost: start the service again, and report this',
    cause: error,
  });
}
