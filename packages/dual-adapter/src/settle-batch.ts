import { isStorageError, type Ledger, type Settlement, type TreePath } from '@deespec/domain';

import type { Version } from './decide.js';

/** A settlement on its way into the database. */
export interface Settling {
  readonly settlement: Settlement;
  /** Bytes that it holds in memory; {@link BATCH_BYTES} for one that is streamed and goes alone. */
  readonly size: number;
  /** How often the path was decided so far, counted from 1. */
  readonly round: number;
  readonly isLate: boolean;
  /** What both stores held when it was decided, if they held the same. */
  readonly base?: Version;
  /** Called when it is durable. */
  readonly settled: () => void;
}

/** What becomes of a settlement. */
export interface Outcomes {
  /** It is durable. */
  readonly made: (item: Settling) => Promise<void>;
  /** The database moved since the path was decided. */
  readonly moved: (item: Settling) => Promise<void>;
  readonly failed: (item: Settling, error: unknown) => Promise<void>;
}

/** At most this many paths in one transaction: a writer waits for no longer than that. Source: docs/adr/0013. */
const BATCH_PATHS = 100;

/** At most this many bytes in one transaction. Source: docs/adr/0013. */
export const BATCH_BYTES = 8 * 1_048_576;

/** Gathers settlements into transactions. */
export class SettleBatch {
  #items: Settling[] = [];
  #size = 0;

  constructor(
    private readonly ledger: Ledger,
    private readonly outcomes: Outcomes,
  ) {}

  /** Adds one; settles those before it first when it does not fit, or when it is about a path that waits already. */
  async add(item: Settling): Promise<void> {
    const { path } = item.settlement;
    const isFull = this.#items.length >= BATCH_PATHS || this.#size + item.size > BATCH_BYTES;
    if (isFull || this.#items.some((other) => other.settlement.path === path)) await this.flush();
    this.#items.push(item);
    this.#size += item.size;
    if (this.#size >= BATCH_BYTES) await this.flush();
  }

  /** Settles what waits. A transaction that fails is made again path by path: one of them need not stop the others. */
  async flush(): Promise<void> {
    const items = this.#items;
    this.#items = [];
    this.#size = 0;
    if (items.length === 0) return;
    let moved: ReadonlySet<TreePath>;
    try {
      moved = new Set(await this.ledger.settle(items.map((item) => item.settlement)));
    } catch (error) {
      if (stopsAll(error)) throw error;
      if (items.length === 1) return this.outcomes.failed(items[0]!, error);
      for (const item of items) {
        this.#items.push(item);
        await this.flush();
      }
      return;
    }
    for (const item of items) if (!moved.has(item.settlement.path)) item.settled();
    for (const item of items) {
      await (moved.has(item.settlement.path) ? this.outcomes.moved(item) : this.outcomes.made(item));
    }
  }
}

/** True for what is no fault of one path, so that going on with the next one is no use. */
export function stopsAll(error: unknown): boolean {
  if (!isStorageError(error)) return true;
  const { code, kind } = error;
  return kind === 'busy' || code === 'INTERRUPTED' || code.startsWith('DATABASE.');
}
