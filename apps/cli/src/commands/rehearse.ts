import { defineCommand, wholeNumber } from '../command.js';
import { renderRehearsal } from '../render-run.js';
import type { Session } from '../session.js';
import { noteStep } from './cutover.js';

/** `rehearse`: tries a cut-over and its rollback on a copy. */
export function rehearseCommand(session: Session) {
  return defineCommand('rehearse', {
    summary: 'try a cut-over, random writes and the rollback on a copy',
    description:
      'Copy the tree, migrate, cut over, change things at random through the API and as another program would, roll back, ' +
      'and compare with a second copy that got the same changes and never left its files. Each part is timed, and the proof ' +
      'is kept for "deespec cutover".\nThe tree itself is only read. Exit 1: the copies differ.',
    examples: [
      ['deespec rehearse', 'before a cut-over'],
      ['deespec rehearse --writes 5000', 'with more changes'],
      ['deespec rehearse --seed 7 --keep', 'the changes of seed 7, and leave the copies to be looked at'],
    ],
  })
    .option(
      '--writes <n>',
      'changes between cut-over and rollback, 1 to 1000000',
      wholeNumber(1, 1_000_000),
      500,
    )
    .option('--seed <n>', 'the same number makes the same changes', wholeNumber(0, 4_294_967_295))
    .option('--quarantine', 'keep entries that break a rule, as the cut-over would')
    .option('--keep', 'leave the copies in .storage/rehearsal')
    .action(({ writes, seed, quarantine = false, keep = false }, command) =>
      session.run(command, async (context) => {
        const home = await context.home();
        const { rehearse } = await import('@deespec/storage');
        const { signal } = context;
        const report = await context.withProgress((onProgress) =>
          rehearse({
            home,
            writes,
            quarantine,
            keep,
            signal,
            onProgress,
            onPhase: (name) => noteStep(context, `${name} ...`),
            ...(seed === undefined ? {} : { seed }),
          }),
        );
        return {
          data: report,
          text: () => renderRehearsal(report),
          ...(report.ok ? {} : { exitCode: 1 as const }),
        };
      }),
    );
}
