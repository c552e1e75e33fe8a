import {
  isStorageError,
  StorageError,
  type EditPlan,
  type EditResult,
  type Ledger,
  type ProjectedFiles,
  type TreeEntry,
  type TreePath,
  type TreeStat,
  type TreeStore,
  type TreeView,
} from '@deespec/domain';

import { anchorAudit } from './copy-audit.js';
import type { Truth } from './decide.js';
import type { SyncStores } from './keeping.js';
import { Payment } from './pay-debts.js';

/**
 * Which store is the truth, and the database, closed with the store. Under file truth it may be one that is opened when it is
 * first needed, and again until that succeeds: whatever is wrong with it, the files are written.
 */
type Stores =
  | { readonly truth: Extract<Truth, 'sqlite'>; readonly ledger: Ledger }
  | { readonly truth: Extract<Truth, 'files'>; readonly ledger: Ledger | (() => Promise<Ledger>) };

type Guard = <T>(work: () => Promise<T>) => Promise<T | undefined>;

/** What a {@link DualStore} is made of. */
export type DualStoreOptions = Stores & {
  /** Closed with the store. */
  readonly files: ProjectedFiles;
  /** As of `syncTrees`. */
  readonly earlier?: SyncStores['earlier'];
  /**
   * Wraps each part of a payment: holds the barrier meanwhile. May refuse, and may leave it out for good by returning `undefined`:
   * somebody else pays then.
   */
  readonly guard?: Guard | undefined;
  /** Called each time that a round of payment fails; the debt stays and is tried again. */
  readonly onProblem?: ((problem: StorageError) => void) | undefined;
  /** Wait before the second try, milliseconds; doubled with each further one up to a minute. Default 1,000. */
  readonly retryMs?: number | undefined;
  readonly now?: (() => Date) | undefined;
};

/** Longest wait between two tries, milliseconds. */
const LONGEST_MS = 60_000;

/**
 * Two stores kept in step. Reads and writes go to the truth; a write is acknowledged when it is durable there, together with
 * the debt to the other store. Debts are paid in the background after each write, those that an earlier process left with
 * the first one or with `settled`; a failure keeps the debt, is reported and tried again, and is never the caller's.
 */
export class DualStore implements TreeStore {
  readonly #truth: TreeStore;
  #running: Promise<void> | undefined;
  #isWanted = false;
  #timer: NodeJS.Timeout | undefined;
  #failures = 0;
  #problem: StorageError | undefined;
  #closing: Promise<void> | undefined;
  /** The last audit record that is known to stand outside the database, and whether there may be later ones inside. */
  #anchored: number | undefined;
  #hasRecords = true;
  /** Absent: not opened yet. */
  #ledger: Ledger | undefined;

  constructor(private readonly options: DualStoreOptions) {
    if (typeof options.ledger !== 'function') this.#ledger = options.ledger;
    this.#truth = options.truth === 'sqlite' ? options.ledger : options.files;
  }

  scan(): Iterable<TreeStat> {
    return this.#truth.scan();
  }

  find(path: TreePath): TreeEntry | undefined {
    return this.#truth.find(path);
  }

  read(path: TreePath): Iterable<Buffer> {
    return this.#truth.read(path);
  }

  async edit(plan: (tree: TreeView) => EditPlan): Promise<EditResult> {
    const result = await this.#truth.edit(plan);
    this.#hasRecords ||= result.audit.length > 0;
    this.#start();
    return result;
  }

  look<T>(look: (tree: TreeView) => T): Promise<T> {
    return this.#truth.look(look);
  }

  /** How many changes one store still owes to the other, as far as the database could be opened. */
  debtCount(): number {
    return this.options.files.fileDebts().length + (this.#ledger?.countDebts() ?? 0);
  }

  /**
   * Pays what is owed, now, and resolves when nothing is.
   *
   * @throws StorageError what the last round failed with; it is tried again later all the same
   */
  async settled(): Promise<void> {
    if (this.#closing !== undefined) return this.#closing;
    this.#start();
    while (this.#running !== undefined) await this.#running;
    if (this.#problem !== undefined) throw this.#problem;
  }

  /** Ends the round of payment that is at work, then releases both stores. What is owed stays owed. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    clearTimeout(this.#timer);
    await this.#running;
    try {
      await this.options.files.close();
    } finally {
      await this.#ledger?.close();
    }
  }

  #start(): void {
    if (this.#closing !== undefined) return;
    clearTimeout(this.#timer);
    this.#isWanted = true;
    this.#running ??= this.#run().finally(() => (this.#running = undefined));
  }

  async #run(): Promise<void> {
    while (this.#isWanted && this.#closing === undefined) {
      this.#isWanted = false;
      // Not in the caller's turn: its write is acknowledged first.
      await Promise.resolve();
      try {
        await this.#round();
        this.#problem = undefined;
        this.#failures = 0;
      } catch (error) {
        this.#problem = problemOf(error);
        this.#failures += 1;
        this.#report(this.#problem);
      }
    }
    if (this.#problem !== undefined) this.#retryLater();
  }

  async #round(): Promise<void> {
    const guard: Guard = this.options.guard ?? ((work) => work());
    let payment: Payment | undefined;
    const part = async (): Promise<boolean> => {
      payment ??= await this.#begin();
      return payment.part();
    };
    while ((await guard(part)) === false);
    payment?.end();
  }

  async #begin(): Promise<Payment> {
    const stores = { ...this.options, ledger: await this.#open() };
    if (stores.truth === 'sqlite') this.#anchor(stores);
    return new Payment(stores);
  }

  /** In order and without gaps, whichever process made them: therefore here, and not after each edit. */
  #anchor(stores: SyncStores): void {
    if (!this.#hasRecords) return;
    this.#anchored = anchorAudit(stores, this.#anchored);
    this.#hasRecords = false;
  }

  async #open(): Promise<Ledger> {
    const { ledger } = this.options;
    return (this.#ledger ??= typeof ledger === 'function' ? await ledger() : ledger);
  }

  #retryLater(): void {
    if (this.#closing !== undefined) return;
    const { retryMs = 1_000 } = this.options;
    const waitMs = Math.min(LONGEST_MS, retryMs * 2 ** (this.#failures - 1));
    // A process need not live for this: the debt is durable, and the next process pays it.
    this.#timer = setTimeout(() => this.#start(), waitMs).unref();
  }

  #report(problem: StorageError): void {
    this.options.onProblem?.(problem);
  }
}

/** A bug in the background has no caller who could catch it: it is reported like any other failure. */
function problemOf(error: unknown): StorageError {
  if (isStorageError(error)) return error;
  return new StorageError('INTERNAL', `bringing the stores in step failed: ${String(error)}`, {
    hint: 'nothing is lost: run "deespec sync", and report this',
    cause: error,
  });
}
