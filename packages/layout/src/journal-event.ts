import { createScanner } from 'jsonc-parser';

import type { Checks, Json, JournalEvent, JsonObject, SbiId } from '@deespec/domain';

import { Fields, isColumnText } from './fields.js';
import type { JournalLine } from './journal-lines.js';
import { isJsonObject, parseJsonObject } from './json-text.js';
import { parseArtifactName, sbiIdOfDirectory, sbiOfPath } from './paths.js';
import { quote } from './rules.js';
import type { Problem } from './rules.js';

/** What one journal line says: an event of an SBI, problems, or both (warnings). */
export interface LineReading {
  readonly event?: JournalEvent;
  readonly problems: readonly Problem[];
}

/** Types the lines of one journal in order; counts each SBI's runs. */
export class JournalReader {
  private readonly runs = new Map<SbiId, { readonly sbiId: SbiId; picks: number }>();

  /** @param picksOf - of an SBI before the first line that is read: where a journal is read on */
  constructor(
    private readonly checks: Checks,
    private readonly picksOf: (sbiId: SbiId) => number = () => 0,
  ) {}

  /** Reads the next line. A line with an `error` problem gives no event. */
  read(line: JournalLine): LineReading {
    if (line.isTooLong) {
      const expected = 'at most 1 MiB a line';
      return one({ rule: 'journal-line-too-long', line: line.number, expected, actual: 'a longer line' });
    }
    const start = firstByte(line.bytes);
    if (start < 0) {
      return one({
        rule: 'journal-blank-line',
        line: line.number,
        expected: 'an event',
        actual: 'a blank line',
      });
    }
    const parsed = parseJsonObject(line.bytes);
    if (parsed.problem === undefined) return this.type(parsed.value, line, line.offset + start);
    return one(lineProblem(parsed.problem, line));
  }

  private type(raw: JsonObject, { number }: JournalLine, offset: number): LineReading {
    const value = withArtifactList(raw);
    const fields = new Fields(value, number);
    const named = readArtifacts(fields.raw('artifacts'));
    const ts = fields.time('ts')?.utc;
    if (ts === undefined) fields.fail('ts', 'time-format', 'an RFC 3339 time with zone');
    // Assigned one by one, not spread: a journal has a hundred thousand lines.
    const event: Draft = {
      line: number,
      offset,
      ts: ts ?? '',
      turn: fields.whole('turn') ?? 0,
      step: fields.text('step') ?? '',
      isPick: named.isPick,
      decision: fields.decision('decision') ?? 'PENDING',
    };
    if (named.taskId !== undefined) event.taskId = named.taskId;
    const status = fields.status('status');
    if (status !== undefined) event.status = status;
    const attempt = fields.whole('attempt');
    if (attempt !== undefined) event.attempt = attempt;
    const elapsedMs = fields.whole('elapsed_ms');
    if (elapsedMs !== undefined) event.elapsedMs = elapsedMs;
    const error = fields.text('error');
    if (error !== undefined) event.error = error;
    checkRanges(fields, event);
    const problems = fields.listProblems(this.checks, 'journal-line');
    return problems.length > 0 ? { problems } : this.attribute(event, named);
  }

  private attribute(event: Draft, named: Named): LineReading {
    const [first, ...others] = named.files.keys();
    if (first === undefined) {
      const expected = 'an artifact or id below .deespec/specs/sbi';
      return one({ rule: 'journal-no-sbi', line: event.line, expected, actual: 'no SBI named' });
    }
    const run = this.runOf(first);
    if (event.isPick) run.picks += 1;
    event.sbiId = run.sbiId;
    event.run = Math.max(run.picks, 1);
    const artifact = pickArtifact(named.files.get(first)!, event);
    if (artifact !== undefined) event.artifact = artifact;
    const complete = event as JournalEvent;
    if (others.length === 0) return { event: complete, problems: [] };
    const actual = quote([first, ...others].slice(0, 4).join(' '));
    const { line } = event;
    return {
      event: complete,
      problems: [{ rule: 'journal-several-sbis', line, expected: 'one SBI', actual }],
    };
  }

  private runOf(sbiId: SbiId): { readonly sbiId: SbiId; picks: number } {
    let run = this.runs.get(sbiId);
    if (run === undefined) {
      // A copy: a slice of the line would keep the whole line in memory.
      const copy = Buffer.from(sbiId, 'latin1').toString('latin1') as SbiId;
      run = { sbiId: copy, picks: this.picksOf(copy) };
      this.runs.set(copy, run);
    }
    return run;
  }
}

/** An event under construction: its SBI and run come last. */
type Draft = Omit<Mutable<JournalEvent>, 'sbiId' | 'run'> &
  Partial<Mutable<Pick<JournalEvent, 'sbiId' | 'run'>>>;
type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** Thirty years: `startedAt` is the line's time minus this at most, and stays a time of four-digit years. */
const MAX_ELAPSED_MS = 1e12;

function checkRanges(fields: Fields, { elapsedMs = 0, taskId = '' }: Draft): void {
  if (Math.abs(elapsedMs) > MAX_ELAPSED_MS) {
    fields.fail('elapsed_ms', 'number-range', `at most ${MAX_ELAPSED_MS} ms`);
  }
  if (!isColumnText(taskId)) fields.fail('artifacts', 'column-text', 'a task_id without NUL');
}

/** What the artifacts of a line name. */
interface Named {
  /** Names of step files by SBI, in the order in which the SBIs are named. */
  readonly files: ReadonlyMap<SbiId, readonly string[]>;
  readonly isPick: boolean;
  readonly taskId: string | undefined;
}

function readArtifacts(artifacts: Json | undefined): Named {
  const files = new Map<SbiId, string[]>();
  let isPick = false;
  let taskId: string | undefined;
  for (const item of Array.isArray(artifacts) ? (artifacts as readonly Json[]) : []) {
    if (typeof item === 'string') notePath(item, files);
    if (!isJsonObject(item)) continue;
    const type = ownText(item, 'type');
    if (type === 'pick' || type === 'status' || type === 'delete') noteId(ownText(item, 'id'), files);
    if (type === 'pick') {
      isPick = true;
      taskId ??= ownText(item, 'task_id') || undefined;
    }
    notePath(ownText(item, 'path'), files);
    notePath(ownText(item, 'spec_path'), files);
  }
  return { files, isPick, taskId };
}

/** The line with its artifacts as a list: older lines have one path there. */
function withArtifactList(line: JsonObject): JsonObject {
  const artifact = ownText(line, 'artifacts');
  return artifact === '' ? line : { ...line, artifacts: [artifact] };
}

function ownText(item: JsonObject, key: string): string {
  const value = Object.hasOwn(item, key) ? item[key] : undefined;
  return typeof value === 'string' ? value : '';
}

function noteId(id: string, files: Map<SbiId, string[]>): void {
  const sbiId = sbiIdOfDirectory(id);
  if (sbiId !== undefined && !files.has(sbiId)) files.set(sbiId, []);
}

const notCanonical = /(?:^|\/)\.{0,2}(?:\/|$)|[\\\0]/u;

/** Notes the SBI of a path below the project's root; one that is absolute, or climbs, names nothing. */
function notePath(text: string, files: Map<SbiId, string[]>): void {
  if (!text.startsWith('.deespec/')) return;
  const path = text.slice('.deespec/'.length).replace(/\/$/u, '');
  const place = notCanonical.test(path) ? undefined : sbiOfPath(path);
  if (place === undefined) return;
  const known = files.get(place.sbiId) ?? [];
  files.set(place.sbiId, known);
  if (place.file !== undefined && parseArtifactName(place.file) !== undefined) known.push(place.file);
}

/** The step file that a line's content is: the one named like its step and turn, else the first. */
function pickArtifact(files: readonly string[], event: { step: string; turn: number }): string | undefined {
  const own = `${event.step}_${event.turn}.md`;
  return files.includes(own) ? own : files[0];
}

function lineProblem(problem: Problem, line: JournalLine): Problem {
  if (problem.rule !== 'json-syntax') return { ...problem, line: line.number };
  const expected = 'one JSON object a line';
  const text = line.bytes.toString('latin1');
  if (holdsSeveralObjects(text)) {
    return { rule: 'journal-syntax', line: line.number, expected, actual: 'more than one value' };
  }
  const rule = line.isComplete ? 'journal-syntax' : 'journal-torn-line';
  return { rule, line: line.number, expected, actual: problem.actual };
}

/** True when something follows the first complete object: a writer's line feed was lost, events with it. */
function holdsSeveralObjects(text: string): boolean {
  const scanner = createScanner(text, true);
  const scan = (): number => scanner.scan();
  let depth = 0;
  for (let token = scan(); token !== END_OF_TEXT; token = scan()) {
    if (token === OPEN_BRACE) depth += 1;
    if (token === CLOSE_BRACE) depth -= 1;
    if (token === CLOSE_BRACE && depth === 0) return scan() !== END_OF_TEXT;
  }
  return false;
}

// Numbers of jsonc-parser's `SyntaxKind`, a const enum that modules compiled on their own cannot import.
const OPEN_BRACE = 1;
const CLOSE_BRACE = 2;
const END_OF_TEXT = 17;

function firstByte(bytes: Buffer): number {
  return bytes.findIndex((byte) => byte !== 0x20 && byte !== 0x09 && byte !== 0x0d);
}

function one(problem: Problem): LineReading {
  return { problems: [problem] };
}
