import { pathFromDisplay, splitReason } from '@deespec/domain';
import type { RetriedEntry, RetryReport } from '@deespec/storage';
import { defineCommand } from '../command.js';
import { formatCount, formatNumberOf, renderFields } from '../render.js';
import type { Outcome, Session } from '../session.js';

/** `quarantine retry`: a migration that says what became of each entry in quarantine. */
export function retryCommand(session: Session) {
  return defineCommand('retry', {
    summary: 'interpret what is in quarantine again',
    description:
      'Interpret what is in quarantine again, from what the files hold now: after they were mended, or after an ' +
      'upgrade.\nIt is a "migrate --quarantine" of the whole tree, with the same locks and refusals; paths only say ' +
      'what you ask about.\nExit 0: all of it is released or gone. Exit 3: some of it stays.',
    examples: [
      ['deespec quarantine retry --dry-run', 'what would be released, without publishing it'],
      ['deespec quarantine retry', 'all of it'],
      [
        'deespec quarantine retry var/journal.ndjson',
        'say what became of this entry; exit 66 if it is not there',
      ],
    ],
  })
    .argument('[path...]', 'entries asked about, written as the list prints them (default: all)')
    .option('--dry-run', 'do everything but publish')
    .action((shown, { dryRun = false }, command) =>
      session.run(command, async (context) => {
        const paths = shown.map(pathFromDisplay);
        const home = await context.home();
        const { retryQuarantine } = await import('@deespec/storage');
        const { signal } = context;
        const report = await context.withProgress((onProgress) =>
          retryQuarantine({ home, dryRun, paths, signal, onProgress }),
        );
        return retried(report);
      }),
    );
}

function retried(report: RetryReport): Outcome {
  const { counts, left } = report;
  const added = counts['newly-quarantined'];
  return {
    data: report,
    text: () => renderRetried(report),
    ...(left > 0 ? { exitCode: 3 as const } : {}),
    warnings: added > 0 ? [`${formatNumberOf(added, 'entry', 'entries')} newly in quarantine`] : [],
    notes:
      left + added > 0
        ? ['hint: "deespec quarantine show <path>" says why an entry is there and what to do']
        : [],
  };
}

async function renderRetried({ migration, counts, entries }: RetryReport): Promise<string> {
  const { renderTable } = await import('../render-table.js');
  const total = Object.values(counts).reduce((sum, count) => sum + count, 0);
  const seconds = `${(migration.durationMs / 1000).toFixed(1)} s`;
  const headline = total === 0 ? 'nothing was in quarantine' : 'interpreted the quarantine again';
  const table = renderTable<RetriedEntry>(
    [
      { title: 'OUTCOME', value: ({ outcome }) => outcome },
      { title: 'PATH', value: ({ path }) => path },
      { title: 'RULE', value: ({ reason }) => splitReason(reason ?? '').rule ?? '' },
      { title: 'FOUND', value: ({ reason }) => splitReason(reason ?? '').detail, maxLength: 60 },
    ],
    entries,
  );
  return [
    `${migration.dryRun ? 'dry run: ' : ''}${headline} (${seconds}, verified)\n`,
    entries.length === 0 ? '' : `${table}\n`,
    renderFields([
      ['released', formatCount(counts.released)],
      ['still in quarantine', formatCount(counts['still-quarantined'])],
      ['newly in quarantine', formatCount(counts['newly-quarantined'])],
      ['gone from the tree', formatCount(counts.gone)],
      ['database', migration.database],
      ['digest', migration.digest],
    ]),
  ].join('');
}
