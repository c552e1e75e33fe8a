import { defineCommand } from '../command.js';
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
    .option('--check-schedule <cron|off>', 'when every byte is checked')
    .action(({ checkSchedule }, command) =>
      session.run(command, async (context): Promise<Outcome> => {
        // The terminal that it was started from may go.
        process.removeAllListeners('SIGHUP').on('SIGHUP', () => undefined);
        const home = await context.home();
        const schedules = checkSchedule === undefined ? {} : { check: checkSchedule };
        const { runService } = await import('@deespec/storage');
        await runService({ home, schedules, signal: context.signal });
        return { data: { ended: true }, text: () => '' };
      }),
    );
}
