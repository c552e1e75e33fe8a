import {
  parseSearch,
  StorageError,
  type Claim,
  type Execution,
  type ExecutionFilter,
  type ExecutionKey,
  type Index,
  type NewExecution,
  type SbiFields,
  type SbiFilter,
  type SbiId,
  type SbiInput,
  type StorageTx,
  type StoredConfig,
  type StoredSbi,
} from '@deespec/domain';

import { pageOf, sbisWith } from './pages.js';
import { storedSbi } from './revision.js';
import * as steps from './steps.js';
import type { Step, UnitOfWork } from './unit.js';

/** What a transaction works with. */
export interface TransactionParts {
  /** Carries steps out on the tree as it is now and changes nothing. */
  readonly look: <T>(step: Step<T>) => Promise<T>;
  readonly index: <T>(query: (index: Index) => Promise<T>) => Promise<T>;
}

/** A step that was made, with what it may depend on. */
interface Made {
  readonly key: string;
  readonly step: Step<unknown>;
}

/** Something that was read, and how to tell that it is still so. */
interface Seen {
  readonly what: string;
  readonly revision: string | undefined;
  readonly now: Step<string | undefined>;
}

/** The calls inside a transaction: collects steps, and compares what was read each time something more is read. */
export class Transaction implements StorageTx {
  private readonly made: Made[] = [];
  private readonly seen = new Map<string, Seen>();
  private isOver = false;

  constructor(private readonly parts: TransactionParts) {}

  /** Everything as one step: what was read is compared, then the changes are made. No call is possible after it. */
  finish(): Step<void> {
    this.isOver = true;
    return (unit) => {
      this.requireSeen(unit);
      for (const { step } of this.made) step(unit);
    };
  }

  /** True when nothing is to be changed. */
  get isReadOnly(): boolean {
    return this.made.length === 0;
  }

  getSbi(id: SbiId): Promise<StoredSbi> {
    return this.read(id, (unit) => unit.getSbi(id));
  }

  async listSbis(filter: SbiFilter = {}): Promise<StoredSbi[]> {
    this.requireOpen();
    const words = filter.search === undefined ? [] : parseSearch(filter.search);
    const rows = await this.parts.index((index) => index.listSbis(filter));
    const changed = new Set(this.made.map(({ key }) => key as SbiId));
    return this.look((unit) => {
      this.requireSeen(unit);
      for (const row of rows) this.see(row.id, storedSbi(row).revision);
      this.requireSeen(unit);
      this.replay(unit);
      const own = [...changed]
        .filter((id) => unit.holdsWords(id, words))
        .flatMap((id) => unit.findSbi(id) ?? []);
      const after = filter.after === undefined ? undefined : unit.getSbi(filter.after);
      const others = rows.filter(({ id }) => !changed.has(id)).map(storedSbi);
      return sbisWith(others, own, { ...filter, after });
    });
  }

  async listExecutions(filter: ExecutionFilter = {}): Promise<Execution[]> {
    const { sbiId } = filter;
    if (sbiId === undefined) {
      throw new StorageError('USAGE.INVALID', 'a transaction lists the executions of one SBI', {
        hint: 'give sbiId',
      });
    }
    return this.read(sbiId, (unit) => pageOf(unit.executionsOf(sbiId), filter));
  }

  getExecution(key: ExecutionKey): Promise<Execution> {
    return this.read(key.sbiId, (unit) => unit.getExecution(key));
  }

  readContent(key: ExecutionKey): Promise<Buffer | undefined> {
    return this.read(key.sbiId, (unit) => {
      const { contentPath } = unit.getExecution(key);
      return contentPath === undefined ? undefined : Buffer.concat([...unit.overlay.read(contentPath)]);
    });
  }

  getConfig(key: string): Promise<StoredConfig> {
    this.requireOpen();
    return this.look((unit) => {
      this.requireSeen(unit);
      this.seeConfig(key, unit.findConfig(key)?.revision);
      this.replay(unit, `config ${key}`);
      const found = unit.findConfig(key);
      if (found !== undefined) return found;
      throw new StorageError('CONFIG.NOT_FOUND', `no setting is called ${JSON.stringify(key)}`, {
        hint: '"deespec config list" shows those that exist',
        details: { key },
      });
    });
  }

  createSbi(input: SbiInput): Promise<StoredSbi> {
    const step = steps.createSbi(input);
    return this.make(input.id ?? '', step);
  }

  updateSbi(read: StoredSbi, fields: SbiFields): Promise<StoredSbi> {
    return this.make(read.id, steps.updateSbi(read, fields));
  }

  deleteSbi(read: StoredSbi): Promise<void> {
    return this.make(read.id, steps.deleteSbi(read));
  }

  appendExecution(execution: NewExecution): Promise<Execution> {
    return this.make(execution.sbiId, steps.appendExecution(execution));
  }

  setConfig(key: string, valueJson: string, read?: StoredConfig): Promise<StoredConfig> {
    return this.make(`config ${key}`, steps.setConfig(key, valueJson, read));
  }

  claimSbi(id: SbiId, leaseMs: number): Promise<Claim> {
    return this.make(id, steps.claimSbi(id, leaseMs));
  }

  /** Tries a change on top of those before it; it stays only when it can be made. */
  private async make<T extends object | void>(key: string, step: Step<T>): Promise<T> {
    this.requireOpen();
    const result = await this.look((unit) => {
      this.replay(unit, key);
      return step(unit);
    });
    const id = key !== '' ? key : (result as StoredSbi).id;
    this.made.push({ key: id, step });
    return result;
  }

  private read<T>(id: SbiId, step: Step<T>): Promise<T> {
    this.requireOpen();
    return this.look((unit) => {
      this.requireSeen(unit);
      this.see(id, unit.findSbi(id)?.revision);
      this.replay(unit, id);
      return step(unit);
    });
  }

  private look<T>(step: Step<T>): Promise<T> {
    return this.parts.look(step);
  }

  /** The changes that a look at one SBI or setting has to show; all of them meet in {@link finish}. */
  private replay(unit: UnitOfWork, key?: string): void {
    for (const { key: of, step } of this.made) if (key === undefined || of === key) step(unit);
  }

  private see(id: SbiId, revision: string | undefined): void {
    if (this.seen.has(id)) return;
    this.seen.set(id, { what: id, revision, now: (unit) => unit.findSbi(id)?.revision });
  }

  private seeConfig(key: string, revision: string | undefined): void {
    const name = `config ${key}`;
    if (this.seen.has(name)) return;
    this.seen.set(name, { what: key, revision, now: (unit) => unit.findConfig(key)?.revision });
  }

  /** On the tree without the changes of this transaction. @throws StorageError `TRANSACTION.CHANGED` */
  private requireSeen(unit: UnitOfWork): void {
    for (const { what, revision, now } of this.seen.values()) {
      if (now(unit) === revision) continue;
      throw new StorageError('TRANSACTION.CHANGED', `${what} was changed since the transaction read it`, {
        hint: 'run the transaction again; nothing of it was made',
        details: { changed: what },
      });
    }
  }

  private requireOpen(): void {
    if (!this.isOver) return;
    throw new StorageError('USAGE.INVALID', 'the transaction is over', {
      hint: 'await every call of a transaction inside it',
    });
  }
}
