import { displayPath } from '@deespec/domain';
import type { Finding, Severity, TreePath } from '@deespec/domain';

interface RuleText {
  readonly severity: Severity;
  readonly why: string;
  readonly fix: string;
}

const table = {
  'sbi-id-format': {
    severity: 'error',
    why: 'rows are keyed by ids of the form SBI-<26 characters>',
    fix: 'rename the directory to a valid id, or migrate with --quarantine',
  },
  'sbi-duplicate-directory': {
    severity: 'error',
    why: 'two directories claim one id; which one counts cannot be told',
    fix: 'merge the two directories, or move one out of specs/sbi',
  },
  'sbi-id-mismatch': {
    severity: 'warning',
    why: 'a file names another SBI than its directory does; the directory counts',
    fix: 'correct the id in the file, or move it to the directory it belongs to',
  },
  'sbi-empty': {
    severity: 'warning',
    why: 'a directory without spec, meta, state, step file and journal line is no backlog item',
    fix: 'add a spec.md, or remove the directory',
  },
  'not-a-regular-file': {
    severity: 'error',
    why: 'a symlink or directory stands where a file is read; symlinks are never followed',
    fix: 'put a regular file there',
  },
  'not-a-directory': {
    severity: 'error',
    why: 'a file or symlink stands where a directory is read, so what it should hold is missing',
    fix: 'put a directory there',
  },
  'file-too-large': {
    severity: 'error',
    why: 'files that are parsed have a size limit, so that memory stays flat',
    fix: 'move the bulk of the file elsewhere',
  },
  'zero-filled': {
    severity: 'error',
    why: 'a file of zero bytes only is what a power cut leaves behind',
    fix: 'restore the file from a backup or from version control',
  },
  'json-syntax': {
    severity: 'error',
    why: 'the file is no JSON object in UTF-8 without a byte order mark: empty, torn or edited by hand',
    fix: 'correct the file',
  },
  'json-depth': {
    severity: 'error',
    why: 'values nested deeper than 64 levels are not interpreted',
    fix: 'flatten the value',
  },
  'duplicate-key': {
    severity: 'error',
    why: 'readers disagree which of two equal keys counts',
    fix: 'remove one of the two keys',
  },
  'case-fold-key': {
    severity: 'error',
    why: 'keys that differ in case only are one key for the Go tool and two for others',
    fix: 'remove one of the two keys',
  },
  'yaml-syntax': {
    severity: 'error',
    why: 'the file is no YAML mapping in UTF-8: empty, torn or edited by hand',
    fix: 'correct the file',
  },
  'yaml-unsafe': {
    severity: 'error',
    why: 'anchors, aliases, merge keys, tags, tabs, several documents and deep nesting mean different things to different readers',
    fix: 'write the values out as plain YAML',
  },
  'meta-ambiguous': {
    severity: 'error',
    why: 'meta.yml and meta.yaml differ; which one counts cannot be told',
    fix: 'remove one of the two files',
  },
  shape: {
    severity: 'error',
    why: 'a value has another type than this kind of file holds there',
    fix: 'correct the value',
  },
  'status-known': {
    severity: 'error',
    why: 'an unknown status is never replaced by a guess',
    fix: 'set one of READY, WIP, REVIEW, REVIEW&WIP, DONE',
  },
  'decision-known': {
    severity: 'error',
    why: 'an unknown decision is never replaced by a guess',
    fix: 'set one of PENDING, NEEDS_CHANGES, SUCCEEDED, FAILED',
  },
  'time-format': {
    severity: 'error',
    why: 'times are RFC 3339 with a zone; others cannot be ordered',
    fix: 'write the time as 2026-01-31T12:00:00Z',
  },
  'number-range': {
    severity: 'error',
    why: 'a number column holds whole numbers that every reader reads alike',
    fix: 'write a plain decimal whole number below 2^53',
  },
  'column-text': {
    severity: 'error',
    why: 'text with NUL or half a surrogate pair cannot be stored in a column unchanged',
    fix: 'remove the character',
  },
  'journal-syntax': {
    severity: 'error',
    why: 'a journal line is one JSON object',
    fix: 'correct the line; its event is missing until then',
  },
  'journal-line-too-long': {
    severity: 'error',
    why: 'journal lines above 1 MiB are not parsed, so that memory stays flat',
    fix: 'shorten the line; its event is missing until then',
  },
  'journal-torn-line': {
    severity: 'warning',
    why: 'the last line was cut off while it was written; every line before it counts',
    fix: 'complete or remove the last line',
  },
  'journal-blank-line': { severity: 'warning', why: 'a blank line holds no event', fix: 'remove the line' },
  'journal-no-sbi': {
    severity: 'warning',
    why: 'the line names no SBI with a valid id, so it belongs to no row',
    fix: 'nothing, if the SBI is known to be gone',
  },
  'journal-several-sbis': {
    severity: 'warning',
    why: 'the line names several SBIs; it counts for the first',
    fix: 'check the line',
  },
  'journal-many-lines': {
    severity: 'warning',
    why: 'of an SBI with very many journal lines the last ones count, so that memory stays flat',
    fix: 'nothing; the lines before them are kept in the journal, without rows',
  },
  'duplicate-turn': {
    severity: 'warning',
    why: 'two journal lines have the same run, turn and step; the later is the row, the earlier is in its metadata',
    fix: 'check the two lines',
  },
  'unplaced-artifact': {
    severity: 'warning',
    why: 'a step file belongs to no execution: another one already has its run, turn and step',
    fix: 'check the journal line that names the step',
  },
  'sbi-many-steps': {
    severity: 'warning',
    why: 'of an SBI with very many step files those of the last turns count, so that memory stays flat',
    fix: 'nothing; the others are kept like attachments, without rows',
  },
  'unfinished-transaction': {
    severity: 'warning',
    why: 'a transaction without commit marker may be half applied',
    fix: 'let the program that began it finish it, then repeat',
  },
  'transaction-no-manifest': {
    severity: 'warning',
    why: 'without its manifest a transaction cannot be told; it has no audit row',
    fix: 'restore manifest.json',
  },
  'path-unsafe': {
    severity: 'error',
    why: 'a transaction names a destination outside the tree',
    fix: 'check where the transaction came from',
  },
  'config-ambiguous': {
    severity: 'warning',
    why: 'workflow.json and etc/workflow.yaml both set the key; workflow.json counts',
    fix: 'remove one of the two',
  },
} as const satisfies Record<string, RuleText>;

/** Name of a rule of the layout. */
export type RuleName = keyof typeof table;

/** One rule of the layout, for people: why it exists and what to do about a finding. */
export interface LayoutRule extends RuleText {
  readonly rule: string;
}

/** Every rule the layout reports; `docs/rules.md` has one row for each. */
export const layoutRules: readonly LayoutRule[] = Object.entries(table).map(([rule, text]) => ({
  rule,
  ...text,
}));

/** What is wrong with the bytes of one entry, before it is known whose they are. */
export interface Problem {
  readonly rule: RuleName;
  /** Line, counted from 1. */
  readonly line?: number;
  readonly expected: string;
  readonly actual: string;
}

/** `error` when the entry is not to be interpreted. */
export function severityOf(problem: Problem): Severity {
  return table[problem.rule].severity;
}

/** `problem` as a finding on `path`; `entity` is the SBI's id where there is one. */
export function findingOf(problem: Problem, path: TreePath, entity?: string): Finding {
  const { severity, fix } = table[problem.rule];
  const shown = displayPath(path);
  const line = problem.line === undefined ? {} : { line: problem.line };
  const { rule } = problem;
  const [expected, actual] = [shorten(problem.expected), shorten(problem.actual)];
  return { rule, severity, entity: entity ?? shown, path: shown, ...line, expected, actual, fix };
}

/** Why an entry is quarantined, in one line: `rule: actual`. */
export function reasonOf(problem: Problem): string {
  return `${problem.rule}: ${shorten(problem.actual)}`;
}

/** Longest text of a finding, characters. Source: docs/rules.md. */
const MAX_TEXT = 200;

/* eslint-disable no-control-regex */
const unprintable =
  /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]|\p{Surrogate}/gu;
/* eslint-enable no-control-regex */

/** Untrusted text for a finding: quoted, at most 160 characters, safe for a terminal. */
export function quote(text: string): string {
  const shown = text.length > 120 ? `${text.slice(0, 120)}...` : text;
  const escaped = printable(JSON.stringify(shown));
  return escaped.length > 160 ? `${cut(escaped, 156)}..."` : escaped;
}

/** `text`, which may hold names out of a file, as a finding carries it: printable and of limited length. */
function shorten(text: string): string {
  const shown = printable(text);
  return shown.length > MAX_TEXT ? `${cut(shown, MAX_TEXT - 3)}...` : shown;
}

function printable(text: string): string {
  return text.replace(unprintable, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** The first `length` characters of well-formed text, without half a surrogate pair at the end. */
function cut(text: string, length: number): string {
  const end = text.codePointAt(length - 1)! > 0xffff ? length - 1 : length;
  return text.slice(0, end);
}
