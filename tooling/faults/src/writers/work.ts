import {
  isStorageError,
  type Claim,
  type SbiId,
  type Storage,
  type StorageTx,
  type StoredSbi,
} from '@deespec/domain';
import type { Random } from '@deespec/trees';
import { setTimeout as sleep } from 'node:timers/promises';

import { contentOf } from './content.js';
import { auditKey, isAcknowledged, type Call, type Ended, type Ledger, type Op } from './ledger.js';
import { countKeys, hotIds, numbered, numberOf, POOL, total } from './shared-items.js';
import type { WorkerOptions } from './worker-options.js';

/** Own settings of each worker. */
const OWN_KEYS = 3;

/** Shortest lease there is, milliseconds: some are left to end. */
const LEASE_MS = 1_000;

/** Tries of a change that others keep coming before, until a worker looks for something else to do. */
const TRIES = 50;

type Result = Pick<Ended, 'claimed'> & { readonly audit: readonly Row[] };

interface Row {
  readonly entityId: string;
  readonly action: string;
  readonly newValue?: unknown;
}

interface What {
  readonly op: Op;
  readonly key: string;
  readonly value: string;
}

/** What one worker does: a mix of every kind of write, each in its ledger. */
export class Work {
  acknowledged = 0;
  private calls = 0;
  private readonly own: SbiId[] = [];
  private readonly turns = new Map<string, number>();
  private readonly kinds: readonly (readonly [weight: number, make: () => Promise<void>])[] = [
    [10, () => this.create()],
    [10, () => this.title()],
    [24, () => this.append()],
    [8, () => this.config()],
    [16, () => this.hot()],
    [12, () => this.count()],
    [12, () => this.total()],
    [8, () => this.claim()],
  ];

  constructor(
    private readonly storage: Storage,
    private readonly parts: {
      readonly ledger: Ledger;
      readonly random: Random;
      readonly options: WorkerOptions;
    },
    earlier: readonly Call[],
  ) {
    for (const call of earlier) this.remember(call);
  }

  /** One write, or two at the same instant. */
  async some(): Promise<void> {
    const { random } = this.parts;
    if (this.own.length === 0) return this.create();
    if (random.chance(0.7)) return this.one();
    await Promise.all([this.one(), random.chance(0.5) ? this.append() : this.hot()]);
  }

  private one(): Promise<void> {
    const sum = this.kinds.reduce((all, [weight]) => all + weight, 0);
    let at = this.parts.random.int(1, sum);
    for (const [weight, make] of this.kinds) {
      at -= weight;
      if (at <= 0) return make();
    }
    return this.append();
  }

  /** What an earlier life did, also what it may have done. */
  private remember(call: Call): void {
    const { op, key } = call;
    this.calls = Math.max(this.calls, call.call);
    if (isAcknowledged(call)) this.acknowledged += 1;
    if (op === 'create' && isAcknowledged(call)) this.own.push(key as SbiId);
    if (op !== 'append') return;
    const [id, , turn] = key.split(' ');
    this.turns.set(id!, Math.max(this.turns.get(id!) ?? 1, Number(turn)));
  }

  private async create(): Promise<void> {
    const id = `SBI-${this.parts.random.ulid(Date.now())}` as SbiId;
    const title = this.token();
    const what = { op: 'create', key: id, value: title } as const;
    const input = { id, title, spec: contentOf(title), labels: ['own'] };
    const isMade = await this.call(what, async () => {
      await this.storage.createSbi(input);
      const newValue = { title, labels: ['own'], priority: 0 };
      return { audit: [{ entityId: id, action: 'create', newValue }] };
    });
    if (isMade) this.own.push(id);
  }

  private title(): Promise<void> {
    const id = this.parts.random.pick(this.own);
    return this.update(id, { op: 'title', next: () => this.token() });
  }

  private hot(): Promise<void> {
    const id = this.parts.random.pick(hotIds);
    return this.update(id, { op: 'hot', next: (sbi) => numbered(1 + numberOf(sbi.metadata['title'])) });
  }

  /** Reads, changes the title of what was read, and begins again when somebody came before. */
  private async update(
    id: SbiId,
    { op, next }: { readonly op: 'title' | 'hot'; readonly next: (sbi: StoredSbi) => string },
  ): Promise<void> {
    for (let tries = 1; tries <= TRIES; tries += 1) {
      const read = await this.look(() => this.storage.getSbi(id));
      const title = next(read);
      const isMade = await this.call({ op, key: id, value: title }, async () => {
        await this.storage.updateSbi(read, { title });
        return { audit: [{ entityId: id, action: 'update', newValue: { title } }] };
      });
      if (isMade) return;
    }
  }

  private async append(): Promise<void> {
    const sbiId = this.parts.random.pick(this.own);
    const turn = 1 + (this.turns.get(sbiId) ?? 1);
    this.turns.set(sbiId, turn);
    const token = this.token();
    const step = this.parts.random.pick(['implement', 'review', 'test'] as const);
    const what = { op: 'append', key: `${sbiId} 1 ${turn} ${step}`, value: token } as const;
    const said = { run: 1, turn, step, status: 'REVIEW', decision: 'SUCCEEDED' } as const;
    await this.call(what, async () => {
      await this.storage.appendExecution({ sbiId, ...said, elapsedMs: 5, content: contentOf(token) });
      return { audit: [{ entityId: sbiId, action: 'append', newValue: said }] };
    });
  }

  private async config(): Promise<void> {
    const key = `setting.${this.parts.options.name}_${this.parts.random.int(1, OWN_KEYS)}`;
    const value = this.token();
    await this.call({ op: 'config', key, value }, async () => {
      await this.storage.setConfig(key, JSON.stringify(value));
      return { audit: [{ entityId: key, action: 'set', newValue: value }] };
    });
  }

  private count(): Promise<void> {
    const key = this.parts.random.pick(countKeys);
    return this.inTransaction({ op: 'count', key }, async (tx) => {
      const newValue = await raised(tx, key);
      return { value: newValue, audit: [{ entityId: key, action: 'set', newValue }] };
    });
  }

  /** A setting and an SBI in one unit: they must never say different numbers. */
  private total(): Promise<void> {
    const { key, id } = total;
    return this.inTransaction({ op: 'total', key }, async (tx) => {
      const sbi = await tx.getSbi(id);
      const value = await raised(tx, key);
      if (numberOf(sbi.metadata['title']) !== value - 1) {
        throw new Error(`a transaction saw ${JSON.stringify(sbi.metadata['title'])} beside ${value - 1}`);
      }
      const title = numbered(value);
      await tx.updateSbi(sbi, { title });
      const update = { entityId: id, action: 'update', newValue: { title } };
      return { value, audit: [{ entityId: key, action: 'set', newValue: value }, update] };
    });
  }

  private async inTransaction(
    what: Pick<What, 'op' | 'key'>,
    work: (tx: StorageTx) => Promise<{ readonly value: number; readonly audit: readonly Row[] }>,
  ): Promise<void> {
    for (let tries = 1; tries <= TRIES; tries += 1) {
      // What it will be is not known before: each raise counts one.
      const isMade = await this.call({ ...what, value: '+1' }, () => this.storage.transaction(work));
      if (isMade) return;
    }
  }

  private async claim(): Promise<void> {
    const { random } = this.parts;
    let claim: Claim | undefined;
    await this.call({ op: 'claim', key: POOL, value: '' }, async () => {
      claim = await this.storage.claimNext({ leaseMs: LEASE_MS, label: POOL });
      if (claim === undefined) return { audit: [] };
      const { sbi, leaseExpiresAt } = claim;
      const newValue = { status: 'WIP', leaseExpiresAt };
      const row = { entityId: sbi.id, action: 'claim', newValue };
      return { audit: [row], claimed: { id: sbi.id, until: leaseExpiresAt } };
    });
    if (claim !== undefined && random.chance(0.4)) claim = await this.renew(claim);
    if (claim !== undefined && random.chance(0.8)) await this.release(claim);
  }

  private async renew(claim: Claim): Promise<Claim | undefined> {
    const { id } = claim.sbi;
    let renewed: Claim | undefined;
    await this.call({ op: 'renew', key: id, value: claim.leaseExpiresAt }, async () => {
      renewed = await this.storage.renewLease(claim, 2 * LEASE_MS);
      const { leaseExpiresAt } = renewed;
      const row = { entityId: id, action: 'renew', newValue: { leaseExpiresAt } };
      return { audit: [row], claimed: { id, until: leaseExpiresAt } };
    });
    return renewed;
  }

  private async release(claim: Claim): Promise<void> {
    const { id } = claim.sbi;
    await this.call({ op: 'release', key: id, value: claim.leaseExpiresAt }, async () => {
      await this.storage.releaseSbi(claim, 'READY');
      return { audit: [{ entityId: id, action: 'release', newValue: { status: 'READY' } }] };
    });
  }

  /** Makes one call, with its lines in the ledger. @returns whether it was made */
  private async call(what: What, make: () => Promise<Result>): Promise<boolean> {
    const { ledger, options } = this.parts;
    const call = (this.calls += 1);
    ledger.begin({ at: 'start', call, ...what, atMs: Date.now() });
    const startedMs = performance.now();
    const end = (rest: Pick<Ended, 'outcome' | 'audit' | 'claimed' | 'message'>): void => {
      const tookMs = Math.round((performance.now() - startedMs) * 10) / 10;
      ledger.end({ at: 'end', call, tookMs, atMs: Date.now(), ...rest });
    };
    try {
      const { audit, ...rest } = await make();
      end({ outcome: 'ok', audit: audit.map((row) => this.keyOf(row)), ...rest });
    } catch (error) {
      const code = isStorageError(error) ? error.code : 'untyped';
      end({ outcome: code, message: (error as Error).message });
      if (options.expects === 'busy' && isBusy(error)) await sleep(50);
      return false;
    }
    this.acknowledged += 1;
    process.send?.({ acknowledged: this.acknowledged });
    return true;
  }

  /** A read, which may have to wait for a command that has the tree to itself. */
  private async look<T>(read: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await read();
      } catch (error) {
        if (this.parts.options.expects !== 'busy' || !isBusy(error)) throw error;
        await sleep(50);
      }
    }
  }

  private keyOf({ entityId, action, newValue }: Row): string {
    const user = this.parts.options.name;
    return auditKey({ user, entityId, action, newValue: JSON.stringify(newValue) });
  }

  /** A text that nobody writes again. */
  private token(): string {
    const { name, life } = this.parts.options;
    return `${name}-${life}-${this.calls + 1}-${this.parts.random.int(1, 1_000_000)}`;
  }
}

async function raised(tx: StorageTx, key: string): Promise<number> {
  const read = await tx.getConfig(key);
  const value = 1 + Number(read.valueJson);
  await tx.setConfig(key, String(value), read);
  return value;
}

/** A command had the tree to itself for longer than a call waits. */
export function isBusy(error: unknown): boolean {
  return isStorageError(error, 'LOCK.HELD');
}
