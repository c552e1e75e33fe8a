import type {
  Checks,
  Finding,
  JournalSpool,
  SbiId,
  Severity,
  TreePath,
  TreeReader,
  TreeView,
} from '@deespec/domain';

import {
  checkFile,
  findInTree,
  isZeroFilled,
  readSmall,
  SETTINGS_BYTES,
  STATE_BYTES,
  zeroProblem,
} from './content.js';
import { Fields } from './fields.js';
import { JournalReader } from './journal-event.js';
import { readLines } from './journal-lines.js';
import { parseJsonObject } from './json-text.js';
import { GO_STATE, JOURNAL, sbiIdOfDirectory, WORKFLOW } from './paths.js';
import { findingOf, reasonOf, severityOf } from './rules.js';
import type { Problem } from './rules.js';

/** What `var/state.json` says; a field is absent when the file does not say it. */
export interface GoState {
  /** The SBI in work. */
  readonly wip?: SbiId;
  readonly status?: string;
  /** The step in work. */
  readonly current?: string;
  readonly turn?: number;
  readonly attempt?: number;
  readonly decision?: string;
  /** UTC, fixed width. */
  readonly leaseExpiresAt?: string;
}

/** What every unit may depend on beside its own bytes. */
export interface TreeContext {
  readonly checks: Checks;
  /** The journal's events, by SBI. */
  readonly spool: JournalSpool;
  readonly goState?: GoState;
  /** Top-level keys of a readable `workflow.json`. */
  readonly workflowKeys: ReadonlySet<string>;
  /** Entries read here that are not interpreted as a whole, with the reason; reported with their unit. */
  readonly quarantined: ReadonlyMap<TreePath, string>;
  /** Findings on those entries; reported with their unit. */
  readonly findings: ReadonlyMap<TreePath, readonly Finding[]>;
}

/** What {@link readContext} needs. */
export interface ContextOptions {
  readonly checks: Checks;
  /** Receives the journal's events. */
  readonly spool: JournalSpool;
}

/**
 * Reads `var/journal.ndjson` into the spool, `var/state.json`, and the keys of `workflow.json`. A missing file is fine. A
 * journal line with an `error` finding is no event; all others count. Streams: memory holds one line, and one number per SBI.
 *
 * Source: docs/formats.md.
 */
export function readContext(reader: TreeReader, { checks, spool }: ContextOptions): TreeContext {
  const notes = new Notes();
  readJournal(reader, { checks, spool }, notes);
  const goState = readGoState(reader, checks, notes);
  return {
    checks,
    spool,
    ...(goState === undefined ? {} : { goState }),
    workflowKeys: readWorkflowKeys(reader),
    quarantined: notes.quarantined,
    findings: notes.findings,
  };
}

/**
 * What the units of a view depend on, without findings and quarantine of the files that say so: enough for rows. Reads small
 * files only, the journal as the view has it.
 */
export function contextOf(view: TreeView, checks: Checks): TreeContext {
  const goState = goStateOf(view, checks);
  return {
    checks,
    spool: view.journal,
    ...(goState === undefined ? {} : { goState }),
    workflowKeys: readWorkflowKeys(view),
    quarantined: new Map(),
    findings: new Map(),
  };
}

class Notes {
  readonly quarantined = new Map<TreePath, string>();
  readonly findings = new Map<TreePath, readonly Finding[]>();

  /** Notes the problems of an entry that is not interpreted at all. */
  quarantine(path: TreePath, problems: readonly Problem[]): void {
    this.quarantined.set(path, reasonOf(problems[0]!));
    this.findings.set(
      path,
      problems.map((problem) => findingOf(problem, path)),
    );
  }
}

function readJournal(reader: TreeReader, { checks, spool }: ContextOptions, notes: Notes): void {
  const stat = findInTree(reader, JOURNAL);
  if (stat === undefined) return;
  const kind = checkFile(stat);
  if (kind !== undefined) return notes.quarantine(JOURNAL, [kind]);
  const lines = new JournalReader(checks);
  const problems = new LineProblems();
  let isZero = stat.size > 0;
  for (const line of readLines(reader.read(JOURNAL))) {
    isZero = isZero && isZeroFilled([line.bytes]);
    const reading = lines.read(line);
    for (const problem of reading.problems) problems.add(problem);
    if (reading.event !== undefined) spool.add(reading.event);
  }
  if (isZero) return notes.quarantine(JOURNAL, [zeroProblem(stat.size)]);
  if (problems.reason !== undefined) notes.quarantined.set(JOURNAL, problems.reason);
  const list = problems.list();
  if (list.length > 0) notes.findings.set(JOURNAL, list);
}

/** Most problems of a journal's lines that are listed one by one: a journal of garbage must not fill the memory. */
const MAX_LISTED = 1_000;
const MAX_NAMED_LINES = 20;

class LineProblems {
  private readonly listed: Finding[] = [];
  private readonly firstUnlisted = new Map<Severity, Problem>();
  private readonly count = { error: 0, warning: 0 };
  private readonly namedLines: number[] = [];
  private errorLines = 0;
  private lastErrorLine = 0;

  add(problem: Problem): void {
    const severity = severityOf(problem);
    if (severity === 'error') this.noteErrorLine(problem.line!);
    this.count[severity] += 1;
    if (this.count[severity] <= MAX_LISTED) this.listed.push(findingOf(problem, JOURNAL));
    else if (!this.firstUnlisted.has(severity)) this.firstUnlisted.set(severity, problem);
  }

  /** Why the journal is quarantined, naming the lines; `undefined` when every line is fine. */
  get reason(): string | undefined {
    if (this.errorLines === 0) return undefined;
    const unnamed = this.errorLines - this.namedLines.length;
    return `lines not interpreted: ${this.namedLines.join(', ')}${unnamed > 0 ? ` and ${unnamed} more` : ''}`;
  }

  list(): readonly Finding[] {
    const rest = [...this.firstUnlisted].map(([severity, problem]) => {
      const actual = `${this.count[severity] - MAX_LISTED} more findings from this line on`;
      return findingOf({ ...problem, actual }, JOURNAL);
    });
    return [...this.listed, ...rest];
  }

  private noteErrorLine(line: number): void {
    if (line === this.lastErrorLine) return;
    this.lastErrorLine = line;
    this.errorLines += 1;
    if (this.namedLines.length < MAX_NAMED_LINES) this.namedLines.push(line);
  }
}

/** What `var/state.json` says; `undefined` when it says nothing that can be read. */
export function goStateOf(reader: TreeReader, checks: Checks): GoState | undefined {
  return readGoState(reader, checks, new Notes());
}

function readGoState(reader: TreeReader, checks: Checks, notes: Notes): GoState | undefined {
  const stat = findInTree(reader, GO_STATE);
  if (stat === undefined) return undefined;
  const content = readSmall(reader, stat, STATE_BYTES);
  const parsed = content.problem === undefined ? parseJsonObject(content.bytes) : content;
  if (parsed.problem !== undefined) {
    notes.quarantine(GO_STATE, [parsed.problem]);
    return undefined;
  }
  const fields = new Fields(parsed.value);
  const state = {
    wip: sbiIdOfDirectory(fields.text('wip') ?? ''),
    status: fields.status('status'),
    current: fields.text('current'),
    turn: fields.whole('turn'),
    attempt: fields.whole('attempt'),
    decision: fields.decision('decision'),
    leaseExpiresAt: fields.time('lease_expires_at')?.utc,
  };
  const problems = fields.listProblems(checks, 'go-state');
  if (problems.length === 0) return withoutAbsent(state);
  notes.quarantine(GO_STATE, problems);
  return undefined;
}

function withoutAbsent(state: { readonly [K in keyof GoState]: GoState[K] | undefined }): GoState {
  return Object.fromEntries(Object.entries(state).filter(([, value]) => value !== undefined));
}

function readWorkflowKeys(reader: TreeReader): ReadonlySet<string> {
  const stat = findInTree(reader, WORKFLOW);
  if (stat === undefined) return new Set();
  const content = readSmall(reader, stat, SETTINGS_BYTES);
  const parsed = content.problem === undefined ? parseJsonObject(content.bytes) : content;
  return new Set(parsed.problem === undefined ? Object.keys(parsed.value) : []);
}
