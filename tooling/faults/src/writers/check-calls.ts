import type { StorageError } from '@deespec/domain';

import { isAcknowledged, isUnknown, type Call, type Op } from './ledger.js';

type Code = StorageError['code'];

/** Errors that each kind of call may end with: somebody else came before. */
const mayEnd: Readonly<Record<Op, readonly Code[]>> = {
  create: [],
  title: ['SBI.CHANGED'],
  append: [],
  config: [],
  hot: ['SBI.CHANGED'],
  count: ['TRANSACTION.CHANGED', 'CONFIG.CHANGED'],
  total: ['TRANSACTION.CHANGED', 'CONFIG.CHANGED', 'SBI.CHANGED'],
  claim: [],
  renew: ['LEASE.NOT_HELD'],
  release: ['LEASE.NOT_HELD'],
};

/** Calls that ended with an error that they may not end with. @param also - codes that all of them may end with here */
export function wrongEnds(calls: readonly Call[], also: readonly Code[] = []): string[] {
  return calls.flatMap(({ worker, op, key, value, atMs, end }) => {
    if (end === undefined || end.outcome === 'ok') return [];
    const where = `${worker}: ${op} ${key} ended with ${end.outcome}`;
    const isEarly = end.outcome === 'LEASE.NOT_HELD' && !also.includes(end.outcome);
    if (isEarly && Date.parse(value) > end.atMs) {
      return [`${where} before its lease ended: ${value}, called at ${new Date(atMs).toISOString()}`];
    }
    const known: readonly string[] = [...mayEnd[op], ...also];
    return known.includes(end.outcome) ? [] : [`${where}: ${end.message}`];
  });
}

/** A time during which a claim was surely in force: from its acknowledgement to its end, or the call that gave it back. */
interface Held {
  readonly worker: string;
  readonly fromMs: number;
  readonly untilMs: number;
}

/** Items that two had in work at the same time. */
export function doubleClaims(calls: readonly Call[]): string[] {
  const held = new Map<string, Held[]>();
  for (const call of calls) {
    const { claimed, atMs: fromMs } = call.end ?? {};
    if (claimed === undefined || fromMs === undefined) continue;
    const { worker } = call;
    const given = calls.find(
      (other) =>
        other.worker === worker &&
        (other.op === 'release' || other.op === 'renew') &&
        other.key === claimed.id &&
        other.value === claimed.until,
    );
    const untilMs = Math.min(Date.parse(claimed.until), given?.atMs ?? Infinity);
    held.set(claimed.id, [...(held.get(claimed.id) ?? []), { worker, fromMs, untilMs }]);
  }
  return [...held].flatMap(([id, times]) => overlaps(id, times));
}

function overlaps(id: string, times: readonly Held[]): string[] {
  const sorted = times.filter(({ fromMs, untilMs }) => untilMs > fromMs).sort((a, b) => a.fromMs - b.fromMs);
  return sorted.flatMap((held, i) => {
    const before = sorted[i - 1];
    if (before === undefined || before.untilMs <= held.fromMs) return [];
    return [
      `${id} was claimed by ${before.worker} and ${held.worker} for ${before.untilMs - held.fromMs} ms`,
    ];
  });
}

/** What a key must say in the end: the last acknowledged value, or one that was under way after it. */
export function possibleEnds(calls: readonly Call[]): ReadonlySet<string> {
  let possible = new Set<string>();
  for (const call of calls) {
    if (isAcknowledged(call)) possible = new Set([call.value]);
    else if (isUnknown(call)) possible.add(call.value);
  }
  return possible;
}

/** How far a number must have been raised: by each acknowledged call, and at most by those that are unknown beside. */
export function possibleCount(calls: readonly Call[]): { readonly least: number; readonly most: number } {
  const least = calls.filter(isAcknowledged).length;
  return { least, most: least + calls.filter(isUnknown).length };
}

/** Numbers that two acknowledged raises gave: one of them was lost. */
export function lostRaises(calls: readonly Call[]): string[] {
  const seen = new Map<string, string>();
  return calls.filter(isAcknowledged).flatMap(({ worker, key, op, value, end }) => {
    const given = `${key} ${op === 'hot' ? value : (end!.audit![0]!.split(' ').at(-1) ?? '')}`;
    const other = seen.get(given);
    seen.set(given, worker);
    return other === undefined ? [] : [`${given} was given to ${other} and ${worker}: a raise is lost`];
  });
}

/** Waits of acknowledged calls, milliseconds, and what the longest was for. */
export function waits(calls: readonly Call[]): {
  readonly p50: number;
  readonly p99: number;
  readonly worst: number;
  readonly worstOp: string;
} {
  const sorted = calls
    .flatMap(({ op, end }) => (end?.outcome === 'ok' ? [{ op, tookMs: end.tookMs }] : []))
    .sort((a, b) => a.tookMs - b.tookMs);
  const at = (part: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))]?.tookMs ?? 0;
  const last = sorted.at(-1);
  return { p50: at(0.5), p99: at(0.99), worst: last?.tookMs ?? 0, worstOp: last?.op ?? 'none' };
}
