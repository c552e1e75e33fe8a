import { displayPath, storageModes } from '@deespec/domain';

import type { CheckStatus } from './check.js';
import type { HealthReport } from './health.js';

/** A number of the report as a metric: its name without prefix, and what it is. All are gauges. Source: docs/health.md, "Metrics". */
const gauges: readonly (readonly [name: string, help: string])[] = [
  ['debt_rows', 'Changes that one store owes to the other.'],
  ['debt_oldest_seconds', 'How long the oldest of them has been owed.'],
  ['conflicts', 'Versions that are kept until somebody chooses.'],
  ['wal_bytes', 'Size of the write-ahead log of the database.'],
  ['wal_readers', 'Processes that read the log at this moment.'],
  ['database_bytes', 'Size of the database without its log.'],
  ['disk_free_bytes', 'Room on the disk of the tree.'],
  ['schema_version', 'Version of the schema of the database.'],
  ['epoch', 'Counts the changes of mode; 0 before the first migration.'],
  ['lock_held', 'Whether a command has the tree to itself.'],
  ['unfinished_runs', 'Runs that were cut off and left files.'],
  ['verification_differences', 'Differences that the last verification found.'],
  ['last_verification_seconds', 'When every byte of both stores was last compared and recorded, Unix time.'],
  ['last_deep_check_seconds', 'When the last deep check was made, Unix time.'],
  ['deep_check_duration_seconds', 'How long the last deep check took.'],
  ['last_verified_backup_seconds', 'When the last verified backup was made, Unix time.'],
];

const codes: Readonly<Record<CheckStatus, number>> = { ok: 0, warn: 1, fail: 2 };

/**
 * A report in the text format of Prometheus. Every series carries the tree as `home`, so that several can be put side by side. Every
 * metric is there whatever the state: a number that is not known is `NaN`.
 *
 * @throws nothing: what a tree is called cannot break the format
 *
 * Source: prometheus.io/docs/instrumenting/exposition_formats; "Writing exporters", "Missing metrics".
 */
export function formatMetrics(report: HealthReport): string {
  const home = report.home === undefined ? {} : { home: report.home };
  const checks = report.checks.map(
    ({ name, level, status }) => [{ ...home, level, check: name }, codes[status]] as const,
  );
  const levels = Object.entries(report.levels).map(
    ([level, status]) => [{ ...home, level }, codes[status]] as const,
  );
  return [
    ...family('health_status', 'Worst check of a level: 0 ok, 1 warning, 2 failed.', levels),
    ...family('check_status', 'One check: 0 ok, 1 warning, 2 failed.', checks),
    ...family('build_info', 'Version of the program and of Node.', [
      [{ ...home, version: report.version, node: process.version }, 1],
    ]),
    ...family('mode_info', 'The storage mode in force has the value 1.', modeSamples(report, home)),
    ...gauges.flatMap(([name, help]) => family(name, help, [[home, report.numbers[name] ?? Number.NaN]])),
  ].join('');
}

type Labels = Readonly<Record<string, string>>;
type Sample = readonly [labels: Labels, value: number];

function modeSamples({ mode }: HealthReport, home: Labels): Sample[] {
  return storageModes.map((one) => [{ ...home, mode: one }, one === mode ? 1 : 0] as const);
}

function family(name: string, help: string, samples: readonly Sample[]): string[] {
  const full = `deespec_${name}`;
  return [
    `# HELP ${full} ${help}\n`,
    `# TYPE ${full} gauge\n`,
    ...samples.map(([labels, value]) => `${full}${formatLabels(labels)} ${formatValue(value)}\n`),
  ];
}

function formatLabels(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escapeLabel(value)}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

/** The format wants three characters escaped; whatever could drive a terminal or is no text stands there as `\xHH`. */
function escapeLabel(value: string): string {
  return displayPath(Buffer.from(value).toString('latin1')).replaceAll('\\', '\\\\').replaceAll('"', '\\"');
}

function formatValue(value: number): string {
  if (value === Infinity) return '+Inf';
  return value === -Infinity ? '-Inf' : String(value);
}
