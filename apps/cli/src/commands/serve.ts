import { defineCommand } from '../command.js';
import { schedulesFrom } from '../schedules.js';
import type { Outcome, Session } from '../session.js';

/** The hidden command that `start` runs as the background service, in a process of its own. */
export function serveCommand(session: Session) {
  return defineCommand('serve', {
    summary: 'be the background service that start begins',
    examples: [
      ['deespec serve', 'until a signal; nothing is granted'],
      ['deespec serve --check-schedule off', 'without scheduled checks'],
    ],
  })
    .option('--backup-schedule <cron|off>', 'when a backup is made')
    .option('--check-schedule <cron|off>', 'when every byte is checked')
    .action((times, command) =>
      session.run(command, async (context): Promise<Outcome> => {
        // The terminal that it was started from may go.
        process.removeAllListeners('SIGHUP').on('SIGHUP', () => undefined);
        const home = await context.home();
        const schedules = schedulesFrom(times);
        const { runService } = await import('@deespec/storage');
        await runService({ home, schedules, signal: context.signal });
        return { data: { ended: true }, text: () => '' };
      }),
    );
}
