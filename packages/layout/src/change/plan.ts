import { assertNever, parseSbiId, StorageError } from '@deespec/domain';
import type { Change, SbiId } from '@deespec/domain';

import { setConfig } from './config-change.js';
import type { Draft } from './draft.js';
import { appendExecution } from './execution-changes.js';
import { shortTime } from './go-files.js';
import { claimSbi, releaseSbi, renewLease } from './lease-changes.js';
import { requireSaid } from './said.js';
import { createSbi, deleteSbi, directoryOf, updateSbi } from './sbi-changes.js';
import { placeOf, type LayoutName, type Planning, type SbiPlace } from './sbi-place.js';

/** What a change is planned with. */
export interface PlanOptions {
  /** The tree as it is; receives the edits. */
  readonly draft: Draft;
  /** The layout that a new SBI takes. */
  readonly layout: () => LayoutName;
  /** Unique, for the journal line of the change: lines are told apart by it when journals are merged. */
  readonly lineId: string;
}

/**
 * Makes the edits of paths that a change is, in the order in which they are to be made: artifacts first, the file that readers
 * trust last. What the edited bytes mean is derived before it returns, so a change that the layout cannot express is an error.
 *
 * @throws StorageError `SBI.INVALID_ID`, `SBI.NOT_FOUND`, `SBI.EXISTS`, `EXECUTION.EXISTS`, `LEASE.HELD`, `LEASE.NOT_HELD`, `USAGE.INVALID`;
 *   `LAYOUT.MALFORMED` when a file to edit cannot be interpreted, `LAYOUT.CANNOT_EXPRESS`; those of the tree's reads
 *
 * Source: docs/adr/0012.
 */
export function planChange(change: Change, { draft, layout, lineId }: PlanOptions): void {
  if (change.kind === 'set-config') return setConfig(draft, change.key, change.valueJson);
  const id = idOf(change);
  const before = draft.derive(id);
  const planning: Planning = { draft, before, stamp: { now: shortTime(draft.options.now), lineId } };
  if (change.kind !== 'create-sbi') {
    changeSbi(planning, placeOf(before?.entries ?? [], id), change);
  } else {
    if (before !== undefined || draft.find(directoryOf(id)) !== undefined) throw exists(id);
    createSbi(planning, change.sbi, layout());
  }
  if (change.kind !== 'delete-sbi') requireSaid(change, planning, draft.derive(id)!);
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

function exists(id: SbiId): StorageError {
  return new StorageError('SBI.EXISTS', `there is an SBI ${id} already`, {
    hint: 'generate another id',
    details: { id },
  });
}
