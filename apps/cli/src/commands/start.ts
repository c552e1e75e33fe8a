import { invariant } from '@deespec/domain';
import type { ModeReport, RunServiceOptions, StartServiceOptions } from '@deespec/storage';
import { defineCommand } from '../command.js';
import { renderWarning } from '../render-error.js';
import { conflictWarning, modeWarnings, renderModeReport } from '../render-mode.js';
import { schedulesFrom } from '../schedules.js';
import type { Context, Outcome, Session } from '../session.js';
import { keepInStep, renderWatch, toWatchData } from '../watch.js';

/** What was done before the service runs. */
interface Granted {
  readonly home: string;
  readonly report: ModeReport;
  readonly wasStopped: boolean;
}

type Schedules = NonNullable<RunServiceOptions['schedules']>;

/** `start`: grants the mode that `setting.json` asks for, lets changes in again, and runs the background service. */
export function startCommand(session: Session) {
  return defineCommand('start', {
    summary: 'grant the mode that setting.json asks for, end a stop, and run the background service',
    description:
      'Grant the mode that setting.json asks for, as "mode set" does, with the same proofs; let changes in again ' +
      'when the tree was stopped; then start the background service, which keeps files and database in step and ' +
      'makes the scheduled backups and checks. It goes on when this terminal is closed: "deespec stop" ends it.\n' +
      'One that runs already stays as it is. When the mode is refused, a tree that was stopped stays so.',
    examples: [
      [
        'deespec start',
        'after an edit of storage_mode, after "stop --all", and at every start of the machine',
      ],
      ['deespec start --foreground', 'the service in this process, until a signal: for a supervisor'],
      ['deespec start --no-watch', 'only grant the mode and let changes in'],
    ],
  })
    .option('--foreground', 'run the service in this process until a signal')
    .option('--no-watch', 'run no service')
    .option('--backup-schedule <cron|off>', 'when a backup is made (default: "0 3 * * *", daily at 3:00)')
    .option(
      '--check-schedule <cron|off>',
      'when every byte is checked (default: "30 4 * * *", daily at 4:30)',
    )
    .action(({ watch, foreground = false, ...times }, command) =>
      session.run(command, async (context) => {
        const schedules = schedulesFrom(times);
        const granted = await grant(context);
        if (!watch) return outcomeOf(granted, null);
        return foreground ? follow(context, granted, schedules) : detach(context, granted, schedules);
      }),
    );
}

/** Nothing is let in before the mode is granted. */
async function grant(context: Context): Promise<Granted> {
  const home = await context.home();
  const { endStopped, setMode } = await import('@deespec/storage');
  const { signal } = context;
  const report = await context.withProgress((onProgress) => setMode({ home, signal, onProgress }));
  return { home, report, wasStopped: await endStopped({ home }) };
}

type Started = { readonly pid: number; readonly isNew: boolean } | null;

function outcomeOf({ report, wasStopped }: Granted, service: Started): Outcome {
  return {
    data: { mode: report, wasStopped, service, watch: null },
    text: () => renderModeReport(report),
    warnings: modeWarnings(report),
    notes: [
      ...(wasStopped ? ['the tree is not stopped any more'] : []),
      ...(service === null
        ? []
        : [`the background service ${service.isNew ? 'runs' : 'ran already'}: pid ${service.pid}`]),
    ],
  };
}

async function detach({ signal }: Context, granted: Granted, schedules: Schedules): Promise<Outcome> {
  const { startService } = await import('@deespec/storage');
  const { home } = granted;
  return outcomeOf(granted, await startService({ home, program: thisProgram(), schedules, signal }));
}

/** How this program was started, without its arguments. */
function thisProgram(): StartServiceOptions['program'] {
  const [interpreter, script] = process.argv;
  invariant(interpreter !== undefined && script !== undefined, 'a program has a name');
  return [interpreter, script];
}

/** People see what was granted before the service begins; a script gets both in its one document. */
async function follow(context: Context, granted: Granted, schedules: Schedules): Promise<Outcome> {
  const { json, terminal } = context;
  const { home, report, wasStopped } = granted;
  const found = modeWarnings(report);
  if (!json) {
    terminal.write(renderModeReport(report));
    for (const warning of found) terminal.note(renderWarning(warning, terminal));
  }
  const { runService } = await import('@deespec/storage');
  const { totals, error } = await keepInStep(context, (hooks) => runService({ home, schedules, ...hooks }));
  return {
    data: { mode: report, wasStopped, service: null, watch: toWatchData(totals) },
    text: () => renderWatch(totals),
    warnings: [...(json ? found : []), ...conflictWarning(totals.conflicts)],
    error,
  };
}
