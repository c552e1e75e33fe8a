import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

import { fileRows, noted } from './make-case.js';
import type { ExpectedFinding, FileRow, HostileCase } from './hostile-case.js';
import { sbiId, type Place } from './place.js';

const journal = 'var/journal.ndjson';

/** One line that says a turn of the n-th SBI, with further members. */
function line(n: number, turn: number, members = ''): string {
  const artifact = `.deespec/specs/sbi/${sbiId(n)}/implement_${turn}.md`;
  const ts = `2025-01-01T00:00:${String(turn).padStart(2, '0')}Z`;
  return `{"ts":"${ts}","turn":${turn},"step":"implement","decision":"PENDING","artifacts":["${artifact}"]${members}}`;
}

/** A journal, and the rules of the findings on its lines; `turn-sequence` is one on the rows that follow from them. */
interface Journal {
  readonly id: string;
  readonly input: string;
  readonly lines: string | Buffer;
  readonly errors?: readonly string[];
  readonly warnings?: readonly string[];
  readonly note?: string;
}

function journals({ id, input, lines, errors = [], warnings = [], note }: Journal): HostileCase {
  const found = (rules: readonly string[]): ExpectedFinding[] =>
    rules.map((rule) => [rule === 'turn-sequence' ? '' : journal, rule]);
  const warned = { warnings: found(warnings) };
  return {
    id,
    input,
    ...(note === undefined ? {} : { note }),
    expect:
      errors.length > 0
        ? { verdict: 'quarantine', errors: found(errors), ...warned }
        : { verdict: 'exact', ...warned },
    prepare: (place) => place.put(journal, lines),
  };
}

/** A program of its own that rewrites `file` below the tree without pause until it is stopped. */
export function rewriting(file: string, how: 'append' | 'rotate'): (place: Place) => () => Promise<void> {
  return (place) => {
    const child = spawn(process.execPath, ['-e', writers[how], join(place.home, file)], { stdio: 'ignore' });
    return async () => {
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
    };
  };
}

const writers = {
  append: `
    const fs = require('node:fs');
    const handle = fs.openSync(process.argv[1], 'a');
    const pause = new Int32Array(new SharedArrayBuffer(4));
    for (;;) { fs.writeSync(handle, 'x'); Atomics.wait(pause, 0, 0, 1); }`,
  rotate: `
    const fs = require('node:fs');
    const pause = new Int32Array(new SharedArrayBuffer(4));
    const line = fs.readFileSync(process.argv[1], 'utf8');
    for (let n = 1; ; n = (n % 50) + 1) {
      if (n === 50) fs.rmSync(process.argv[1]);
      fs.writeFileSync(process.argv[1], line.repeat(n));
      Atomics.wait(pause, 0, 0, 1);
    }`,
} as const;

function times(id: string, input: string, rows: readonly FileRow[]): HostileCase {
  return fileRows({ id, input, name: 'state.json', rows });
}

/** `state.json` that was created, updated, and leased at the given times. */
function at(created: string, updated = created): string {
  return `{"status":"READY","created_at":"${created}","updated_at":"${updated}"}`;
}

/** Journals that crashes and other programs leave, and times that are none. */
export const journalCases: readonly HostileCase[] = [
  journals({
    id: 'N01',
    input: 'the last line torn',
    lines: `${line(0, 1)}\n${line(0, 2)}\n${line(0, 3).slice(0, 60)}`,
    warnings: ['journal-torn-line'],
    note: 'The lines before count; the torn bytes are stored and exported like the others',
  }),
  journals({
    id: 'N02',
    input: 'garbage and a torn line in the middle, a blank line, two objects on one line',
    lines: `${line(0, 1)}\n\x00\x01garbage\n\n${line(0, 2).slice(0, 40)}\n${line(0, 3)}${line(0, 4)}\n${line(0, 5)}\n`,
    errors: ['journal-syntax', 'journal-syntax', 'journal-syntax'],
    warnings: ['journal-blank-line', 'turn-sequence'],
    note: 'The lines between count, in order; the finding names each line',
  }),
  journals({
    id: 'N03',
    input: 'the same event twice',
    lines: `${line(0, 1)}\n${line(0, 1)}\n${line(0, 2)}\n`,
    warnings: ['duplicate-turn'],
    note: 'One row, the later; the earlier is in its metadata',
  }),
  journals({
    id: 'N04',
    input: 'artifacts as text, null, missing, and a list of texts and objects',
    lines: [
      `{"ts":"2025-01-01T00:00:01Z","turn":1,"step":"plan","artifacts":[{"type":"pick","id":"${sbiId(0)}","task_id":"T","priority":0}]}`,
      `{"ts":"2025-01-01T00:00:02Z","turn":2,"step":"implement","artifacts":".deespec/specs/sbi/${sbiId(0)}/implement_2.md"}`,
      `{"ts":"2025-01-01T00:00:03Z","turn":3,"step":"review","artifacts":null}`,
      `{"ts":"2025-01-01T00:00:04Z","turn":4,"step":"review"}`,
      `{"ts":"2025-01-01T00:00:05Z","turn":5,"step":"review","artifacts":["x",{"type":"impl_note_rollup","path":".deespec/specs/sbi/${sbiId(0)}/impl_notes.md"}]}`,
      '',
    ].join('\n'),
    warnings: ['journal-no-sbi', 'journal-no-sbi', 'turn-sequence'],
  }),
  journals({
    id: 'N05',
    input: 'a line of 50 MB between two others',
    lines: Buffer.concat([
      Buffer.from(`${line(0, 1)}\n{"ts":"`),
      Buffer.alloc(50_000_000, 'x'),
      Buffer.from(`"}\n${line(0, 2)}\n`),
    ]),
    errors: ['journal-line-too-long'],
    note: 'Lines above 1 MiB are stored and not parsed; a journal is read as a stream, whatever its size',
  }),
  {
    id: 'N06',
    input: 'a journal that is rewritten, cut and replaced without pause while it is read',
    expect: { verdict: 'refuse', refusals: [{ args: ['migrate'], exit: 75, code: 'TREE.UNSTABLE' }] },
    note: 'After three rounds; a journal that is rotated once is read again and the run succeeds',
    prepare: (place) => place.put(journal, `${line(0, 1)}\n`),
    meanwhile: rewriting(journal, 'rotate'),
  },
  noted(
    times('T01', 'nanoseconds and a zone: 2025-09-30T15:30:00.123456789+09:00', [
      [at('2025-09-30T15:30:00.123456789+09:00', '2025-09-30T06:30:00.123456790Z')],
    ]),
    'Columns hold UTC with nine digits, metadata the text as written',
  ),
  times('T02', 'days that do not exist: 30 February, 29 February 2025, 31 April, hour 24', [
    [at('2025-02-30T00:00:00Z'), 'time-format'],
    [at('2025-02-29T00:00:00Z'), 'time-format'],
    [at('2025-04-31T00:00:00Z'), 'time-format'],
    [at('2025-01-01T24:00:00Z'), 'time-format'],
    [at('2024-02-29T23:59:59Z')],
  ]),
  noted(
    times('T03', 'a leap second, year 0, year 275761; the empty text and the Go tool\u2019s zero time', [
      [at('2016-12-31T23:59:60Z'), 'time-format'],
      [at('0000-01-01T00:00:00Z'), 'time-format'],
      [at('+275761-01-01T00:00:00Z'), 'time-format'],
      [at('')],
      [at('0001-01-01T00:00:00Z')],
    ]),
    'The empty text and the zero time mean: not set',
  ),
  times('T04', 'times without a zone, dates alone, epoch seconds', [
    [at('2025-01-01T00:00'), 'time-format'],
    [at('2025-01-01T00:00:00'), 'time-format'],
    [at('2025-01-01'), 'time-format'],
    [at('1735689600'), 'time-format'],
  ]),
  noted(
    times('T05', 'updated before it was created, created in the year 9999, a lease in the future', [
      [at('2025-01-02T00:00:00Z', '2025-01-01T00:00:00Z')],
      [at('9999-12-31T23:59:59.999999999Z')],
      ['{"status":"WIP","lease_expires_at":"2999-01-01T00:00:00Z"}'],
    ]),
    'Kept as it is, without a warning: no row depends on the order of the two',
  ),
];
