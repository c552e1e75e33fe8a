import {
  parseSbiId,
  StorageError,
  timeFromDate,
  type Claim,
  type Execution,
  type NewExecution,
  type SbiFields,
  type SbiId,
  type SbiInput,
  type SbiStatus,
  type StoredConfig,
  type StoredSbi,
} from '@deespec/domain';
import { ulid } from 'ulid';

import { storedConfig } from './revision.js';
import type { Step, UnitOfWork } from './unit.js';

// Every change a service can ask for, as a step of a unit of work. Ids and times are taken when the step is made, so that
// it does the same each time it is carried out.

export function createSbi(input: SbiInput): Step<StoredSbi> {
  const { title, spec = '', labels, priority } = input;
  const id = input.id === undefined ? parseSbiId(`SBI-${ulid()}`) : parseSbiId(input.id);
  const lineId = ulid();
  const sbi = {
    id,
    title,
    spec: Buffer.from(spec),
    ...(labels === undefined ? {} : { labels }),
    ...(priority === undefined ? {} : { priority }),
  };
  const newValue = { title, ...(labels === undefined ? {} : { labels }), priority: priority ?? 0 };
  return (unit) => {
    unit.make({ kind: 'create-sbi', sbi }, lineId, {
      entityType: 'sbi',
      entityId: id,
      action: 'create',
      newValue,
    });
    return unit.getSbi(id);
  };
}

export function updateSbi(read: StoredSbi, fields: SbiFields): Step<StoredSbi> {
  const { id } = read;
  const lineId = ulid();
  return (unit) => {
    const current = requireCurrent(unit, read);
    const names = Object.keys(fields) as (keyof SbiFields)[];
    const said = (sbi: StoredSbi): unknown => ({ ...sbi.metadata, ...sbi });
    const pick = (from: unknown) =>
      Object.fromEntries(names.map((name) => [name, (from as Record<string, unknown>)[name]]));
    unit.make({ kind: 'update-sbi', id, fields }, lineId, {
      entityType: 'sbi',
      entityId: id,
      action: 'update',
      oldValue: pick(said(current)),
      newValue: pick(fields),
    });
    return unit.getSbi(id);
  };
}

export function deleteSbi(read: StoredSbi): Step<void> {
  const { id } = read;
  const lineId = ulid();
  return (unit) => {
    const { title, status } = { title: read.metadata['title'], ...requireCurrent(unit, read) };
    unit.make({ kind: 'delete-sbi', id }, lineId, {
      entityType: 'sbi',
      entityId: id,
      action: 'delete',
      oldValue: { title, status },
    });
  };
}

export function appendExecution(execution: NewExecution): Step<Execution> {
  const { sbiId, run, turn, step, status, decision } = execution;
  const content = execution.content === undefined ? {} : { content: Buffer.from(execution.content) };
  const copy = { ...execution, ...content };
  const lineId = ulid();
  return (unit) => {
    unit.make({ kind: 'append-execution', execution: copy }, lineId, {
      entityType: 'execution',
      entityId: sbiId,
      action: 'append',
      newValue: { run, turn, step, status, decision },
    });
    return unit.getExecution(execution);
  };
}

export function setConfig(key: string, valueJson: string, read?: StoredConfig): Step<StoredConfig> {
  const lineId = ulid();
  const newValue = parsedJson(key, valueJson);
  return (unit) => {
    const current = unit.findConfig(key);
    if (read !== undefined && current?.revision !== read.revision) throw configChanged(read, current);
    unit.make({ kind: 'set-config', key, valueJson }, lineId, {
      entityType: 'config',
      entityId: key,
      action: 'set',
      ...(current === undefined ? {} : { oldValue: JSON.parse(current.valueJson) as unknown }),
      newValue,
    });
    return unit.findConfig(key) ?? storedConfig({ key, valueJson, updatedAt: timeFromDate(unit.now) });
  };
}

/**
 * Which SBIs a claim takes: `named` any, `ready` one that is READY or was left, `left` one in work whose lease has ended.
 */
export type Claimable = 'named' | 'ready' | 'left';

export function claimSbi(id: SbiId, leaseMs: number, which: Claimable = 'named'): Step<Claim> {
  const endOf = leaseEnd(leaseMs);
  // Most steps are made for items that cannot be taken.
  let lineId: string | undefined;
  return (unit) => {
    const leaseExpiresAt = endOf(unit);
    if (which === 'left') requireEnded(unit, id);
    if (which === 'ready' && unit.overlay.isBlocked(id))
      throw new StorageError('LEASE.HELD', `${id} has to wait`);
    const { status } = unit.getSbi(id);
    const isNext = status === 'READY' || (status === 'WIP' && unit.overlay.leaseOf(id) !== undefined);
    if (which !== 'named' && !isNext) throw new StorageError('LEASE.HELD', `${id} is ${status}`);
    lineId ??= ulid();
    unit.make({ kind: 'claim-sbi', id, leaseExpiresAt }, lineId, {
      entityType: 'sbi',
      entityId: id,
      action: 'claim',
      oldValue: { status },
      newValue: { status: 'WIP', leaseExpiresAt },
    });
    const run = unit.executionsOf(id).at(-1)?.run ?? 1;
    return { sbi: unit.getSbi(id), run, leaseExpiresAt };
  };
}

/** Looks at the one file that has the lease: far less than what the SBI is derived from. @throws StorageError `LEASE.HELD` */
function requireEnded({ overlay, now }: UnitOfWork, id: SbiId): void {
  const lease = overlay.leaseOf(id);
  if (lease !== undefined && lease <= timeFromDate(now)) return;
  throw new StorageError('LEASE.HELD', `${id} is in work`);
}

export function renewLease(claim: Claim, leaseMs: number): Step<Claim> {
  const endOf = leaseEnd(leaseMs);
  const lineId = ulid();
  const { id } = claim.sbi;
  return (unit) => {
    requireLeaseOf(unit, claim);
    const leaseExpiresAt = endOf(unit);
    unit.make({ kind: 'renew-lease', id, leaseExpiresAt }, lineId, {
      entityType: 'sbi',
      entityId: id,
      action: 'renew',
      oldValue: { leaseExpiresAt: claim.leaseExpiresAt },
      newValue: { leaseExpiresAt },
    });
    return { ...claim, sbi: unit.getSbi(id), leaseExpiresAt };
  };
}

export function releaseSbi(claim: Claim, status: SbiStatus): Step<StoredSbi> {
  const lineId = ulid();
  const { id } = claim.sbi;
  return (unit) => {
    requireLeaseOf(unit, claim);
    unit.make({ kind: 'release-sbi', id, status }, lineId, {
      entityType: 'sbi',
      entityId: id,
      action: 'release',
      oldValue: { leaseExpiresAt: claim.leaseExpiresAt },
      newValue: { status },
    });
    return unit.getSbi(id);
  };
}

function parsedJson(key: string, valueJson: string): unknown {
  try {
    return JSON.parse(valueJson);
  } catch (error) {
    throw new StorageError('USAGE.INVALID', `cannot set ${JSON.stringify(key)}: the value is no JSON`, {
      hint: 'a text is written with quotes: "text"',
      details: { key },
      cause: error,
    });
  }
}

/** @throws StorageError `SBI.CHANGED` with both versions; `SBI.NOT_FOUND` */
function requireCurrent(unit: UnitOfWork, read: StoredSbi): StoredSbi {
  const current = unit.getSbi(read.id);
  if (current.revision === read.revision) return current;
  throw new StorageError('SBI.CHANGED', `${read.id} was changed since it was read; nothing was changed`, {
    hint: 'look at the present version, then repeat the change on it',
    details: { id: read.id, read, current },
  });
}

function configChanged(read: StoredConfig, current: StoredConfig | undefined): StorageError {
  return new StorageError(
    'CONFIG.CHANGED',
    `${read.key} was changed since it was read; nothing was changed`,
    {
      hint: 'look at the present value, then repeat the change on it',
      details: { key: read.key, read, current },
    },
  );
}

/** @throws StorageError `LEASE.NOT_HELD` when the lease is another one, or has been given back */
function requireLeaseOf(unit: UnitOfWork, { sbi, leaseExpiresAt }: Claim): void {
  const current = unit.overlay.leaseOf(sbi.id);
  if (current === leaseExpiresAt) return;
  throw new StorageError('LEASE.NOT_HELD', `${sbi.id} is no longer held by this claim`, {
    hint: 'somebody else has it, or it was given back: claim the next one',
    details: { id: sbi.id, claimed: leaseExpiresAt, current },
  });
}

/** When a lease ends: the same however often the step is carried out. @throws StorageError `USAGE.INVALID` */
function leaseEnd(leaseMs: number): Step<string> {
  if (!Number.isSafeInteger(leaseMs) || leaseMs < 1_000 || leaseMs > 86_400_000) {
    throw new StorageError('USAGE.INVALID', `a lease of ${leaseMs} ms`, {
      hint: 'a lease is 1,000 to 86,400,000 ms long',
    });
  }
  let end: string | undefined;
  return ({ now }) => (end ??= timeFromDate(new Date(now.getTime() + leaseMs)));
}
