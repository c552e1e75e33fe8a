import { defineCommand } from '../command.js';
import { confirm } from '../confirm.js';
import { ownProgram } from '../own-program.js';
import { stepLine } from '../render-run.js';
import type { Context, Session } from '../session.js';
import { noteStep, runOutcome } from './cutover.js';

/** `rollback`: back to files, with everything that was written since. */
export function rollbackCommand(session: Session) {
  return defineCommand('rollback', {
    summary: 'go back to files, with everything that was written since',
    description:
      'Make the files the truth again, with everything that was written since the cut-over: stop writers, back up, write ' +
      'what the files lack, compare every byte of both, switch, start.\nFrom sqlite_only, or when many files vanished, all ' +
      'files are built anew from the database and exchanged; what stood there is kept in .storage/trash, and what only it has is named. ' +
      'Killed in the middle, the same command continues.',
    examples: [
      ['deespec rollback --dry-run', 'every step, and how much differs'],
      ['deespec rollback --yes', 'do it'],
      ['deespec rollback --rebuild --yes', 'the files are damaged: write all of them anew'],
    ],
  })
    .option('--dry-run', 'show every step, and what differs; nobody is stopped')
    .option('--rebuild', 'write all files anew from the database')
    .option('--yes', 'do not ask')
    .action(({ dryRun = false, rebuild = false, yes = false }, command) =>
      session.run(command, async (context) => {
        const home = await context.home();
        if (!yes && !dryRun) await confirmRollback(context, home);
        const { rollback } = await import('@deespec/storage');
        const { signal } = context;
        const report = await context.withProgress((onProgress) =>
          rollback({
            home,
            dryRun,
            rebuild,
            signal,
            onProgress,
            program: ownProgram(),
            onStep: (event) => noteStep(context, stepLine(event)),
          }),
        );
        return runOutcome(report);
      }),
    );
}

async function confirmRollback({ signal }: Context, home: string): Promise<void> {
  const { readStatus } = await import('@deespec/storage');
  const { mode, run } = await readStatus({ home });
  if (mode === 'file' && run === undefined) return; // there is nothing to do
  const about = `${home} is in mode ${mode}. Every program that works on it is stopped, and the files become the truth.\n`;
  await confirm({ about, words: 'rollback', signal });
}
