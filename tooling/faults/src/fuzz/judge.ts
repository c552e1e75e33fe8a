import {
  decisions,
  displayPath,
  isSbiId,
  parseTime,
  sbiStatuses,
  type DerivedUnit,
  type Execution,
  type Finding,
  type JsonObject,
  type Sbi,
} from '@deespec/domain';
import { deriveTree, MemorySpool } from '@deespec/layout';
import { checks } from '@deespec/validators';

import { FuzzReader, type FuzzTree } from './fuzz-tree.js';

/** Processor time that one derivation may take. Milliseconds. */
const MOST_CPU_MS = 2_000;

/** Length that a finding's texts have at most. Characters. Source: docs/rules.md. */
const MOST_TEXT = 200;

const CHUNK_BYTES = 1_048_576;

/** What deriving a tree gave, and everything about it that must not be. */
export interface Judgement {
  readonly wrong: readonly string[];
  /** Paths in quarantine, for display. */
  readonly quarantined: readonly string[];
  readonly cpuMs: number;
}

/**
 * Derives a tree twice, the second time from chunks of another size, and looks at every row, finding and quarantine with code
 * that shares nothing with what made them.
 */
export function judgeTree(tree: FuzzTree, chunkBytes: number): Judgement {
  const globals = snapshotGlobals();
  const started = process.cpuUsage();
  let units: readonly DerivedUnit[];
  let again: readonly DerivedUnit[];
  let cpuMs: number;
  try {
    units = derive(tree, CHUNK_BYTES);
    const used = process.cpuUsage(started);
    cpuMs = (used.user + used.system) / 1000;
    again = derive(tree, chunkBytes);
  } catch (error) {
    const what = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return { wrong: [`threw ${what.slice(0, 1_000)}`], quarantined: [], cpuMs: 0 };
  }
  const wrong = [
    ...(cpuMs > MOST_CPU_MS ? [`took ${Math.round(cpuMs)} ms of processor time`] : []),
    ...(snapshotGlobals() === globals ? [] : ['changed a prototype']),
    ...(textOf(units) === textOf(again)
      ? []
      : [`a reader in chunks of ${chunkBytes} bytes gives other rows`]),
    ...entriesProblems(units, tree),
    ...keyProblems(units),
    ...units.flatMap(unitProblems),
  ];
  const quarantined = units.flatMap((unit) => [...unit.quarantined.keys()].map(displayPath));
  return { wrong, quarantined, cpuMs };
}

function derive(tree: FuzzTree, chunkBytes: number): readonly DerivedUnit[] {
  const reader = new FuzzReader(tree, chunkBytes);
  return [...deriveTree(reader, { checks, spool: new MemorySpool() })];
}

const prototypes = [Object, Array, String, Number, Function, Map, Set, Buffer].map(
  (one) => one.prototype as object,
);

/** Names of everything that every object has; a parsed key must never add to it. */
function snapshotGlobals(): string {
  const own = prototypes.map((prototype) => Reflect.ownKeys(prototype).map(String).join());
  const { polluted } = {} as { polluted?: unknown };
  return `${own.join(';')};${String(polluted)}`;
}

function textOf(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) => {
    if (typeof item === 'bigint') return `${item}n`;
    return item instanceof Map ? [...(item as Map<unknown, unknown>)] : item;
  });
}

/** Every entry of the tree is in exactly one unit. */
function entriesProblems(units: readonly DerivedUnit[], tree: FuzzTree): string[] {
  const seen = units.flatMap(({ entries }) => entries.map(({ path }) => path));
  const isEach = seen.length === tree.size && new Set(seen).size === tree.size;
  return isEach && seen.every((path) => tree.has(path)) ? [] : ['units do not hold every entry once'];
}

/** The keys of the schema. */
function keyProblems(units: readonly DerivedUnit[]): string[] {
  const executions = units.flatMap((unit) => unit.executions);
  const keys = {
    sbi: units.flatMap(({ sbi }) => (sbi === undefined ? [] : [sbi.id])),
    execution: executions.map(({ sbiId, run, turn, step }) => JSON.stringify([sbiId, run, turn, step])),
    config: units.flatMap((unit) => unit.config.map(({ key }) => key)),
    audit_log: units.flatMap(({ audit }) => (audit?.source === undefined ? [] : [audit.source])),
  };
  return Object.entries(keys).flatMap(([table, all]) =>
    new Set<string>(all).size === all.length ? [] : [`two rows of ${table} have one key`],
  );
}

function unitProblems(unit: DerivedUnit): string[] {
  const wrong = [...unit.findings.flatMap((finding) => findingProblems(finding, unit))];
  const hasError = unit.findings.some(({ severity }) => severity === 'error');
  if (unit.quarantined.size > 0 && !hasError)
    wrong.push(`${displayPath(unit.path)} quarantined without a finding`);
  for (const [path, reason] of unit.quarantined) {
    if (!unit.entries.some((entry) => entry.path === path)) wrong.push(`quarantined another unit's ${path}`);
    if (!isText(reason) || reason.length > MOST_TEXT + 40)
      wrong.push(`a reason of ${reason.length} characters`);
  }
  if (unit.sbi !== undefined) wrong.push(...sbiProblems(unit.sbi));
  wrong.push(...unit.executions.flatMap((row) => executionProblems(row, unit)));
  wrong.push(...otherProblems(unit));
  return wrong;
}

function findingProblems(finding: Finding, { quarantined }: DerivedUnit): string[] {
  const { rule, severity, expected, actual, path, line, entity } = finding;
  const wrong: string[] = [];
  const isNamed = [...quarantined.keys()].some((one) => displayPath(one) === path);
  if (severity === 'error' && !isNamed && line === undefined)
    wrong.push(`${rule}: nothing quarantined, no line named`);
  for (const [name, text] of Object.entries({ expected, actual, entity })) {
    if (!isText(text)) wrong.push(`${rule}: ${name} is no well-formed text`);
    if (name !== 'entity' && text.length > MOST_TEXT)
      wrong.push(`${rule}: ${name} has ${text.length} characters`);
  }
  return wrong;
}

type Column = readonly [name: string, isFine: boolean];

function failing(table: string, columns: readonly Column[]): string[] {
  return columns.filter(([, isFine]) => !isFine).map(([name]) => `${table}.${name} does not fit the schema`);
}

function sbiProblems(sbi: Sbi): string[] {
  return failing('sbi', [
    ['id', isSbiId(sbi.id)],
    ['task_id', isText(sbi.taskId)],
    ['label', sbi.label === undefined || isText(sbi.label)],
    ['priority', Number.isSafeInteger(sbi.priority)],
    ['status', sbiStatuses.includes(sbi.status)],
    ['created_at', isTime(sbi.createdAt)],
    ['updated_at', isTime(sbi.updatedAt)],
    ['completed_at', sbi.completedAt === undefined || isTime(sbi.completedAt)],
    ['metadata', isJson(sbi.metadata)],
  ]);
}

function executionProblems(row: Execution, { sbi, entries }: DerivedUnit): string[] {
  const content = row.contentPath;
  return failing('execution', [
    ['sbi_id', row.sbiId === sbi?.id],
    ['run', Number.isSafeInteger(row.run) && row.run >= 1],
    ['turn', Number.isSafeInteger(row.turn) && row.turn >= 1],
    ['step', isText(row.step) && row.step !== ''],
    ['status', isText(row.status)],
    ['decision', decisions.includes(row.decision)],
    ['attempt', Number.isSafeInteger(row.attempt)],
    ['started_at', isTime(row.startedAt)],
    ['completed_at', row.completedAt === undefined || isTime(row.completedAt)],
    ['lease_expires_at', row.leaseExpiresAt === undefined || isTime(row.leaseExpiresAt)],
    ['metadata', isJson(row.metadata)],
    ['path', content === undefined || entries.some(({ path, kind }) => path === content && kind === 'file')],
  ]);
}

function otherProblems({ config, audit }: DerivedUnit): string[] {
  const ofConfig = config.flatMap(({ key, valueJson, updatedAt }) =>
    failing('config', [
      ['key', isText(key) && /^(?:setting|workflow)\./u.test(key)],
      ['value', isText(valueJson) && isJsonText(valueJson)],
      ['updated_at', isTime(updatedAt)],
    ]),
  );
  if (audit === undefined) return ofConfig;
  const texts = [audit.entityType, audit.entityId, audit.action, audit.user ?? '', audit.sessionId ?? ''];
  const values = [audit.oldValue, audit.newValue].filter((value) => value !== undefined);
  return [
    ...ofConfig,
    ...failing('audit_log', [
      ['timestamp', isTime(audit.timestamp)],
      ['texts', texts.every(isText)],
      ['values', values.every((value) => isText(value) && isJsonText(value))],
    ]),
  ];
}

/** Text that SQLite gives back as it is. */
function isText(value: unknown): boolean {
  return typeof value === 'string' && !value.includes('\0') && Buffer.from(value).toString() === value;
}

function isTime(value: string): boolean {
  return value.length === 30 && parseTime(value) === value;
}

function isJson(value: JsonObject): boolean {
  const text = JSON.stringify(value);
  return isText(text) && isJsonText(text) && JSON.stringify(JSON.parse(text)) === text;
}

/** JSON that SQLite takes: its functions stop at a depth of 1,000. */
function isJsonText(text: string): boolean {
  try {
    return depthOf(JSON.parse(text)) < 1_000;
  } catch {
    return false; // no JSON: exactly what this asks
  }
}

function depthOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  return 1 + Object.values(value).reduce((most: number, item) => Math.max(most, depthOf(item)), 0);
}
