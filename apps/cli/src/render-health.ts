import type { CheckLevel, CheckStatus, HealthCheck, HealthReport } from '@deespec/storage';
import { exitCodes } from './exit-code.js';
import { renderFields } from './render.js';
import { safeText } from './safe-text.js';
import type { Outcome } from './session.js';

const exits = { ok: exitCodes.ok, warn: exitCodes.findings, fail: exitCodes.failed } as const;

/** A report of `health` or `doctor`: it is the result, whatever it says. */
export function healthOutcome(report: HealthReport): Outcome {
  return { data: toHealthData(report), text: () => renderHealth(report), exitCode: exits[report.status] };
}

/** JSON has no infinity: a number that is none is null. */
function toHealthData(report: HealthReport): unknown {
  return { ...report, home: report.home ?? null, mode: report.mode ?? null };
}

function renderHealth(report: HealthReport): string {
  const { checks, home = 'none', mode = '', version } = report;
  const levels = [...new Set(checks.map(({ level }) => level))];
  return [
    `${headline(report)}\n`,
    renderFields([
      ['tree', home],
      ['mode', mode],
      ['deespec', version],
    ]),
    ...levels.map((level) => renderLevel(level, checks)),
  ].join('');
}

function headline({ status, checks }: HealthReport): string {
  const named = (wanted: CheckStatus): string =>
    checks
      .filter((check) => check.status === wanted)
      .map(({ name }) => name)
      .join(', ');
  const parts = [
    ...(named('fail') === '' ? [] : [`failed: ${named('fail')}`]),
    ...(named('warn') === '' ? [] : [`warnings: ${named('warn')}`]),
  ];
  return status === 'ok' ? 'healthy' : parts.join('; ');
}

const titles: Readonly<Record<CheckLevel, string>> = {
  machine: 'what the program runs on',
  live: 'program and tree',
  ready: 'can the tree be worked with',
  deep: 'every byte, when it was last looked at',
};

function renderLevel(level: CheckLevel, all: readonly HealthCheck[]): string {
  const checks = all.filter((check) => check.level === level);
  const width = Math.max(...checks.map(({ name }) => name.length));
  return `\n${titles[level]}\n${checks.map((check) => renderCheck(check, width)).join('')}`;
}

function renderCheck({ name, status, value, threshold, fix, code }: HealthCheck, width: number): string {
  const limit = threshold === undefined ? '' : ` (limit ${threshold})`;
  const reason = code === undefined ? '' : ` (${code})`;
  const line = `  ${status.padEnd(4)}  ${name.padEnd(width)}  ${safeText(value + reason + limit)}\n`;
  return fix === undefined ? line : `${line}${' '.repeat(width + 10)}-> ${safeText(fix)}\n`;
}
