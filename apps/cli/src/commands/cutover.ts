import type { RunReport } from '@deespec/storage';
import { defineCommand } from '../command.js';
import { confirm } from '../confirm.js';
import { ownProgram } from '../own-program.js';
import { rehearsalText, renderRun, runWarnings, stepLine } from '../render-run.js';
import type { Context, Outcome, Session } from '../session.js';

/** `cutover`: makes the database the truth, in the document's seven steps. */
export function cutoverCommand(session: Session) {
  return defineCommand('cutover', {
    summary: 'make the database the truth, in one run',
    description:
      'Make the database the truth: stop writers, back up, dry run, migrate (sync in dual_write), verify everything, ' +
      'switch, start.\nEach step is proven before the next. When one fails before the switch everything is as it was. ' +
      'Killed in the middle, the same command continues; "deespec rollback" takes it back.',
    examples: [
      ['deespec rehearse', 'first: try it, and the way back, on a copy'],
      ['deespec cutover --dry-run', 'every step; the dry run of the migration is made, nobody is stopped'],
      ['deespec cutover --yes', 'do it'],
    ],
  })
    .option('--dry-run', 'show every step, and try what can be tried without stopping anybody')
    .option('--quarantine', 'keep entries that break a rule instead of refusing')
    .option('--yes', 'do not ask')
    .action(({ dryRun = false, quarantine = false, yes = false }, command) =>
      session.run(command, async (context) => {
        const home = await context.home();
        if (!yes && !dryRun) await confirmCutover(context, home);
        const { cutover } = await import('@deespec/storage');
        const { signal } = context;
        const report = await context.withProgress((onProgress) =>
          cutover({
            home,
            dryRun,
            quarantine,
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

/** Steps are for people; a script has them in its document. */
export function noteStep({ json, terminal }: Context, line: string): void {
  if (!json) terminal.note(line);
}

/** The end of a cut-over or rollback. */
export function runOutcome(report: RunReport): Outcome {
  const quarantined = report.steps.some(({ result }) => Number(result?.['quarantined'] ?? 0) > 0);
  return {
    data: report,
    text: () => renderRun(report),
    warnings: runWarnings(report),
    ...(quarantined ? { exitCode: 3 as const } : {}),
  };
}

async function confirmCutover({ signal }: Context, home: string): Promise<void> {
  const { readStatus } = await import('@deespec/storage');
  const { mode, truth, rehearsal } = await readStatus({ home });
  if (truth === 'sqlite') return; // there is nothing to do
  const last =
    rehearsal === undefined ? rehearsalText(undefined) : `${rehearsal.at}, ${rehearsal.ok ? 'ok' : 'NOT ok'}`;
  const about =
    `${home} is in mode ${mode}. Every program that works on it is stopped, and the database becomes the truth.\n` +
    `last rehearsal: ${last}\n`;
  await confirm({ about, words: 'cutover', signal });
}
