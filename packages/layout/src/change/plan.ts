import { assertNever, parseSbiId, StorageError, timeToNs } from '@deespec/domain';
import type { Change, SbiId, TreeEdit, TreeReader } from '@deespec/domain';

import type { TreeContext } from '../context.js';
import { deriveUnit } from '../derive.js';
import type { TreeUnit } from '../units.js';
import { setConfig } from './config-change.js';
import { Draft } from './draft.js';
import { appendExecution } from './execution-changes.js';
import { claimSbi, releaseSbi, renewLease } from './lease-changes.js';
import { deriveAfter, requireSaid } from './said.js';
import { createSbi, deleteSbi, updateSbi } from './sbi-changes.js';
import { placeOf, type LayoutName, type Planning, type SbiPlace } from './sbi-place.js';

/** What a change is planned upon. */
export interface PlanOptions {
  /** The tree as it is. */
  readonly reader: TreeReader;
  /** Of that tree. */
  readonly context: TreeContext;
  /** The directory of an SBI with its entries, or `undefined` when there is none. */
  readonly findUnit: (id: SbiId) => TreeUnit | undefined;
  /** The layout that a new SBI takes. */
  readonly layout: LayoutName;
  /** The present: UTC, see `parseTime`. */
  readonly now: string;
  /** Unique, for the journal line of the change: lines are told apart by it when journals are merged. */
  readonly lineId: string;
}

/**
 * The edits of paths that a change is, in the order in which they are to be made: artifacts first, the file that readers trust
 * last. What the edited bytes mean is derived before it is returned, so a change that the layout cannot express is an error.
 *
 * @throws StorageError `SBI.INVALID_ID`, `SBI.NOT_FOUND`, `SBI.EXISTS`, `EXECUTION.EXISTS`, `LEASE.HELD`, `LEASE.NOT_HELD`, `USAGE.INVALID`;
 *   `LAYOUT.MALFORMED` when a file to edit cannot be interpreted, `LAYOUT.CANNOT_EXPRESS`; those of `reader`
 *
 * Source: docs/adr/0012.
 */
export function planChange(change: Change, options: PlanOptions): readonly TreeEdit[] {
  const { reader, context, layout, now, lineId } = options;
  const draft = new Draft(reader, timeToNs(now));
  const stamp = { now: shortTime(now), lineId };
  if (change.kind === 'set-config') {
    setConfig(draft, change.key, change.valueJson);
    return draft.edits;
  }
  const id = idOf(change);
  const unit = options.findUnit(id);
  const before = unit === undefined ? undefined : deriveUnit(unit, context, reader);
  const planning: Planning = { draft, context, before, stamp };
  if (change.kind !== 'create-sbi') {
    changeSbi(planning, placeOf(unit, id), change);
  } else {
    if (unit !== undefined) throw exists(id);
    createSbi(planning, change.sbi, layout);
  }
  if (change.kind !== 'delete-sbi') requireSaid(change, planning, deriveAfter(planning, id, unit));
  return draft.edits;
}

type ChangeOfOne = Exclude<Change, { kind: 'create-sbi' | 'set-config' }>;

function changeSbi(planning: Planning, place: SbiPlace, change: ChangeOfOne): void {
  switch (change.kind) {
    case 'update-sbi':
      return updateSbi(planning, place, change.fields);
    case 'append-execution':
      return appendExecution(planning, place, change.execution);
    case 'claim-sbi':
      return claimSbi(planning, place, change.leaseExpiresAt);
    case 'renew-lease':
      return renewLease(planning, place, change.leaseExpiresAt);
    case 'release-sbi':
      return releaseSbi(planning, place, change.status);
    case 'delete-sbi':
      return deleteSbi(planning, place);
    default:
      return assertNever(change);
  }
}

/** The SBI of a change; it becomes part of a path, so it is read like any other input. */
function idOf(change: Exclude<Change, { kind: 'set-config' }>): SbiId {
  if (change.kind === 'create-sbi') return parseSbiId(change.sbi.id);
  return parseSbiId(change.kind === 'append-execution' ? change.execution.sbiId : change.id);
}

/** Without the zeros that the fixed width adds: as programs write times. */
function shortTime(time: string): string {
  return time.replace(/\.?0+Z$/u, 'Z');
}

function exists(id: SbiId): StorageError {
  return new StorageError('SBI.EXISTS', `there is an SBI ${id} already`, {
    hint: 'generate another id',
    details: { id },
  });
}
