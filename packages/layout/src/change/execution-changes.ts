import { artifactSteps, StorageError } from '@deespec/domain';
import type { JournalEvent, Json, NewExecution, SbiId, SbiStatus, TreePath } from '@deespec/domain';

import { cannotExpress } from '../edit.js';
import { removeJsonKey } from '../json-edit.js';
import { parseJsonObject } from '../json-text.js';
import { earlierPath } from '../paths.js';
import { appendLine, isWip, projectPath, setGoState, wipOf } from './go-files.js';
import { noteStatus, setCompleted, setStateKeys } from './sbi-changes.js';
import type { Planning, SbiPlace } from './sbi-place.js';

/**
 * Appends what one step did: its file, its journal line, and last the state of the SBI. The file of an earlier run that has
 * the same name is kept in `histories/run_<n>/` first.
 *
 * @throws StorageError `EXECUTION.EXISTS`; `LAYOUT.CANNOT_EXPRESS` for another run than the one in work, or a content without
 *   a file name
 */
export function appendExecution(planning: Planning, place: SbiPlace, execution: NewExecution): void {
  const { draft, context, stamp } = planning;
  const { run, turn, step, content, status, decision, attempt = 1 } = execution;
  const events = context.spool.eventsOf(place.id);
  requireNew(events, execution);
  requireCurrentRun(events, run);
  const file = content === undefined ? undefined : stepFile(place, execution);

  settleInWork(planning, place);
  if (file !== undefined) {
    keepEarlier(planning, place, { file, events, execution });
    draft.put(file, Buffer.from(content!));
  }
  const artifacts = file === undefined ? [{ type: 'status', id: place.id }] : [projectPath(file)];
  appendLine(draft, { ...execution, artifacts }, stamp);
  const keys = { current: step, turn, attempt, decision, status };
  if (place.layout === 'document') {
    setStateKeys(draft, place, { ...keys, updated_at: stamp.now });
    setCompleted(draft, place, status === 'DONE' ? stamp.now : undefined);
    return;
  }
  if (!isWip(wipOf(draft), place.id)) return;
  const ended = status === 'DONE' ? { wip: '', lease_expires_at: '' } : {};
  setGoState(draft, { ...keys, ...ended }, stamp.now);
}

/**
 * What `state.json` alone says of the step in work gets its journal line before the file names the next step: after that
 * nothing else would say it.
 */
function settleInWork({ draft, before, stamp }: Planning, { layout }: SbiPlace): void {
  if (layout !== 'document') return;
  for (const execution of before?.executions ?? []) {
    const { derived } = execution.metadata as { derived: Record<string, string> };
    if (derived['decision'] !== 'state' || derived['run'] === undefined) continue;
    const { completedAt, contentPath } = execution;
    const at = { ...stamp, now: completedAt!, lineId: `${stamp.lineId}-0` };
    appendLine(draft, { ...execution, artifacts: [projectPath(contentPath!)] }, at);
  }
}

function requireNew(events: readonly JournalEvent[], { sbiId, run, turn, step }: NewExecution): void {
  if (!events.some((event) => event.run === run && event.turn === turn && event.step === step)) return;
  throw exists({ sbiId, run, turn, step });
}

function exists(key: { sbiId: SbiId; run: number; turn: number; step: string }): StorageError {
  const { sbiId, run, turn, step } = key;
  return new StorageError('EXECUTION.EXISTS', `${sbiId} has run ${run}, turn ${turn}, step ${step} already`, {
    hint: 'append the next turn',
    details: { ...key },
  });
}

/** A line belongs to the run of the last pick before it. */
function requireCurrentRun(events: readonly JournalEvent[], run: number): void {
  const current = events.at(-1)?.run ?? 1;
  if (run !== current) throw cannotExpress(['run'], `run ${current} is in work; a claim begins the next`);
}

function stepFile({ unit }: SbiPlace, { step, turn }: NewExecution): TreePath {
  if ((artifactSteps as readonly string[]).includes(step))
    return `${unit.path}/${step}_${turn}.md` as TreePath;
  throw cannotExpress(['step'], `only ${artifactSteps.join(', ')} have files`);
}

interface Keeping {
  readonly file: TreePath;
  readonly events: readonly JournalEvent[];
  readonly execution: NewExecution;
}

/** Keeps the bytes that stand at a step's name as those of the run they belong to. */
function keepEarlier({ draft }: Planning, { unit }: SbiPlace, { file, events, execution }: Keeping): void {
  const found = draft.find(file);
  if (found === undefined) return;
  const name = file.slice(unit.path.length + 1);
  const owner = events.findLast((event) => (event.artifact ?? `${event.step}_${event.turn}.md`) === name);
  // A file without a line, or that a line of this run names, is an execution of this run.
  if (found.kind !== 'file' || owner === undefined || owner.run === execution.run) throw exists(execution);
  const kept = earlierPath(unit.path, owner.run, name);
  if (draft.find(kept) !== undefined) throw cannotExpress(['content'], `${kept} is taken`);
  draft.put(kept, Buffer.concat([...draft.read(file)]));
}

/**
 * Takes an SBI into work: a pick line, which begins a new run, and the lease.
 *
 * @throws StorageError `LEASE.HELD` while it is in work, or another SBI of the Go tool is: a tree has one `wip`
 */
export function claimSbi(planning: Planning, place: SbiPlace, leaseExpiresAt: string): void {
  const { draft, context, stamp } = planning;
  const { id, unit } = place;
  requireFree(planning, place);
  settleInWork(planning, place);

  const picked = context.spool.eventsOf(id).findLast(({ taskId }) => taskId !== undefined)?.taskId;
  const pick = { id, spec_path: projectPath(unit.path), task_id: picked ?? id, type: 'pick' };
  appendLine(draft, { turn: 1, step: 'plan', decision: 'PENDING', status: 'WIP', artifacts: [pick] }, stamp);
  const begun = { current: 'plan', turn: 1, attempt: 1, decision: 'PENDING', status: 'WIP' };
  const keys = { ...begun, lease_expires_at: leaseExpiresAt };
  if (place.layout === 'go') return setGoState(draft, { ...keys, wip: id }, stamp.now);
  setStateKeys(draft, place, { ...keys, updated_at: stamp.now });
  setCompleted(draft, place, undefined);
}

function requireFree({ draft, stamp }: Planning, place: SbiPlace): void {
  const holder = place.layout === 'go' ? wipOf(draft) : undefined;
  const isElsewhere = holder !== undefined && !isWip(holder, place.id);
  const lease = leaseOf(draft, place);
  const isLive = lease !== undefined && Date.parse(lease) > Date.parse(stamp.now);
  if (!isElsewhere && !isLive) return;
  const who = isElsewhere ? holder : place.id;
  throw new StorageError('LEASE.HELD', `${who} is in work${isLive ? ` until ${lease}` : ''}`, {
    hint: 'wait until it is released or its lease ends',
    details: { id: who, ...(isLive ? { leaseExpiresAt: lease } : {}) },
  });
}

/** When the lease of an SBI ends, as its file says; `undefined` when it has none. */
function leaseOf(draft: Planning['draft'], place: SbiPlace): string | undefined {
  const bytes =
    place.layout === 'document'
      ? draft.file(place.file)
      : isWip(wipOf(draft), place.id)
        ? draft.file('var/state.json' as TreePath)
        : undefined;
  const parsed = bytes === undefined ? undefined : parseJsonObject(bytes);
  const lease: Json | undefined =
    parsed?.problem === undefined ? parsed?.value['lease_expires_at'] : undefined;
  return typeof lease === 'string' && lease !== '' ? lease : undefined;
}

/** Moves the end of a lease. @throws StorageError `LEASE.NOT_HELD` */
export function renewLease({ draft, stamp }: Planning, place: SbiPlace, leaseExpiresAt: string): void {
  requireHeld(draft, place);
  const keys = { lease_expires_at: leaseExpiresAt };
  if (place.layout === 'go') setGoState(draft, keys, stamp.now);
  else setStateKeys(draft, place, { ...keys, updated_at: stamp.now });
}

/** Gives an SBI back. @throws StorageError `LEASE.NOT_HELD` */
export function releaseSbi(planning: Planning, place: SbiPlace, status: SbiStatus): void {
  const { draft, stamp } = planning;
  requireHeld(draft, place);
  if (place.layout === 'go') {
    noteStatus(planning, place.id, { status });
    setGoState(draft, { wip: '', lease_expires_at: '' }, stamp.now);
    return;
  }
  setStateKeys(draft, place, { status, updated_at: stamp.now });
  draft.put(place.file, removeJsonKey(draft.file(place.file)!, ['lease_expires_at']));
}

function requireHeld(draft: Planning['draft'], place: SbiPlace): void {
  const isHeld = place.layout === 'go' ? isWip(wipOf(draft), place.id) : leaseOf(draft, place) !== undefined;
  if (isHeld) return;
  throw new StorageError('LEASE.NOT_HELD', `${place.id} is not in work`, {
    hint: 'claim it first',
    details: { id: place.id },
  });
}
