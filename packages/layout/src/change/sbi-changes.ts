import type { Json, NewSbi, SbiFields, SbiId, TreePath } from '@deespec/domain';

import { removeJsonKey, setJsonKey } from '../json-edit.js';
import { parseJsonObject } from '../json-text.js';
import { SBI_ROOT } from '../paths.js';
import { setYamlKey } from '../yaml-edit.js';
import { appendLine, isWip, setGoState, wipOf } from './go-files.js';
import { held, requireNoLease } from './lease.js';
import type { LayoutName, Planning, SbiPlace } from './sbi-place.js';

/** The directory of a new SBI. */
export function directoryOf(id: SbiId): TreePath {
  return `${SBI_ROOT}/${id}` as TreePath;
}

/** Makes an SBI's directory, its `spec.md`, and its `state.json` or `meta.yml` last: readers trust the last file. */
export function createSbi({ draft, stamp }: Planning, sbi: NewSbi, layout: LayoutName): void {
  const directory = directoryOf(sbi.id);
  const { id, title, labels = [], priority } = sbi;
  draft.put(`${directory}/spec.md` as TreePath, Buffer.from(sbi.spec));
  const times = { created_at: stamp.now, updated_at: stamp.now };
  if (layout === 'document') {
    const label = labels.length === 0 ? {} : { label: labels.join(','), labels };
    const state = { id, title, ...label, priority: priority ?? 0, status: 'READY', ...times };
    draft.put(`${directory}/state.json` as TreePath, Buffer.from(`${JSON.stringify(state, null, 2)}\n`));
    return;
  }
  const keys = { title, labels, ...(priority === undefined ? {} : { priority }), ...times };
  draft.put(`${directory}/meta.yml` as TreePath, setYamlKeys(newMeta(id), keys));
}

/** Changes fields where the SBI's layout has them. */
export function updateSbi(planning: Planning, place: SbiPlace, fields: SbiFields): void {
  if (Object.values(fields).every((value) => value === undefined)) return;
  if (place.layout === 'document') updateState(planning, place, fields);
  else updateGo(planning, place, fields);
}

function updateState({ draft, stamp }: Planning, place: SbiPlace, fields: SbiFields): void {
  const { title, label, priority, status, decision, attempt } = fields;
  setStateKeys(draft, place, {
    title,
    ...labelKeys(draft.file(place.file), label),
    priority,
    status,
    decision,
    attempt,
    updated_at: stamp.now,
  });
  if (status !== undefined) setCompleted(draft, place, status === 'DONE' ? stamp.now : undefined);
}

/** Sets the keys that have a value in the SBI's `state.json`. */
export function setStateKeys(
  draft: Planning['draft'],
  { file }: SbiPlace,
  keys: Readonly<Record<string, Json | undefined>>,
): void {
  let bytes = draft.file(file)!;
  for (const [key, value] of Object.entries(keys)) {
    if (value !== undefined) bytes = setJsonKey(bytes, [key], JSON.stringify(value));
  }
  draft.put(file, bytes);
}

/** Notes when an SBI was done; `undefined` takes a time back that is there. */
export function setCompleted(draft: Planning['draft'], place: SbiPlace, at: string | undefined): void {
  if (at !== undefined) setStateKeys(draft, place, { completed_at: at });
  else draft.put(place.file, removeJsonKey(draft.file(place.file)!, ['completed_at']));
}

/** A label is one text, a list, or both: whatever is there says the new one. */
function labelKeys(bytes: Buffer | undefined, label: string | undefined): Record<string, Json> {
  if (label === undefined || bytes === undefined) return {};
  const parsed = parseJsonObject(bytes);
  const hasList = parsed.problem === undefined && Array.isArray(parsed.value['labels']);
  return hasList ? { label, labels: listOf(label) } : { label };
}

function listOf(label: string): readonly string[] {
  return label === '' ? [] : label.split(',');
}

function updateGo(planning: Planning, place: SbiPlace, fields: SbiFields): void {
  const { draft, stamp } = planning;
  const { title, label, priority } = fields;
  const meta = { title, labels: label === undefined ? undefined : listOf(label), priority };
  const { status, decision, attempt } = fields;
  if (status !== undefined || decision !== undefined || attempt !== undefined) {
    noteStatus(planning, place.id, fields);
  }
  if (Object.values(meta).every((value) => value === undefined)) return;
  const before = draft.file(place.file) ?? newMeta(place.id);
  draft.put(place.file, setYamlKeys(before, { ...meta, updated_at: stamp.now }));
}

/** A status has its journal line, and its keys in `var/state.json` while the SBI is the one in work. */
export function noteStatus(
  { draft, before, stamp }: Planning,
  id: SbiId,
  {
    status = before?.sbi?.status ?? 'READY',
    decision,
    attempt,
  }: Pick<SbiFields, 'status' | 'decision' | 'attempt'>,
): void {
  const last = draft.journal.eventsOf(id).at(-1);
  appendLine(
    draft,
    {
      turn: 0,
      step: '',
      decision: decision ?? last?.decision ?? 'PENDING',
      status,
      ...(attempt === undefined ? {} : { attempt }),
      artifacts: [{ type: 'status', id }],
    },
    stamp,
  );
  if (!isWip(wipOf(draft), id)) return;
  const keys = { status, ...(decision === undefined ? {} : { decision }) };
  setGoState(draft, { ...keys, ...(attempt === undefined ? {} : { attempt }) }, stamp.now);
}

/** Removes an SBI's directory. The journal keeps what it says of the SBI, and where it is the SBI's record, its end. */
export function deleteSbi(planning: Planning, place: SbiPlace): void {
  const { draft, stamp } = planning;
  const { id, layout, directory } = place;
  if (layout === 'go' && isWip(wipOf(draft), id)) throw held(id);
  requireNoLease(planning, place);
  draft.discard(directory);
  if (layout === 'document') return;
  const artifacts = [{ type: 'delete', id }];
  appendLine(draft, { turn: 0, step: '', decision: 'PENDING', status: '', artifacts }, stamp);
}

function newMeta(id: SbiId): Buffer {
  return Buffer.from(`id: ${id}\n`);
}

function setYamlKeys(bytes: Buffer, keys: Readonly<Record<string, Json | undefined>>): Buffer {
  let edited = bytes;
  for (const [key, value] of Object.entries(keys)) {
    if (value !== undefined) edited = setYamlKey(edited, [key], value);
  }
  return edited;
}
