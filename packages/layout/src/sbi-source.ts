import { MOST_EVENTS } from '@deespec/domain';
import type { Json, JsonObject, SbiId, TreePath, TreeReader, TreeStat } from '@deespec/domain';

import type { TreeContext } from './context.js';
import { checkFile, checkZeroFilled, readSmall, STATE_BYTES } from './content.js';
import { Fields, isColumnText } from './fields.js';
import type { Time } from './fields.js';
import { exactValue, parseJsonObject } from './json-text.js';
import { classifyPath } from './paths.js';
import { quote } from './rules.js';
import type { UnitNotes } from './unit-notes.js';
import type { TreeUnit } from './units.js';
import { parseYaml } from './yaml-text.js';

/** The fields of `state.json` that have a meaning. */
export interface StateFile {
  readonly value: JsonObject;
  readonly status: string;
  readonly taskId?: string | undefined;
  readonly label?: string | undefined;
  readonly priority?: number | undefined;
  readonly current?: string | undefined;
  readonly turn?: number | undefined;
  readonly attempt?: number | undefined;
  readonly decision?: string | undefined;
  readonly times: SourceTimes;
}

/** The fields of `meta.yml` that have a meaning. */
export interface MetaFile {
  readonly value: JsonObject;
  readonly priority?: number | undefined;
  readonly times: SourceTimes;
}

/** Times of a source file by their key there. */
export type SourceTimes = Readonly<Record<string, Time | undefined>>;

/** A step's file that is interpreted. */
export interface StepFile {
  readonly name: string;
  readonly step: string;
  readonly turn: number;
  /** Only of a file kept from an earlier run. */
  readonly run?: number;
  readonly stat: TreeStat;
}

/** The interpreted files of one SBI's directory. */
export interface SbiSource {
  readonly state?: StateFile;
  readonly meta?: MetaFile;
  readonly hasSpec: boolean;
  /** In scan order. */
  readonly steps: readonly StepFile[];
  /** False when `state.json` or `meta.*` stands there and cannot be interpreted: no rows then. */
  readonly isReadable: boolean;
}

/** What reading the files of one unit needs. */
export interface SourceReading {
  readonly unit: TreeUnit;
  readonly sbiId: SbiId;
  readonly context: TreeContext;
  readonly reader: TreeReader;
  readonly notes: UnitNotes;
}

/** Reads the interpreted files of an SBI's directory, noting what is wrong with them. */
export function readSbiSource(reading: SourceReading): SbiSource {
  const files = { state: [] as TreeStat[], meta: [] as TreeStat[], spec: [] as TreeStat[] };
  const steps: StepFile[] = [];
  for (const stat of reading.unit.entries) {
    const role = classifyPath(stat.path);
    if (role.role === 'state' || role.role === 'meta' || role.role === 'spec') files[role.role].push(stat);
    if (role.role !== 'artifact' || !isContent(reading, stat)) continue;
    const { step, turn, run } = role;
    steps.push({ name: `${step}_${turn}.md`, step, turn, ...(run === undefined ? {} : { run }), stat });
  }
  const kept = lastSteps(steps);
  if (kept.length < steps.length) {
    reading.notes.add(reading.unit.path, {
      rule: 'sbi-many-steps',
      expected: `at most ${MOST_EVENTS} step files`,
      actual: `${steps.length} files, of which those of the last turns count`,
    });
  }
  const hasSpec = files.spec.some((stat) => isContent(reading, stat));
  const state = files.state[0] === undefined ? undefined : readState(reading, files.state[0]);
  const meta = readMetas(reading, files.meta);
  const isQuarantined = [...files.state, ...files.meta].some(({ path }) =>
    reading.notes.quarantined.has(path),
  );
  return {
    ...(state === undefined ? {} : { state }),
    ...(meta === undefined ? {} : { meta }),
    hasSpec,
    steps: kept,
    isReadable: !isQuarantined,
  };
}

/** As many as count, in scan order: those of the highest runs and turns, where a file that is not kept from an earlier run is of the last. */
function lastSteps(steps: readonly StepFile[]): readonly StepFile[] {
  if (steps.length <= MOST_EVENTS) return steps;
  const lastFirst = [...steps].sort((a, b) => (b.run ?? Infinity) - (a.run ?? Infinity) || b.turn - a.turn);
  const kept = new Set(lastFirst.slice(0, MOST_EVENTS));
  return steps.filter((step) => kept.has(step));
}

function isContent({ reader, notes }: SourceReading, stat: TreeStat): boolean {
  const problem = checkFile(stat) ?? checkZeroFilled(reader, stat);
  if (problem !== undefined) notes.add(stat.path, problem);
  return problem === undefined;
}

function readState(reading: SourceReading, stat: TreeStat): StateFile | undefined {
  const { notes, context } = reading;
  const { path } = stat;
  const content = readSmall(reading.reader, stat, STATE_BYTES);
  const parsed = content.problem === undefined ? parseJsonObject(content.bytes) : content;
  if (parsed.problem !== undefined) {
    notes.add(path, parsed.problem);
    return undefined;
  }
  const fields = new Fields(parsed.value);
  const status = fields.status('status');
  if (status === undefined) fields.fail('status', 'status-known', 'a known status');
  const file = {
    status: status ?? '',
    taskId: fields.text('task_id'),
    label: fields.text('label'),
    priority: fields.whole('priority'),
    current: fields.text('current'),
    turn: fields.whole('turn'),
    attempt: fields.whole('attempt'),
    decision: fields.decision('decision'),
    times: readTimes(fields, ['created_at', 'updated_at', 'completed_at', 'lease_expires_at']),
  };
  checkLabels(fields);
  const problems = fields.listProblems(context.checks, 'state');
  notes.addAll(path, problems);
  if (problems.length > 0) return undefined;
  noteForeignId(reading, path, fields.text('id'));
  return { ...file, value: parsed.isInexact ? (exactValue(parsed.text) as JsonObject) : parsed.value };
}

function readMetas(reading: SourceReading, stats: readonly TreeStat[]): MetaFile | undefined {
  const { reader, notes } = reading;
  const contents = stats.map((stat) => ({ path: stat.path, content: readSmall(reader, stat, STATE_BYTES) }));
  for (const { path, content } of contents)
    if (content.problem !== undefined) notes.add(path, content.problem);
  const readable = contents.flatMap(({ path, content }) =>
    content.problem === undefined ? [{ path, bytes: content.bytes }] : [],
  );
  const [first, second] = readable;
  if (first === undefined) return undefined;
  if (second !== undefined && !second.bytes.equals(first.bytes)) {
    const actual = 'different bytes';
    for (const { path } of readable) {
      notes.add(path, { rule: 'meta-ambiguous', expected: 'one meta file, or two equal ones', actual });
    }
    return undefined;
  }
  return readMeta(reading, first);
}

/** Keys whose values are text for the Go tool, whatever YAML makes of them. */
const metaTexts = new Set([
  ...['id', 'title', 'labels', 'created_at', 'updated_at', 'completed_at'],
  ...['depends_on', 'phase', 'role', 'status'],
]);

function readMeta(
  reading: SourceReading,
  { path, bytes }: { path: TreePath; bytes: Buffer },
): MetaFile | undefined {
  const { notes, context } = reading;
  const parsed = parseYaml(bytes, metaTexts);
  if (parsed.problem !== undefined) {
    notes.add(path, parsed.problem);
    return undefined;
  }
  const fields = new Fields(parsed.value);
  checkLabels(fields);
  const file = {
    priority: fields.whole('priority'),
    times: readTimes(fields, ['created_at', 'updated_at']),
  };
  const problems = fields.listProblems(context.checks, 'meta');
  notes.addAll(path, problems);
  if (problems.length > 0) return undefined;
  noteForeignId(reading, path, fields.text('id'));
  return { ...file, value: parsed.value };
}

/** Labels are joined into a column. */
function checkLabels(fields: Fields): void {
  const labels = fields.raw('labels');
  const list = Array.isArray(labels) ? (labels as readonly Json[]) : [];
  if (list.every((label) => typeof label !== 'string' || isColumnText(label))) return;
  fields.fail('labels', 'column-text', 'text without NUL and half surrogate pairs');
}

function readTimes(fields: Fields, keys: readonly string[]): SourceTimes {
  return Object.fromEntries(keys.map((key) => [key, fields.time(key)]));
}

function noteForeignId({ notes, sbiId }: SourceReading, path: TreePath, id: string | undefined): void {
  if (id === undefined || id === sbiId) return;
  notes.add(path, { rule: 'sbi-id-mismatch', expected: `id: ${sbiId}`, actual: quote(id) });
}
