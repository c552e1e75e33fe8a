import { createScanner } from 'jsonc-parser';

import { timeToNs } from '@deespec/domain';
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

  constructor(private readonly checks: Checks) {}

  /** Reads the next line. A line with an `error` problem gives no event. */
  read(line: JournalLine): LineReading {
    if (line.isTooLong) {
      const expected = 'at most 1 MiB a line';
      return one({ rule: 'journal-line-too-long', line: line.number, expected, actual: 'a longer line' });
    }
    const start = firstByte(line.bytes);
    if (start < 0) {
      return one({ rule: 'journal-blank-line', line: line.number, expected: 'an event', actual: 'a blank line' });
    }
    const parsed = parseJsonObject(line.bytes);
    if (parsed.problem === undefined) return this.type(parsed.value, line, line.offset + start);
    return one(lineProblem(parsed.problem, line));
  }

  private type(value: JsonObject, { number }: JournalLine, offset: number): LineReading {
    const fields = new Fields(value, number);
    const named = readArtifacts(fields.raw('artifacts'));
    const ts = fields.time('ts');
    if (ts === undefined) fields.fail('ts', 'time-format', 'an RFC 3339 time with zone');
    const elapsedMs = fields.whole('elapsed_ms');
    if (ts !== undefined && elapsedMs !== undefined && isBefore1970(ts.utc, elapsedMs)) {
      fields.fail('elapsed_ms', 'number-range', 'less time than since 1970');
    }
    if (!isColumnText(named.taskId ?? '')) fields.fail('artifacts', 'column-text', 'a task_id without NUL');
    const parts = {
      line: number,
      offset,
      ts: ts?.utc ?? '',
      turn: fields.whole('turn') ?? 0,
      step: fields.text('step') ?? '',
      isPick: named.isPick,
      decision: fields.decision('decision') ?? 'PENDING',
      ...present('taskId', named.taskId),
      ...present('status', fields.status('status')),
      ...present('attempt', fields.whole('attempt')),
      ...present('elapsedMs', elapsedMs),
      ...present('error', fields.text('error')),
    } as const;
    const problems = fields.listProblems(this.checks, 'journal-line');
    if (problems.length > 0) return { problems };
    return this.attribute(parts, named);
  }

  private attribute(parts: Omit<JournalEvent, 'sbiId' | 'run'>, named: Named): LineReading {
    const [first, ...others] = named.sbis;
    if (first === undefined) {
      const expected = 'an artifact or id below .deespec/specs/sbi';
      return one({ rule: 'journal-no-sbi', line: parts.line, expected, actual: 'no SBI named' });
    }
    const artifact = pickArtifact(named.files.get(first) ?? [], parts);
    const run = this.runOf(first);
    if (parts.isPick) run.picks += 1;
    const event = {
      ...parts,
      sbiId: run.sbiId,
      run: Math.max(run.picks, 1),
      ...present('artifact', artifact),
    };
    if (others.length === 0) return { event, problems: [] };
    const actual = quote(named.sbis.slice(0, 4).join(' '));
    return { event, problems: [{ rule: 'journal-several-sbis', line: parts.line, expected: 'one SBI', actual }] };
  }

  private runOf(sbiId: SbiId): { readonly sbiId: SbiId; picks: number } {
    let run = this.runs.get(sbiId);
    if (run === undefined) {
      // A copy: a slice of the line would keep the whole line in memory.
      const copy = Buffer.from(sbiId, 'latin1').toString('latin1') as SbiId;
      run = { sbiId: copy, picks: 0 };
      this.runs.set(copy, run);
    }
    return run;
  }
}

/** What the artifacts of a line name. */
interface Named {
  /** Distinct ids, in order. */
  readonly sbis: readonly SbiId[];
  /** Names of step files, by SBI. */
  readonly files: ReadonlyMap<SbiId, readonly string[]>;
  readonly isPick: boolean;
  readonly taskId?: string;
}

function readArtifacts(artifacts: Json | undefined): Named {
  const files = new Map<SbiId, string[]>();
  let isPick = false;
  let taskId: string | undefined;
  for (const item of Array.isArray(artifacts) ? (artifacts as readonly Json[]) : []) {
    if (typeof item === 'string') notePath(item, files);
    if (!isJsonObject(item)) continue;
    const fields = new Fields(item);
    const type = fields.text('type');
    if (type === 'pick' || type === 'status') noteId(fields.text('id'), files);
    if (type === 'pick') {
      isPick = true;
      taskId ??= fields.text('task_id');
    }
    for (const key of ['path', 'spec_path']) notePath(fields.text(key), files);
  }
  return { sbis: [...files.keys()], files, isPick, ...present('taskId', taskId) };
}

function noteId(id: string | undefined, files: Map<SbiId, string[]>): void {
  const sbiId = id === undefined ? undefined : sbiIdOfDirectory(id);
  if (sbiId !== undefined && !files.has(sbiId)) files.set(sbiId, []);
}

const notCanonical = /(?:^|\/)\.{0,2}(?:\/|$)|[\\\0]/u;

/** Notes the SBI of a path below the project's root; one that is absolute, or climbs, names nothing. */
function notePath(text: string | undefined, files: Map<SbiId, string[]>): void {
  if (text?.startsWith('.deespec/') !== true) return;
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
  let depth = 0;
  for (let token = scanner.scan(); token !== SyntaxKind.EOF; token = scanner.scan()) {
    if (token === SyntaxKind.OpenBraceToken) depth += 1;
    if (token === SyntaxKind.CloseBraceToken) depth -= 1;
    if (token === SyntaxKind.CloseBraceToken && depth === 0) return scanner.scan() !== SyntaxKind.EOF;
  }
  return false;
}

/** jsonc-parser's token numbers; its enum exists in its types only. */
const SyntaxKind = { OpenBraceToken: 1, CloseBraceToken: 2, EOF: 17 };

function isBefore1970(ts: string, elapsedMs: number): boolean {
  return Number.isSafeInteger(elapsedMs) && BigInt(elapsedMs) * 1_000_000n > timeToNs(ts);
}

function firstByte(bytes: Buffer): number {
  return bytes.findIndex((byte) => byte !== 0x20 && byte !== 0x09 && byte !== 0x0d);
}

function one(problem: Problem): LineReading {
  return { problems: [problem] };
}

function present<K extends string, V>(key: K, value: V | undefined): { [P in K]?: V } {
  return (value === undefined ? {} : { [key]: value }) as { [P in K]?: V };
}
