import {
  isStorageError,
  parseSearch,
  type Activity,
  type AuditEntry,
  type AuditFilter,
  type Claim,
  type ClaimOptions,
  type Execution,
  type ExecutionFilter,
  type ExecutionKey,
  type FailureFilter,
  type Index,
  type IndexFilter,
  type NewExecution,
  type SbiFields,
  type SbiFile,
  type SbiFilter,
  type SbiId,
  type SbiInput,
  type SbiStatus,
  type SnippetPart,
  type Storage,
  type StorageMode,
  type StorageTx,
  type StoredConfig,
  type StoredSbi,
  type TreeStat,
  type TreeStore,
  type TreeView,
} from '@deespec/domain';

import { claimFrom } from './claim-next.js';
import { filesOf, readFile } from './files.js';
import { storedConfig, storedSbi } from './revision.js';
import type { Session } from './session.js';
import { listSnippets } from './snippets.js';
import * as steps from './steps.js';
import { Transaction } from './transaction.js';
import { UnitOfWork, type Actor, type Step } from './unit.js';

/** How often a change is planned while other programs replace the files that it is about. */
const ATTEMPTS = 10;

/** How the API works on a tree. */
export interface LiveOptions {
  readonly actor: Actor;
  readonly now: () => Date;
  /** See `OpenOptions.lineId`. */
  readonly lineId?: (now: Date) => string;
  /** Called once the stores are closed. */
  readonly onClosed: () => void;
}

/** `Storage` over the stores of whatever mode is in force. */
export class LiveStorage implements Storage {
  private closing: Promise<void> | undefined;

  constructor(
    private readonly session: Session,
    private readonly options: LiveOptions,
  ) {}

  get mode(): StorageMode {
    return this.session.mode;
  }

  async getSbi(id: SbiId): Promise<StoredSbi> {
    return storedSbi(await this.query((index) => index.getSbi(id)));
  }

  async listSbis(filter: SbiFilter = {}): Promise<StoredSbi[]> {
    return (await this.query((index) => index.listSbis(filter))).map(storedSbi);
  }

  async *streamSbis(filter: SbiFilter = {}): AsyncIterable<StoredSbi> {
    for (let after = filter.after; ;) {
      const page = await this.listSbis({ ...filter, ...(after === undefined ? {} : { after }) });
      yield* page;
      if (page.length < (filter.limit ?? 100)) return;
      after = page.at(-1)!.id;
    }
  }

  countSbis(): Promise<ReadonlyMap<string, number>> {
    return this.query((index) => index.countSbis());
  }

  listExecutions(filter: ExecutionFilter = {}): Promise<Execution[]> {
    return this.query((index) => index.listExecutions(filter));
  }

  getExecution(key: ExecutionKey): Promise<Execution> {
    return this.query((index) => index.getExecution(key));
  }

  readContent(key: ExecutionKey): Promise<Buffer | undefined> {
    return this.query((index) => index.readContent(key));
  }

  async getConfig(key: string): Promise<StoredConfig> {
    return storedConfig(await this.query((index) => index.getConfig(key)));
  }

  async listConfig(): Promise<StoredConfig[]> {
    return (await this.query((index) => index.listConfig())).map(storedConfig);
  }

  listAudit(filter: AuditFilter = {}): Promise<AuditEntry[]> {
    return this.query((index) => index.listAudit(filter));
  }

  listFailures(filter: FailureFilter): Promise<Execution[]> {
    return this.query((index) => index.listFailures(filter));
  }

  readActivity(since: string): Promise<Activity> {
    return this.query((index) => index.readActivity(since));
  }

  listFiles(id: SbiId): Promise<readonly TreeStat[]> {
    return this.session.use(({ tree }) => tree.look((view) => filesOf(view, id)));
  }

  readFile(file: SbiFile, take: (chunk: Buffer) => Promise<void>): Promise<void> {
    return this.session.use(({ tree }) => readFile(tree, file, take));
  }

  async listSnippets(
    ids: readonly SbiId[],
    search: string,
  ): Promise<readonly (readonly SnippetPart[] | undefined)[]> {
    const words = parseSearch(search);
    return this.session.use((stores) => listSnippets(stores, ids, words));
  }

  /** The same tree in the name of somebody else; only one of the two is to be closed. */
  as(actor: Actor): LiveStorage {
    return new LiveStorage(this.session, { ...this.options, actor });
  }

  createSbi(input: SbiInput): Promise<StoredSbi> {
    return this.make(steps.createSbi(input));
  }

  updateSbi(read: StoredSbi, fields: SbiFields): Promise<StoredSbi> {
    return this.make(steps.updateSbi(read, fields));
  }

  deleteSbi(read: StoredSbi): Promise<void> {
    return this.make(steps.deleteSbi(read));
  }

  appendExecution(execution: NewExecution): Promise<Execution> {
    return this.make(steps.appendExecution(execution));
  }

  setConfig(key: string, valueJson: string, read?: StoredConfig): Promise<StoredConfig> {
    return this.make(steps.setConfig(key, valueJson, read));
  }

  claimNext(options: ClaimOptions): Promise<Claim | undefined> {
    const list = (filter: IndexFilter) => this.query((index) => index.listSbis(filter));
    return claimFrom(list, (step) => this.make(step), options);
  }

  renewLease(claim: Claim, leaseMs: number): Promise<Claim> {
    return this.make(steps.renewLease(claim, leaseMs));
  }

  releaseSbi(claim: Claim, status: SbiStatus): Promise<StoredSbi> {
    return this.make(steps.releaseSbi(claim, status));
  }

  async transaction<T>(work: (tx: StorageTx) => Promise<T>): Promise<T> {
    const transaction = new Transaction({
      look: (step) => this.carryOut(step, 'look'),
      index: (query) => this.query(query),
    });
    const result = await work(transaction);
    const finish = transaction.finish();
    await this.carryOut(finish, transaction.isReadOnly ? 'look' : 'make');
    return result;
  }

  settled(): Promise<void> {
    return this.session.settled();
  }

  close(): Promise<void> {
    return (this.closing ??= this.session.close().finally(this.options.onClosed));
  }

  private query<T>(work: (index: Index) => Promise<T>): Promise<T> {
    return this.session.use(({ index }) => work(index));
  }

  private make<T>(step: Step<T>): Promise<T> {
    return this.carryOut(step, 'make');
  }

  /** @param how - `look` carries the step out and changes nothing */
  private async carryOut<T>(step: Step<T>, how: 'look' | 'make'): Promise<T> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        const carry = ({ tree }: { readonly tree: TreeStore }): Promise<T> => this.plan(tree, step, how);
        return await (how === 'make' ? this.session.change(carry) : this.session.use(carry));
      } catch (error) {
        // Another program replaced a file between the plan and the write; nothing was changed: it is planned on what is there now.
        if (attempt === ATTEMPTS || !isStorageError(error, 'FILE.CHANGED')) throw error;
      }
    }
  }

  private async plan<T>(tree: TreeStore, step: Step<T>, how: 'look' | 'make'): Promise<T> {
    if (how === 'look') return tree.look((view) => step(this.unit(view)));
    let result: { readonly value: T } | undefined;
    await tree.edit((view) => {
      const unit = this.unit(view);
      result = { value: step(unit) };
      return { edits: unit.overlay.edits, audit: unit.audit };
    });
    return result!.value;
  }

  private unit(view: TreeView): UnitOfWork {
    const { actor, now: present, lineId } = this.options;
    const now = present();
    return new UnitOfWork(view, { actor, ...(lineId === undefined ? {} : { lineId: lineId(now) }) }, now);
  }
}
