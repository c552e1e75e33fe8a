import type { RestoreReport } from '@deespec/storage';
import { defineCommand, namedPath } from '../command.js';
import { confirm } from '../confirm.js';
import { formatNumberOf, renderFields } from '../render.js';
import type { Session } from '../session.js';

/** `restore`: brings a backup back. */
export function restoreCommand(session: Session) {
  return defineCommand('restore', {
    summary: 'bring a backup back, in place or into a new directory',
    description:
      'Bring a backup back. In place the tree becomes what the backup holds, in the mode that is in force; the replaced ' +
      'database and every file that differs\nare kept in .deespec/.storage/trash. On a terminal it asks; elsewhere it ' +
      'needs --yes. Where files are the truth it needs --with-tree.\nOne that was cut off is finished by the same command.',
    examples: [
      ['deespec restore <id> --as ../restored', 'the tree of the backup as files; nothing else is touched'],
      ['deespec restore <id> --dry-run', 'prove the backup and say what would be done'],
      ['deespec restore <id> --with-tree --yes --json', 'for a script, in any mode'],
    ],
  })
    .argument('<id|path>', 'a backup of "backup list", or the file of one')
    .option('--as <dir>', 'write it as files into this new directory', namedPath)
    .option('--with-tree', 'replace the files too, where they are the truth')
    .option('--dry-run', 'only prove the backup and say what would be done')
    .option('--yes', 'do not ask')
    .action((from, options, command) =>
      session.run(command, async (context) => {
        const home = await context.home();
        const { restore } = await import('@deespec/storage');
        const { signal, user } = context;
        const { as, withTree = false, dryRun = false, yes } = options;
        if (as === undefined && !dryRun && yes !== true)
          await confirm({ about: question(home, from), words: `restore ${from}`, signal });
        const where = as === undefined ? {} : { as };
        const report = await context.withProgress((onProgress) =>
          restore({ home, from, withTree, dryRun, user, signal, onProgress, ...where }),
        );
        return { data: report, text: () => renderRestored(report) };
      }),
    );
}

function question(home: string, from: string): string {
  return (
    renderFields([
      ['tree', home],
      ['backup', from],
    ]) +
    'What was written since the backup is no longer in the tree afterwards. It is kept in .deespec/.storage/trash.\n'
  );
}

function renderRestored(report: RestoreReport): string {
  const { from, dryRun, output, digest, mode, epoch, kept, files, continued, durationMs } = report;
  const did = dryRun ? 'would restore' : continued === true ? 'finished the restore of' : 'restored';
  return (
    `${did} ${from} (${(durationMs / 1000).toFixed(1)} s)\n` +
    renderFields([
      ['output', output ?? ''],
      ['tree digest', digest],
      ['mode', mode === undefined ? '' : `${mode}${epoch === undefined ? '' : `, epoch ${epoch}`}`],
      ['files', files === undefined ? '' : formatFiles(files)],
      ['replaced', kept ?? ''],
    ])
  );
}

function formatFiles(files: NonNullable<RestoreReport['files']>): string {
  const moved = `${formatNumberOf(files.moved, 'path')} moved away`;
  return 'written' in files
    ? `${moved}, ${formatNumberOf(files.written, 'path')} written`
    : `${moved}, ${formatNumberOf(files.wanted - files.same, 'path')} written, ${files.same} left as they are`;
}
