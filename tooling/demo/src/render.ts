import { relative } from 'node:path';

import colors from 'picocolors';

import type { DemoResult } from './run-demo.js';

const number = new Intl.NumberFormat('en');

/** The result for people: digests, byte equation, what is in the database, what to try next. */
export function renderDemo(result: DemoResult, from: string): string {
  const sections = [
    digests(result),
    byteEquation(result),
    database(result),
    result.failures.length > 0 ? failures(result) : nextCommands(result, from),
  ];
  return `${sections.join('\n\n')}\n`;
}

function digests({ before, after }: DemoResult): string {
  const verdict = before.digest === after.digest ? colors.green('equal') : colors.red('DIFFERENT');
  const lines = [`tree    ${before.digest}`, `export  ${after.digest}`];
  return section(`Digests: ${verdict}`, lines);
}

function byteEquation({ migrate }: DemoResult): string {
  const { scanned, stored, ignored } = migrate.equation;
  const holds =
    scanned.entries === stored.entries + ignored.entries && scanned.bytes === stored.bytes + ignored.bytes;
  const row = (name: string, tally: { entries: number; bytes: number }): string[] => [
    name,
    number.format(tally.entries),
    number.format(tally.bytes),
  ];
  const lines = columns([
    ['', 'entries', 'bytes'],
    row('scanned', scanned),
    row('= stored', stored),
    row('+ ignored', ignored),
  ]);
  return section(`Byte equation: ${holds ? colors.green('holds') : colors.red('BROKEN')}`, [
    ...lines,
    ...migrate.ignored.map((path) => colors.dim(`ignored: ${path}`)),
  ]);
}

function database({ migrate }: DemoResult): string {
  const { rows } = migrate;
  const tables = columns([
    ['table', 'rows'],
    ['sbi', number.format(rows.sbi)],
    ['execution', number.format(rows.execution)],
    ['config', number.format(rows.config)],
    ['audit_log', number.format(rows.auditLog)],
    ['tree_entry', number.format(rows.treeEntry)],
  ]);
  const statuses = columns([
    ['status', 'SBIs'],
    ...Object.entries(rows.byStatus).map(([status, count]) => [status, number.format(count)]),
  ]);
  return section(`In the database (${number.format(migrate.databaseBytes)} bytes)`, [
    ...tables,
    '',
    ...statuses,
  ]);
}

function failures({ failures: list, home }: DemoResult): string {
  return section(colors.red('Failed'), [
    ...list.map((claim) => `not true: ${claim}`),
    `kept for you: ${home}`,
  ]);
}

function nextCommands({ home, exported, migrate, sbiId }: DemoResult, from: string): string {
  const at = `--home ${shellWord(home)}`;
  const root = relative(process.cwd(), from);
  return section('Try next', [
    ...(root === '' ? [] : [`cd ${shellWord(from)}`]),
    `npx deespec status ${at}`,
    `npx deespec sbi list --store sqlite --limit 10 ${at}`,
    `npx deespec sbi show ${sbiId} --store sqlite ${at}`,
    `npx deespec migrate ${at}   ${colors.dim('# again: nothing to write')}`,
    `sqlite3 ${shellWord(migrate.database)} "SELECT status, count(*) FROM sbi GROUP BY status"`,
    `diff -r --no-dereference -x 'deespec.db*' -x .storage -x '*tmp*' ${shellWord(home)} ${shellWord(exported)}`,
    '',
    colors.dim(`Kept in ${home.slice(0, -'/.deespec'.length)}; remove it when you are done.`),
  ]);
}

function section(title: string, lines: readonly string[]): string {
  return [colors.bold(title), ...lines.map((line) => (line === '' ? '' : `  ${line}`))].join('\n');
}

/** Rows as text: the first column to the left, numbers to the right. */
function columns(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!)))
      .join('   '),
  );
}

function shellWord(text: string): string {
  return /^[\w./@:+-]+$/u.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
