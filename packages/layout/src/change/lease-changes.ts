import { parseTime } from '@deespec/domain';
import type { SbiStatus } from '@deespec/domain';

import { cannotExpress } from '../edit.js';
import { removeJsonKey } from '../json-edit.js';
import { settleInWork } from './execution-changes.js';
import { appendLine, isWip, projectPath, setGoState, shortTime, wipOf } from './go-files.js';
import { held, requireInWork, requireNoLease } from './lease.js';
import { noteStatus, setCompleted, setStateKeys } from './sbi-changes.js';
import type { Planning, SbiPlace } from './sbi-place.js';

/**
 * Takes an SBI into work: a pick line, which begins a new run, and the lease. One that is done is picked again: its runs keep
 * what they said.
 *
 * @throws StorageError `LEASE.HELD` while it is in work, or while another SBI of the Go tool is: a tree has one `wip`
 */
export function claimSbi(planning: Planning, place: SbiPlace, leaseExpiresAt: string): void {
  const { draft, before, stamp } = planning;
  const { id, layout, directory } = place;
  const wip = layout === 'go' ? wipOf(draft) : undefined;
  if (wip !== undefined && !isWip(wip, id)) throw held(wip);
  requireNoLease(planning, place);
  settleInWork(planning, place);
  const taskId = before?.sbi?.taskId ?? id;
  const pick = { id, spec_path: projectPath(directory), task_id: taskId, type: 'pick' };
  appendLine(draft, { turn: 1, step: 'plan', decision: 'PENDING', status: 'WIP', artifacts: [pick] }, stamp);
  const begun = { current: 'plan', turn: 1, attempt: 1, decision: 'PENDING', status: 'WIP' };
  const keys = { ...begun, lease_expires_at: leaseTime(leaseExpiresAt) };
  if (layout === 'go') return setGoState(draft, { ...keys, wip: id }, stamp.now);
  setStateKeys(draft, place, { ...keys, updated_at: stamp.now });
  setCompleted(draft, place, undefined);
}

/** Moves the end of a lease. @throws StorageError `LEASE.NOT_HELD` */
export function renewLease({ draft, stamp }: Planning, place: SbiPlace, leaseExpiresAt: string): void {
  requireInWork(draft, place);
  const keys = { lease_expires_at: leaseTime(leaseExpiresAt) };
  if (place.layout === 'go') setGoState(draft, keys, stamp.now);
  else setStateKeys(draft, place, { ...keys, updated_at: stamp.now });
}

/** Gives an SBI back. @throws StorageError `LEASE.NOT_HELD` */
export function releaseSbi(planning: Planning, place: SbiPlace, status: SbiStatus): void {
  const { draft, stamp } = planning;
  requireInWork(draft, place);
  if (place.layout === 'go') {
    noteStatus(planning, place.id, { status });
    setGoState(draft, { wip: '', lease_expires_at: '' }, stamp.now);
    return;
  }
  setStateKeys(draft, place, { status, updated_at: stamp.now });
  setCompleted(draft, place, status === 'DONE' ? stamp.now : undefined);
  draft.put(place.file, removeJsonKey(draft.file(place.file)!, ['lease_expires_at']));
}

/** @throws StorageError `LAYOUT.CANNOT_EXPRESS` */
function leaseTime(text: string): string {
  const utc = parseTime(text);
  if (utc === undefined)
    throw cannotExpress(['lease_expires_at'], `${JSON.stringify(text)} is no RFC 3339 time with a zone`);
  return shortTime(utc);
}
