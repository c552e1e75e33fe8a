import { modeMeanings } from '@deespec/domain';
import type { StorageMode } from '@deespec/domain';
import type { ModeReport } from '@deespec/storage';
import { defineCommand } from '../command.js';
import { renderWarning } from '../render-error.js';
import { conflictWarning, modeWarnings, renderModeReport } from '../render-mode.js';
import type { Context, Outcome, Session } from '../session.js';
import { keepInStep, renderWatch, toWatchData } from '../watch.js';

/** Modes in which two stores have to be kept in step. */
const followed: readonly StorageMode[] = ['dual_write', 'sqlite'];

/** `start`: grants the mode that `setting.json` asks for and keeps both stores in step. */
export function startCommand(session: Session) {
  return defineCommand('start', {
    summary: 'grant the mode that setting.json asks for and keep both stores in step',
    description:
      'Grant the mode that setting.json asks for, as "mode set" does, with the same proofs; then keep files and ' +
      'database in step, as "sync --watch" does, until a signal ends it. In mode file there is nothing to run.',
    examples: [
      ['deespec start', 'after an edit of storage_mode, and at every start of the machine'],
      ['deespec start --no-watch', 'only grant the mode'],
    ],
  })
    .option('--no-watch', 'end when the mode is granted')
    .action(({ watch }, command) =>
      session.run(command, async (context) => {
        const home = await context.home();
        const { setMode } = await import('@deespec/storage');
        const { signal } = context;
        const report = await context.withProgress((onProgress) => setMode({ home, signal, onProgress }));
        return watch && followed.includes(report.mode)
          ? follow(context, { home, report })
          : granted(report, watch ? `nothing to run: ${modeMeanings[report.mode].meaning}` : undefined);
      }),
    );
}

function granted(report: ModeReport, note: string | undefined): Outcome {
  return {
    data: { mode: report, watch: null },
    text: () => renderModeReport(report),
    warnings: modeWarnings(report),
    notes: note === undefined ? [] : [note],
  };
}

/** People see what was granted before the watch begins; a script gets both in its one document. */
async function follow(
  context: Context,
  { home, report }: { readonly home: string; readonly report: ModeReport },
): Promise<Outcome> {
  const { json, terminal } = context;
  const found = modeWarnings(report);
  if (!json) {
    terminal.write(renderModeReport(report));
    for (const warning of found) terminal.note(renderWarning(warning, terminal));
  }
  const { totals, error } = await keepInStep(context, { home, allowDeletions: false });
  return {
    data: { mode: report, watch: toWatchData(totals) },
    text: () => renderWatch(totals),
    warnings: [...(json ? found : []), ...conflictWarning(totals.conflicts)],
    error,
  };
}
