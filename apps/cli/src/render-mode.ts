import type { StorageMode } from '@deespec/domain';
import type { ModeReport, ModeStatus } from '@deespec/storage';
import { formatNumberOf, renderFields } from './render.js';
import type { Field } from './render.js';

/** One row of the mode table. Source: docs/cli.md, "mode". */
interface ModeRow {
  readonly mode: StorageMode;
  /** Other names that `setting.json` and `mode set` may use. */
  readonly aliases: readonly string[];
  readonly reads: 'files' | 'SQLite';
  /** The order of a write; "done" is when the caller hears that it is durable. */
  readonly write: string;
  /** What the caller gets when a store fails. */
  readonly firstFails: string;
  readonly secondFails: string;
}

const firstFails = 'error';
const secondFails = 'debt stays';

/** What the words of the table mean. */
const legend =
  'error: nothing was changed, or the outcome is unknown (exit 74)\n' +
  'debt stays: the change is made all the same; what the second store lacks is counted by "deespec status" and paid later\n';

/** The modes in the order of the ladder. */
export const modeTable: readonly ModeRow[] = [
  {
    mode: 'file',
    aliases: ['FILE_ONLY'],
    reads: 'files',
    write: 'files, done',
    firstFails,
    secondFails: '-',
  },
  {
    mode: 'dual_write',
    aliases: ['DUAL_WRITE', 'dual'],
    reads: 'files',
    write: 'debt, files, done; SQLite, debt paid',
    firstFails,
    secondFails,
  },
  {
    mode: 'sqlite',
    aliases: ['SQLITE_PRIMARY'],
    reads: 'SQLite',
    write: 'SQLite with debt, done; files, debt paid',
    firstFails,
    secondFails,
  },
  {
    mode: 'sqlite_only',
    aliases: [],
    reads: 'SQLite',
    write: 'SQLite, done',
    firstFails,
    secondFails: '-',
  },
];

/** The mode table with the row in force marked, and what is asked for beside it. */
export async function renderModeStatus(status: ModeStatus): Promise<string> {
  const { renderTable } = await import('./render-table.js');
  const table = renderTable<ModeRow>(
    [
      { title: '', value: ({ mode }) => (mode === status.mode ? '*' : '') },
      { title: 'MODE', value: ({ mode }) => mode },
      { title: 'ALSO', value: otherNames },
      { title: 'READS', value: ({ reads }) => reads },
      { title: 'A WRITE, IN ORDER', value: ({ write }) => write },
      { title: 'FIRST FAILS', value: (row) => row.firstFails },
      { title: 'SECOND FAILS', value: (row) => row.secondFails },
    ],
    modeTable,
  );
  return `${table}${legend}\n${renderFields([
    ['mode', `${status.mode} (${status.meaning})`],
    ['epoch', String(status.epoch)],
    ...askedFields(status),
  ])}`;
}

function otherNames({ mode, aliases }: ModeRow): string {
  return [...aliases, ...(mode === 'file' ? ['absent'] : [])].join(', ');
}

function askedFields({ mode, requested, interrupted }: ModeStatus): readonly Field[] {
  return [
    ...(requested === undefined
      ? []
      : [
          [
            'requested',
            `setting.json asks for ${requested}: grant it with "deespec start", or keep ${mode} with ` +
              `"deespec mode set ${mode}"`,
          ] as const,
        ]),
    ...(interrupted === undefined
      ? []
      : [
          [
            'interrupted',
            `a change to ${interrupted} was cut off: finish it with "deespec mode set ${interrupted}"`,
          ] as const,
        ]),
  ];
}

/** What a change of mode did and what was proven for it. */
export function renderModeReport(report: ModeReport): string {
  const { changed, from, mode, sync, durationMs } = report;
  const seconds = `${(durationMs / 1000).toFixed(1)} s`;
  const headline = changed ? `the mode is ${mode} now; it was ${from}` : `the mode stays ${mode}`;
  return `${headline} (${seconds})\n${renderFields([
    ['mode', `${mode} (${report.meaning})`],
    ['epoch', String(report.epoch)],
    ['in step', sync === undefined ? 'nothing had to be proven' : stepText(sync)],
    [
      'digest',
      report.digest === undefined
        ? ''
        : `${report.digest}, the same on both sides before setting.json named the mode`,
    ],
    ['backup', report.backup ?? ''],
    ...askedFields(report),
  ])}`;
}

function stepText({ imported, projected, conflicts }: NonNullable<ModeReport['sync']>): string {
  return [
    `both stores; ${formatNumberOf(imported, 'path')} went into the database`,
    `${formatNumberOf(projected, 'path')} into the files`,
    formatNumberOf(conflicts.length, 'new conflict'),
  ].join(', ');
}

/** What a change of mode met that somebody has to look at. */
export function modeWarnings({ restored, sync }: ModeReport): readonly string[] {
  return [...restoredWarning(restored), ...conflictWarning(sync?.conflicts ?? [])];
}

function restoredWarning(restored: ModeReport['restored']): readonly string[] {
  if (restored === undefined) return [];
  const { keys, kept } = restored;
  const edited =
    kept === undefined
      ? ''
      : `; the edited file is kept as conflict ${kept}: "deespec conflict show ${kept} --content"`;
  return [`an edit of setting.json had lost ${keys.join(', ')}, put back from the database${edited}`];
}

/** Names the command that shows what was kept. */
export function conflictWarning(ids: readonly string[]): readonly string[] {
  if (ids.length === 0) return [];
  return [
    `${formatNumberOf(ids.length, 'new conflict')}: the other version is kept; "deespec conflict list" shows it`,
  ];
}
