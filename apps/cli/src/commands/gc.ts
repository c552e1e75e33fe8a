import { defineCommand } from '../command.js';
import { confirm } from '../confirm.js';
import { formatTally } from '../render.js';
import { renderGc } from '../render-run.js';
import type { Session } from '../session.js';

/** `gc`: drops what is kept and needed by nobody. */
export function gcCommand(session: Session) {
  return defineCommand('gc', {
    summary: 'drop what is kept in .storage and needed by nobody',
    description:
      'Drop what was replaced or removed, copies of the database, trees that were built and not used, rehearsals and old ' +
      'reports.\nEach file is read first, and goes only when the store that is the truth has the same bytes, or a backup that was proven ' +
      'just now; a database only when a verified backup is newer. Everything else stays, and is named with why.',
    examples: [
      ['deespec gc --dry-run', 'how much would go, and what would stay'],
      ['deespec gc --yes', 'drop it'],
    ],
  })
    .option('--dry-run', 'look and drop nothing')
    .option('--yes', 'do not ask')
    .action(({ dryRun = false, yes = false }, command) =>
      session.run(command, async (context) => {
        const home = await context.home();
        const { collectGarbage } = await import('@deespec/storage');
        const { signal } = context;
        if (!dryRun && !yes) {
          const { dropped } = await collectGarbage({ home, dryRun: true, signal });
          const about = `${formatTally(dropped)} would be dropped from ${home}/.storage\n`;
          if (dropped.entries > 0) await confirm({ about, words: 'gc', signal });
        }
        const report = await collectGarbage({ home, dryRun, signal });
        return { data: report, text: () => renderGc(report) };
      }),
    );
}
