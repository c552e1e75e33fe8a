import type { Difference, VerifyReport } from '@deespec/storage';
import { defineCommand } from '../command.js';
import { equationFields, formatCount, formatNumberOf, renderFields, type Field } from '../render.js';
import { safeText } from '../safe-text.js';
import type { Session } from '../session.js';

/** `verify`: compares tree and database by the independent verifier. */
export function verifyCommand(session: Session) {
  return defineCommand('verify', {
    summary: 'compare tree and database',
    description:
      'Compare the .deespec tree with the database by an independent verifier and record the result.\n' +
      'Exit 0: equal. Exit 2: differences, each named. Exit 65: the database is broken.',
    examples: [
      ['deespec verify', 'compare every entry'],
      ['deespec verify --check-all', 're-read and hash every byte on both sides, check the whole database'],
      ['deespec verify --check-all --json', 'the same for a script'],
    ],
  })
    .option('--check-all', 're-read every byte on both sides, check the database and derive the index again')
    .action(({ checkAll = false }, command) =>
      session.run(command, async (context) => {
        const home = await context.home();
        const { verify } = await import('@deespec/storage');
        const { signal } = context;
        const report = await context.withProgress((onProgress) =>
          verify({ home, checkAll, signal, onProgress }),
        );
        return {
          data: report,
          text: () => renderVerified(report),
          ...(report.ok ? {} : { exitCode: 2 as const }),
          notes: report.checkAll ? [] : ['hint: --check-all also re-reads every byte on both sides'],
        };
      }),
    );
}

function renderVerified(report: VerifyReport): string {
  const headline = report.ok
    ? report.checkAll
      ? 'tree and database are equal'
      : 'no difference found; the stored bytes were not read'
    : `${formatNumberOf(report.differenceCount, 'difference')} between tree and database`;
  const hidden = report.differenceCount - report.differences.length;
  return [
    `${headline} (${(report.durationMs / 1000).toFixed(1)} s)\n`,
    ...report.differences.map(renderDifference),
    hidden > 0 ? `  ... and ${formatCount(hidden)} more\n` : '',
    renderFields([
      ['tree', report.home],
      ['database', report.database],
      ['tree digest', report.treeDigest ?? ''],
      ['database digest', report.databaseDigest ?? ''],
      ...equationFields({ ...report.equation, holds: report.equation.holds || report.changedMeanwhile > 0 }),
      ...changedFields(report),
      ['quarantined', formatNumberOf(report.quarantined, 'entry', 'entries')],
      ['evidence', report.evidence],
      [
        'other times',
        `${formatNumberOf(report.timeDifferences, 'entry', 'entries')} (reported, no difference)`,
      ],
    ]),
  ].join('');
}

function changedFields({ changedMeanwhile, equation }: VerifyReport): Field[] {
  if (changedMeanwhile === 0) return [];
  const entries = formatNumberOf(changedMeanwhile, 'entry', 'entries');
  const why = equation.holds ? '' : ', so the sums and digests above are of different moments';
  return [['changed', `${entries} meanwhile, equal when compared again${why}`]];
}

function renderDifference({ what, where, expected, actual }: Difference): string {
  return `  ${safeText(`${what}: ${where}: expected ${expected}, found ${actual}`)}\n`;
}
