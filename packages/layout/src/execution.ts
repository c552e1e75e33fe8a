import { timeFromNs, timeToNs } from '@deespec/domain';
import type { Decision, Execution, JournalEvent, Json, JsonObject, SbiId, TreeReader } from '@deespec/domain';

import type { TreeContext } from './context.js';
import { fileTime } from './content.js';
import { findDecision } from './decision-marker.js';
import { JOURNAL } from './paths.js';
import type { SbiSource, StateFile, StepFile } from './sbi-source.js';
import type { UnitNotes } from './unit-notes.js';

/** What the executions of one SBI are made from. */
export interface ExecutionParts {
  readonly sbiId: SbiId;
  readonly source: SbiSource;
  readonly events: readonly JournalEvent[];
  readonly context: TreeContext;
  readonly reader: TreeReader;
  readonly notes: UnitNotes;
}

/**
 * The executions of one SBI, ordered by run, turn and step: one per journal line with a turn and a step, joined with the file
 * it names; and one per step file that belongs to no line.
 *
 * Source: docs/formats.md, "From B to the tables".
 */
export function deriveExecutions(parts: ExecutionParts): readonly Execution[] {
  const lines = parts.events.filter(({ turn, step }) => turn >= 1 && step !== '');
  const owners = assignFiles(lines, parts.source.steps);
  const rows = new Map<string, Execution>();
  const placed = new Set<StepFile>();
  for (const group of groupByKey(lines)) {
    const row = lineExecution(parts, group, owners.get(group.at(-1)!));
    rows.set(keyOf(row), row);
    const file = owners.get(group.at(-1)!);
    if (file !== undefined) placed.add(file.file);
  }
  const run = lastRunOf(lines, parts.source.steps);
  for (const file of parts.source.steps) {
    if (placed.has(file)) continue;
    const ofRun = file.run ?? run;
    const key = `${ofRun}/${file.turn}/${file.step}`;
    if (rows.has(key)) noteUnplaced(parts, file, key);
    else rows.set(key, fileExecution(parts, file, ofRun));
  }
  return withLease(parts, [...rows.values()].sort(byKey), run);
}

/** The file whose bytes are a line's content, and how that is known. */
interface Owned {
  readonly file: StepFile;
  readonly from: 'journal' | 'name';
}

/** The run in work: that of the last pick, and later than every run of which files were kept. */
function lastRunOf(lines: readonly JournalEvent[], files: readonly StepFile[]): number {
  const picked = lines.reduce((last, event) => Math.max(last, event.run), 1);
  return files.reduce((last, file) => (file.run === undefined ? last : Math.max(last, file.run + 1)), picked);
}

/**
 * A file belongs to the last line that names it; else to the last line that names no file but has its step and turn. A file
 * kept from an earlier run belongs to lines of that run only.
 */
function assignFiles(
  lines: readonly JournalEvent[],
  files: readonly StepFile[],
): ReadonlyMap<JournalEvent, Owned> {
  const naming = new Map<string, JournalEvent>();
  const nameless = new Map<string, JournalEvent>();
  for (const line of lines) {
    const claims = line.artifact === undefined ? nameless : naming;
    const name = line.artifact ?? `${line.step}_${line.turn}.md`;
    claims.set(name, line);
    claims.set(`${line.run}/${name}`, line);
  }
  const owners = new Map<JournalEvent, Owned>();
  const earlierFirst = [...files].sort((a, b) => Number(b.run !== undefined) - Number(a.run !== undefined));
  for (const file of earlierFirst) {
    const key = file.run === undefined ? file.name : `${file.run}/${file.name}`;
    const named = naming.get(key);
    const owner = named ?? nameless.get(key);
    if (owner === undefined || owners.has(owner)) continue;
    owners.set(owner, { file, from: named === undefined ? 'name' : 'journal' });
  }
  return owners;
}

function groupByKey(lines: readonly JournalEvent[]): Iterable<readonly JournalEvent[]> {
  const groups = new Map<string, JournalEvent[]>();
  for (const line of lines) {
    const group = groups.get(keyOf(line));
    if (group === undefined) groups.set(keyOf(line), [line]);
    else group.push(line);
  }
  return groups.values();
}

function keyOf({ run, turn, step }: { run: number; turn: number; step: string }): string {
  return `${run}/${turn}/${step}`;
}

function lineExecution(
  parts: ExecutionParts,
  group: readonly JournalEvent[],
  owned: Owned | undefined,
): Execution {
  const line = group.at(-1)!;
  const status = line.status ?? (line.isPick ? 'READY' : stepStatus(line.step, line.decision));
  const derived = {
    status: line.status === undefined ? 'default' : 'journal',
    attempt: line.attempt === undefined ? 'default' : 'journal',
    ...(owned === undefined ? {} : { content: owned.from }),
  };
  return {
    sbiId: parts.sbiId,
    run: line.run,
    turn: line.turn,
    step: line.step,
    status,
    decision: line.decision,
    attempt: line.attempt ?? 1,
    startedAt: timeFromNs(timeToNs(line.ts) - BigInt(line.elapsedMs ?? 0) * 1_000_000n),
    completedAt: line.ts,
    ...(owned === undefined ? {} : { contentPath: owned.file.stat.path }),
    metadata: { ...describeLine(line), derived, ...describeEarlier(parts, group) },
  };
}

function describeLine(line: JournalEvent): JsonObject {
  return {
    line: line.line,
    ...(line.elapsedMs === undefined ? {} : { elapsedMs: line.elapsedMs }),
    ...(line.error === undefined ? {} : { error: line.error }),
  };
}

/** Most earlier lines of one key that are kept in the row of the last. */
const MAX_EARLIER = 100;

function describeEarlier(
  { notes }: ExecutionParts,
  group: readonly JournalEvent[],
): { earlier?: readonly Json[] } {
  if (group.length === 1) return {};
  const { run, turn, step, line } = group.at(-1)!;
  const lines = group
    .map((event) => event.line)
    .slice(-10)
    .join(', ');
  notes.add(JOURNAL, {
    rule: 'duplicate-turn',
    line,
    expected: `one journal line for run ${run}, turn ${turn}, step ${JSON.stringify(step)}`,
    actual: `${group.length} lines: ${group.length > 10 ? '..., ' : ''}${lines}`,
  });
  const earlier = group.slice(0, -1).slice(-MAX_EARLIER);
  return {
    earlier: earlier.map((event) => ({
      ...describeLine(event),
      ts: event.ts,
      decision: event.decision,
      ...(event.status === undefined ? {} : { status: event.status }),
      ...(event.attempt === undefined ? {} : { attempt: event.attempt }),
      ...(event.artifact === undefined ? {} : { artifact: event.artifact }),
    })),
  };
}

function noteUnplaced({ notes }: ExecutionParts, file: StepFile, key: string): void {
  const actual = `${file.name} belongs to no execution`;
  const expected = `run/turn/step ${key} to be free`;
  notes.add(file.stat.path, { rule: 'unplaced-artifact', expected, actual });
}

function fileExecution({ sbiId, source, reader }: ExecutionParts, file: StepFile, run: number): Execution {
  const { step, turn, stat } = file;
  const state = isInWork(source.state, file) ? source.state : undefined;
  const marked = state?.decision === undefined ? findDecision(reader.read(stat.path)) : undefined;
  const decision = (state?.decision ?? marked ?? 'PENDING') as Decision;
  const time = fileTime(stat.mtimeNs);
  const derived = {
    run: 'default',
    status: 'step',
    decision: state?.decision !== undefined ? 'state' : marked === undefined ? 'default' : 'marker',
    attempt: state?.attempt === undefined ? 'default' : 'state',
    startedAt: 'file-time',
    completedAt: 'file-time',
    content: 'name',
  };
  return {
    sbiId,
    run,
    turn,
    step,
    status: stepStatus(step, decision),
    decision,
    attempt: state?.attempt ?? 1,
    startedAt: time,
    completedAt: time,
    contentPath: stat.path,
    metadata: { derived },
  };
}

function isInWork(state: StateFile | undefined, { step, turn, run }: StepFile): boolean {
  return run === undefined && state?.current === step && state.turn === turn;
}

/** The status an SBI had in a step that does not say it. */
function stepStatus(step: string, decision: Decision): string {
  if (step === 'review') return 'REVIEW';
  if (step !== 'done') return 'WIP';
  return decision === 'SUCCEEDED' || decision === 'OK' ? 'DONE' : 'REVIEW&WIP';
}

/** Puts the lease on the execution in work: the one in the last run that the state file's step and turn name. */
function withLease(parts: ExecutionParts, rows: readonly Execution[], run: number): readonly Execution[] {
  const { source, context, sbiId } = parts;
  const goState = context.goState?.wip === sbiId ? context.goState : undefined;
  const inWork =
    source.state === undefined
      ? { ...goState, leaseExpiresAt: goState?.leaseExpiresAt }
      : { ...source.state, leaseExpiresAt: source.state.times['lease_expires_at']?.utc };
  const { current, turn, leaseExpiresAt } = inWork;
  if (leaseExpiresAt === undefined) return rows;
  return rows.map((row) =>
    row.run === run && row.step === current && row.turn === turn ? { ...row, leaseExpiresAt } : row,
  );
}

function byKey(a: Execution, b: Execution): number {
  return a.run - b.run || a.turn - b.turn || Buffer.compare(Buffer.from(a.step), Buffer.from(b.step));
}
