import { isStorageError } from '@deespec/domain';
import type { Finding, StorageError } from '@deespec/domain';
import type { MigrateReport } from '@deespec/storage';
import { defineCommand, wholeNumber } from '../command.js';
import { countFindings, renderFindings } from '../render-findings.js';
import {
  equationFields,
  formatNumberOf,
  formatRows,
  formatStatuses,
  formatTally,
  renderFields,
  renderList,
} from '../render.js';
import type { Field } from '../render.js';
import type { Outcome, Session } from '../session.js';

/** `migrate`: copies the tree into a database, proves it, publishes it. */
export function migrateCommand(session: Session) {
  return defineCommand('migrate', {
    summary: 'copy the tree into SQLite, verified',
    description:
      'Copy the .deespec tree into .deespec/deespec.db, verify every byte and publish the database.\n' +
      'The files are not changed. On a database that is there already only differences are written.',
    examples: [
      ['deespec migrate --dry-run', 'do the whole run into a temporary database and discard it'],
      [
        'deespec migrate --validate --report report.json',
        'migrate, print every finding, keep the JSON document',
      ],
      ['deespec migrate --quarantine', 'keep what breaks a rule as bytes with a reason (exit 3)'],
    ],
  })
    .option('--dry-run', 'do everything but publish')
    .option('--validate', 'print every finding, warnings too (validation itself always runs)')
    .option('--quarantine', 'keep entries that break a rule instead of refusing')
    .option(
      '--batch-size <n>',
      'directories of SBIs per transaction, 1 to 100000',
      wholeNumber(1, 100_000),
      100,
    )
    .option('--report <file>', 'also write the JSON document to this file, outside the tree')
    .action((options, command) =>
      session.run(command, async (context) => {
        const home = await context.home();
        if (options.report !== undefined) await context.reportTo(options.report);
        const { migrate } = await import('@deespec/storage');
        const { dryRun = false, quarantine = false, validate = false, batchSize } = options;
        const { signal } = context;
        try {
          const report = await context.withProgress((onProgress) =>
            migrate({ home, dryRun, quarantine, batchSize, signal, onProgress }),
          );
          return migrated(report, validate);
        } catch (error) {
          if (isStorageError(error, 'TREE.INVALID')) return refused(error, validate);
          throw error;
        }
      }),
    );
}

function migrated(report: MigrateReport, validate: boolean): Outcome {
  const { findings, quarantined } = report;
  return {
    data: report,
    text: () => renderMigrated(report, validate),
    ...(quarantined > 0 ? { exitCode: 3 as const } : {}),
    warnings: warningsOf(report),
    notes: [
      ...warningsNote(findings, validate),
      ...(quarantined > 0 && !report.dryRun
        ? ['hint: "deespec quarantine list" shows what is in quarantine and why']
        : []),
    ],
  };
}

function warningsOf({ quarantined, unsafeDirectories }: MigrateReport): readonly string[] {
  const kept = formatNumberOf(quarantined, 'entry', 'entries');
  return [
    ...(quarantined > 0 ? [`${kept} kept in quarantine: stored and exported, not interpreted`] : []),
    ...unsafeDirectories.map(
      (path) =>
        `everybody may write in ${path}, and so replace the tree: take that right away with chmod o-w`,
    ),
  ];
}

function refused(error: StorageError, validate: boolean): Outcome {
  const { findings = [], ...details } = error.details as { findings?: readonly Finding[] };
  const shown = shownFindings(findings, validate);
  return {
    data: { findings, ...details },
    text: () => '',
    notes: [...(shown.length === 0 ? [] : [renderFindings(shown)]), ...warningsNote(findings, validate)],
    error: withoutFindings(error, details),
  };
}

/** The findings stand in the envelope's data; the error keeps the counts. */
function withoutFindings(error: StorageError, details: StorageError['details']): StorageError {
  return Object.defineProperty(error, 'details', { value: details });
}

function renderMigrated(report: MigrateReport, validate: boolean): string {
  const { written, rows } = report;
  const { removed } = written;
  const fields: readonly Field[] = [
    ['tree', report.home],
    ['database', `${report.database}, ${formatNumberOf(report.databaseBytes, 'byte')}`],
    ['digest', report.digest],
    ...equationFields(report.equation),
    [
      'written',
      `${formatTally(written)}, ${formatNumberOf(written.rows, 'row')}; ${formatNumberOf(removed, 'entry', 'entries')} removed`,
    ],
    ['holds', formatRows(rows)],
    ['SBIs', formatStatuses(rows.byStatus)],
    ['findings', countFindings(report.findings)],
  ];
  const shown = shownFindings(report.findings, validate);
  return [
    `${headline(report)}\n`,
    renderFields(fields),
    renderList('ignored files of other programs, left as they are:', report.ignored),
    shown.length === 0 ? '' : `\n${renderFindings(shown)}\n`,
  ].join('');
}

function headline({ dryRun, outcome, durationMs }: MigrateReport): string {
  const seconds = `${(durationMs / 1000).toFixed(1)} s`;
  const done = {
    created: dryRun ? 'would create the database' : 'created the database',
    updated: dryRun ? 'would write the differences' : 'wrote the differences',
    unchanged: 'nothing to write: the database already holds this tree',
  }[outcome];
  const proof = outcome === 'unchanged' ? 'every file compared with what is recorded' : 'verified';
  return `${dryRun ? 'dry run: ' : ''}${done} (${seconds}, ${proof})`;
}

function shownFindings(findings: readonly Finding[], validate: boolean): readonly Finding[] {
  return validate ? findings : findings.filter(({ severity }) => severity === 'error');
}

function warningsNote(findings: readonly Finding[], validate: boolean): readonly string[] {
  const hidden = validate ? 0 : findings.filter(({ severity }) => severity === 'warning').length;
  return hidden === 0
    ? []
    : [`hint: ${formatNumberOf(hidden, 'warning')} not shown; --validate prints every finding`];
}
