import { StorageError, storageModes, type StorageMode } from '@deespec/domain';
import { writeFileDurably } from '@deespec/file-adapter';
import { unlinkSync } from 'node:fs';

import type { HomePaths } from '../home.js';
import { readRegular } from '../read-regular.js';
import { syncPath } from '../sync-path.js';

/** What a run brings about. */
export const runKinds = ['cutover', 'rollback'] as const;
export type RunKind = (typeof runKinds)[number];

/** What a step found or made: ids, counts, digests. */
export type StepResult = Readonly<Record<string, unknown>>;

/** A step that ended well. */
export interface StepRecord {
  readonly name: string;
  /** When it ended: ISO 8601, UTC. */
  readonly at: string;
  readonly ms: number;
  readonly result: StepResult;
}

/** `.storage/run`: a cut-over or rollback that has begun, and how far it came. */
export interface RunRecord {
  readonly kind: RunKind;
  /** A ULID. */
  readonly id: string;
  readonly from: StorageMode;
  readonly to: StorageMode;
  /** ISO 8601, UTC. */
  readonly startedAt: string;
  /** The tree was stopped before the run began, and stays so after it. */
  readonly wasStopped: boolean;
  /** The background service ran before. */
  readonly hadService: boolean;
  /** A cut-over that keeps entries which break a rule; a rollback that writes the files anew. */
  readonly how: 'plain' | 'quarantine' | 'rebuild';
  readonly done: readonly StepRecord[];
  /** The step that was begun last. */
  readonly begun?: string;
}

/** The run that has begun, or `undefined`. @throws StorageError `FILE.READ_FAILED` when its journal is damaged */
export function readRun(paths: HomePaths): RunRecord | undefined {
  const text = readRegular(paths.run)?.toString('utf8');
  if (text === undefined) return undefined;
  const record = parsed(text);
  if (record !== undefined) return record;
  throw new StorageError('FILE.READ_FAILED', `${paths.run} is damaged`, {
    hint: 'move the file away, then look: deespec status; "deespec rollback" goes back to files from every mode',
    details: { path: paths.run },
  });
}

const hows: readonly RunRecord['how'][] = ['plain', 'quarantine', 'rebuild'];

function parsed(text: string): RunRecord | undefined {
  try {
    const value = JSON.parse(text) as Record<string, unknown>;
    const { id, startedAt, wasStopped, hadService, done, begun } = value;
    const kind = runKinds.find((known) => known === value['kind']);
    const how = hows.find((known) => known === value['how']);
    const [from, to] = [value['from'], value['to']].map((name) => storageModes.find((mode) => mode === name));
    if (kind === undefined || how === undefined || from === undefined || to === undefined) return undefined;
    if (typeof id !== 'string' || !isRunId(id) || typeof startedAt !== 'string') return undefined;
    if (typeof wasStopped !== 'boolean' || typeof hadService !== 'boolean') return undefined;
    if (!Array.isArray(done) || !done.every(isStepRecord)) return undefined;
    if (begun !== undefined && typeof begun !== 'string') return undefined;
    const record = { kind, id, from, to, startedAt, wasStopped, hadService, how, done };
    return begun === undefined ? record : { ...record, begun };
  } catch {
    return undefined; // named as damaged by the caller
  }
}

/** True for the name of a run: it becomes a part of paths. */
export function isRunId(text: string): boolean {
  return /^[0-9A-HJKMNP-TV-Z]{26}$/u.test(text);
}

function isStepRecord(value: unknown): value is StepRecord {
  if (typeof value !== 'object' || value === null) return false;
  const { name, at, ms, result } = value as Record<string, unknown>;
  return (
    typeof name === 'string' &&
    typeof at === 'string' &&
    typeof ms === 'number' &&
    typeof result === 'object' &&
    result !== null
  );
}

/** Writes the journal durably. Runs under the run's lock. */
export function writeRun(paths: HomePaths, record: RunRecord): void {
  writeFileDurably({
    kind: 'file',
    target: paths.run,
    bytes: Buffer.from(`${JSON.stringify(record)}\n`),
    mode: 0o600,
  });
}

/** Removes the journal durably: the run is over, or undone. */
export function removeRun(paths: HomePaths): void {
  unlinkSync(paths.run);
  syncPath(paths.own);
}

/** How a run that was cut off goes on, in words with a command. */
export function continuation({ kind, begun }: RunRecord): string {
  const at = begun === undefined ? '' : `, at its step "${begun}"`;
  const other = kind === 'cutover' ? '; "deespec rollback" takes it back' : '';
  return `a ${kind} was cut off${at}: "deespec ${kind}" continues it${other}`;
}

/**
 * Refuses what would get in the way of a run that is not over.
 *
 * @param command - words of the command that is refused
 * @throws StorageError `RUN.UNFINISHED`
 */
export function requireNoRun(paths: HomePaths, command: string): void {
  const record = readRun(paths);
  if (record === undefined) return;
  throw new StorageError('RUN.UNFINISHED', `${command} has to wait: a ${record.kind} is not over`, {
    hint: `if none is at work, ${continuation(record)}`,
    details: { run: record.id, kind: record.kind, step: record.begun },
  });
}
