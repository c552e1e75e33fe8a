import { sbiIdTimeMs } from '@deespec/domain';
import type { JournalEvent, Json, JsonObject, Sbi, SbiId, SbiStatus, TreeStat } from '@deespec/domain';

import type { TreeContext } from './context.js';
import { fileTime } from './content.js';
import type { SbiSource, SourceTimes } from './sbi-source.js';

/** What one SBI's row is made from. */
export interface SbiParts {
  readonly sbiId: SbiId;
  readonly source: SbiSource;
  readonly events: readonly JournalEvent[];
  readonly entries: readonly TreeStat[];
  readonly context: TreeContext;
}

/** A value and where it came from. */
interface Derived<T> {
  readonly value: T;
  readonly from: 'state' | 'meta' | 'journal' | 'go-state' | 'id' | 'file-time' | 'default';
}

/** The row of one SBI. Source: docs/formats.md. */
export function deriveSbi(parts: SbiParts): Sbi {
  const { sbiId, source } = parts;
  const done = findDoneLine(parts.events);
  const columns = {
    task_id: deriveTaskId(parts),
    status: deriveStatus(parts, done),
    priority: derivePriority(source),
    label: deriveLabel(source),
    created_at: deriveCreatedAt(parts),
    updated_at: deriveUpdatedAt(parts),
    completed_at: deriveCompletedAt(parts, done),
  };
  const label = columns.label?.value;
  const completedAt = columns.completed_at?.value;
  const origins = Object.entries(columns).flatMap(([column, derived]) =>
    derived === undefined ? [] : [[column, derived.from] as const],
  );
  return {
    id: sbiId,
    taskId: columns.task_id.value,
    ...(label === undefined ? {} : { label }),
    priority: columns.priority.value,
    status: columns.status.value,
    createdAt: columns.created_at.value,
    updatedAt: columns.updated_at.value,
    ...(completedAt === undefined ? {} : { completedAt }),
    metadata: deriveMetadata(parts, Object.fromEntries(origins)),
  };
}

function deriveStatus(
  { sbiId, source, events, context }: SbiParts,
  done: JournalEvent | undefined,
): Derived<SbiStatus> {
  if (source.state !== undefined) return { value: source.state.status as SbiStatus, from: 'state' };
  if (done !== undefined) return { value: 'DONE', from: 'journal' };
  const { goState } = context;
  if (goState?.wip === sbiId && goState.status !== undefined) {
    return { value: goState.status as SbiStatus, from: 'go-state' };
  }
  const last = lastRun(events).findLast(({ status }) => status !== undefined)?.status;
  return last === undefined
    ? { value: 'READY', from: 'default' }
    : { value: last as SbiStatus, from: 'journal' };
}

function deriveTaskId({ sbiId, source, events }: SbiParts): Derived<string> {
  if (source.state?.taskId !== undefined) return { value: source.state.taskId, from: 'state' };
  const picked = events.findLast(({ taskId }) => taskId !== undefined)?.taskId;
  return picked === undefined ? { value: sbiId, from: 'id' } : { value: picked, from: 'journal' };
}

function derivePriority({ state, meta }: SbiSource): Derived<number> {
  if (state?.priority !== undefined) return { value: state.priority, from: 'state' };
  if (meta?.priority !== undefined) return { value: meta.priority, from: 'meta' };
  return { value: 0, from: 'default' };
}

function deriveLabel({ state, meta }: SbiSource): Derived<string> | undefined {
  if (state?.label !== undefined) return { value: state.label, from: 'state' };
  for (const [from, file] of [
    ['state', state],
    ['meta', meta],
  ] as const) {
    const labels = textsOf(file?.value['labels']);
    if (labels.length > 0) return { value: labels.join(','), from };
  }
  return undefined;
}

function deriveCreatedAt(parts: SbiParts): Derived<string> {
  const written = sourceTime(parts.source, 'created_at');
  if (written !== undefined) return written;
  const ms = sbiIdTimeMs(parts.sbiId);
  if (ms !== undefined) return { value: fileTime(BigInt(ms) * 1_000_000n), from: 'id' };
  return { value: fileTime(fileTimes(parts).reduce((a, b) => (b < a ? b : a))), from: 'file-time' };
}

function deriveUpdatedAt(parts: SbiParts): Derived<string> {
  const written = sourceTime(parts.source, 'updated_at');
  if (written !== undefined) return written;
  return { value: fileTime(fileTimes(parts).reduce((a, b) => (b > a ? b : a))), from: 'file-time' };
}

function deriveCompletedAt(
  { source }: SbiParts,
  done: JournalEvent | undefined,
): Derived<string> | undefined {
  const written = source.state?.times['completed_at']?.utc;
  if (written !== undefined) return { value: written, from: 'state' };
  const isDone = source.state === undefined || source.state.status === 'DONE';
  return done !== undefined && isDone ? { value: done.ts, from: 'journal' } : undefined;
}

function sourceTime({ state, meta }: SbiSource, key: string): Derived<string> | undefined {
  const inState = state?.times[key];
  if (inState !== undefined) return { value: inState.utc, from: 'state' };
  const inMeta = meta?.times[key];
  return inMeta === undefined ? undefined : { value: inMeta.utc, from: 'meta' };
}

/** Times of the files, or of the directories when there are no files. */
function fileTimes({ entries }: SbiParts): bigint[] {
  const files = entries.filter(({ kind }) => kind === 'file');
  return (files.length > 0 ? files : entries).map(({ mtimeNs }) => mtimeNs);
}

/** The last line of the last run that says DONE. */
function findDoneLine(events: readonly JournalEvent[]): JournalEvent | undefined {
  return lastRun(events).findLast(({ status }) => status === 'DONE');
}

function lastRun(events: readonly JournalEvent[]): readonly JournalEvent[] {
  const run = events.at(-1)?.run;
  return events.filter((event) => event.run === run);
}

const stateColumns = new Set([
  ...['task_id', 'label', 'priority', 'status'],
  ...['created_at', 'updated_at', 'completed_at'],
]);
const metaColumns = new Set(['priority', 'created_at', 'updated_at']);

function deriveMetadata({ sbiId, source: { state, meta } }: SbiParts, derived: JsonObject): JsonObject {
  const keys = new Map<string, Json>();
  for (const [key, value] of Object.entries(meta?.value ?? {}))
    if (!metaColumns.has(key)) keys.set(key, value);
  for (const [key, value] of Object.entries(state?.value ?? {}))
    if (!stateColumns.has(key)) keys.set(key, value);
  if (keys.get('id') === sbiId) keys.delete('id');
  const times = { ...originalTimes(meta?.times), ...originalTimes(state?.times) };
  const own = { original: times, derived, layout: state === undefined ? 'B' : 'A' };
  // A file's own key of one of these names moves to `file`.
  const hidden = [...keys].filter(([key]) => Object.hasOwn(own, key));
  const file = hidden.length === 0 ? {} : { file: Object.fromEntries(hidden) };
  return Object.fromEntries([...keys, ...Object.entries({ ...own, ...file })]);
}

function originalTimes(times: SourceTimes = {}): Record<string, Json> {
  return Object.fromEntries(
    Object.entries(times).flatMap(([key, time]) => (time === undefined ? [] : [[key, time.original]])),
  );
}

function textsOf(value: Json | undefined): readonly string[] {
  const list = Array.isArray(value) ? (value as readonly Json[]) : [];
  return list.filter((item) => typeof item === 'string');
}
