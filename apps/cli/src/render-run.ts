import type {
  GcReport,
  RehearsalRecord,
  RehearsalReport,
  RunReport,
  StepEvent,
  StepReport,
} from '@deespec/storage';
import prettyMs from 'pretty-ms';
import { formatNumberOf, formatTally, localTime, renderFields, renderList } from './render.js';
import { safeText } from './safe-text.js';

/** A rehearsal older than this says little about the tree of today, days. */
const OLD_DAYS = 7;
const DAY_MS = 86_400_000;

/** One line for each step that begins or ends. */
export function stepLine({ name, about, state, ms }: StepEvent): string {
  if (state === 'begun') return `${name}: ${about} ...`;
  return `${name}: ${state === 'kept' ? 'done before' : 'done'} (${prettyMs(ms ?? 0)})`;
}

/** What a run did, step by step. */
export function renderRun(report: RunReport): string {
  return [
    `${headline(report)}\n`,
    renderFields(report.steps.map((step): [string, string] => [step.name, stepText(step, report)])),
    onlyInTrash(report.steps),
    report.kind === 'cutover' ? renderFields([['rehearsal', rehearsalText(report.rehearsal)]]) : '',
  ].join('');
}

function headline({ kind, outcome, from, to, continued, durationMs }: RunReport): string {
  const took = prettyMs(durationMs);
  switch (outcome) {
    case 'nothing':
      return `nothing to do: the mode is ${from}`;
    case 'undone':
      return `the cut-over was taken back before it had changed anything: the mode is ${to}`;
    case 'planned':
      return `${kind} from ${from} to ${to}: ${continued ? 'was cut off, and would go on' : 'nobody was stopped and nothing was changed'}`;
    case 'done':
      return `the mode is ${to} now; it was ${from} (${took}${continued ? ', continued' : ''})`;
  }
}

function stepText({ about, ms, result }: StepReport, { dryRun }: RunReport): string {
  const facts = Object.entries(result ?? {}).flatMap(([key, value]) => fact(key, value));
  const end = ms === undefined ? '' : `; ${dryRun ? 'tried' : 'done'} in ${prettyMs(ms)}`;
  return [`${about}${end}`, ...facts].join(', ');
}

/** What of a step people want to read; the rest is in the JSON document. */
const shown = new Set([
  'backup',
  'digest',
  'entries',
  'different',
  'imported',
  'projected',
  'quarantined',
  'trash',
  'why',
]);

function fact(key: string, value: unknown): readonly string[] {
  if (key === 'processes' && Array.isArray(value))
    return [formatNumberOf(value.length, 'process', 'processes')];
  const isShort = typeof value === 'string' || typeof value === 'number';
  return isShort && shown.has(key) ? [`${key} ${value}`] : [];
}

interface InTrash {
  readonly count: number;
  readonly paths: readonly string[];
}

function inTrashOf(
  steps: readonly StepReport[],
): { readonly trash: string; readonly only: InTrash } | undefined {
  const { result } = steps.find(({ name }) => name === 'exchange') ?? {};
  const only = result?.['onlyInTrash'] as InTrash | undefined;
  return only === undefined || only.count === 0 ? undefined : { trash: String(result?.['trash']), only };
}

function onlyInTrash(steps: readonly StepReport[]): string {
  const found = inTrashOf(steps);
  if (found === undefined) return '';
  return renderList(`only in ${safeText(found.trash)}, never in the database:`, found.only.paths);
}

/** What a run met that somebody has to look at. */
export function runWarnings(report: RunReport): readonly string[] {
  const found = inTrashOf(report.steps);
  const quarantined = Number(
    report.steps.find(({ name }) => name === 'migrate')?.result?.['quarantined'] ?? 0,
  );
  return [
    ...report.warnings,
    ...(found === undefined
      ? []
      : [
          `${formatNumberOf(found.only.count, 'file')} that other programs wrote since both stores were in step: kept in ${found.trash}`,
        ]),
    ...(quarantined > 0
      ? [`${formatNumberOf(quarantined, 'entry', 'entries')} kept in quarantine: stored, not interpreted`]
      : []),
    ...(report.kind === 'cutover' && report.outcome !== 'nothing' ? rehearsalWarnings(report.rehearsal) : []),
  ];
}

function rehearsalWarnings(rehearsal: RehearsalRecord | undefined): readonly string[] {
  const again = '"deespec rehearse" tries all of this, and the way back, on a copy';
  if (rehearsal === undefined) return [`no rehearsal is on record: ${again}`];
  if (!rehearsal.ok) return [`the last rehearsal found differences: ${again}`];
  const days = Math.floor((Date.now() - Date.parse(rehearsal.at)) / DAY_MS);
  return days > OLD_DAYS ? [`the last rehearsal is ${days} days old: ${again}`] : [];
}

/** One line about the last rehearsal. */
export function rehearsalText(rehearsal: RehearsalRecord | undefined): string {
  if (rehearsal === undefined) return 'none on record';
  const { at, ok, writes, phases } = rehearsal;
  const ms = phases.reduce((sum, phase) => sum + phase.ms, 0);
  const count = formatNumberOf(writes.api + writes.foreign, 'write');
  return `${localTime(at)}, ${count}, ${ok ? 'no difference' : 'DIFFERENCES'} (${prettyMs(ms)})`;
}

/** What a rehearsal proved. */
export function renderRehearsal(report: RehearsalReport): string {
  const { ok, writes, refused, digest, expected, phases, problems, kept } = report;
  const refusals =
    refused === 0 ? '' : `; ${formatNumberOf(refused, 'change')} that the layout has no place for`;
  return [
    ok
      ? `after cut-over, writes and rollback the copy is the one that never left its files (${prettyMs(report.durationMs)})\n`
      : `the copy that was rolled back is NOT the one that never left its files (${prettyMs(report.durationMs)})\n`,
    renderFields([
      ['tree', `${report.home}, ${formatTally(report)}`],
      ['writes', `${writes.api} through the API, ${writes.foreign} by another program${refusals}`],
      ['seed', String(report.seed)],
      ['digest', digest],
      ['expected', ok ? '' : expected],
      ...phases.map(({ name, ms }): [string, string] => [name, prettyMs(ms)]),
      ['copies', kept ?? ''],
    ]),
    renderList('differences:', problems),
  ].join('');
}

/** What was dropped, and what stays. */
export function renderGc({ dryRun, dropped, kept, keptFiles, backups }: GcReport): string {
  return [
    `${dryRun ? 'would drop' : 'dropped'} ${formatTally(dropped)}\n`,
    renderFields([
      ['kept', formatTally(kept)],
      ['proven by', backups.join(', ')],
    ]),
    renderList(
      'kept:',
      keptFiles.map(({ path, why }) => `${path}: ${why}`),
    ),
  ].join('');
}
