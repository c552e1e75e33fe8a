import { Option } from '@commander-js/extra-typings';
import { isStorageError, StorageError } from '@deespec/domain';
import type { SyncAction, SyncResult } from '@deespec/storage';
import { defineCommand } from '../command.js';
import { formatNumberOf } from '../render.js';
import { conflictWarning } from '../render-mode.js';
import {
  isLeft,
  renderAction,
  renderSync,
  syncWarnings,
  toActionData,
  toSyncData,
  withRescued,
} from '../render-sync.js';
import type { Context, Outcome, Session } from '../session.js';
import { keepInStep, renderWatch, toWatchData } from '../watch.js';

interface SyncRun {
  readonly home: string;
  readonly allowDeletions: boolean;
}

/** `sync`: brings files and database into step, once or for as long as it runs. */
export function syncCommand(session: Session) {
  return defineCommand('sync', {
    summary: 'bring files and database into step',
    description:
      'Bring files and database into step: what one side changed goes to the other. Where both did, the truth of ' +
      'the mode keeps its bytes and the other version is kept as a conflict. Works in modes dual_write and sqlite.\n' +
      'Exit 0: in step. Exit 2: new conflicts. Exit 3: paths failed or keep changing; the next pass tries again.',
    examples: [
      ['deespec sync --dry-run', 'what would go where, and why'],
      ['deespec sync', 'one pass'],
      ['deespec sync --watch', 'until Ctrl-C: a change of either side is in the other within 2 seconds'],
      ['deespec sync --allow-deletions', 'many files were meant to go'],
    ],
  })
    .option('--watch', 'keep both in step until a signal ends it')
    .addOption(new Option('--dry-run', 'only list what would be done').conflicts('watch'))
    .option('--allow-deletions', 'take over deletions however many they are')
    .action((options, command) =>
      session.run(command, async (context) => {
        const { watch = false, dryRun = false, allowDeletions = false } = options;
        const home = await context.home();
        if (watch) return watchOutcome(context, { home, allowDeletions });
        return dryRun
          ? tryOut(context, { home, allowDeletions })
          : bringIntoStep(context, { home, allowDeletions });
      }),
    );
}

async function bringIntoStep({ signal }: Context, run: SyncRun): Promise<Outcome> {
  const { sync } = await import('@deespec/storage');
  try {
    const result = withRescued(await sync({ ...run, signal }));
    return {
      data: toSyncData(result),
      text: () => renderSync(result),
      ...exitCodeOf(result),
      warnings: syncWarnings(result),
    };
  } catch (error) {
    return refused(error);
  }
}

/** What was left behind says more than what was kept: a script repeats the pass, and looks at conflicts at its end. */
function exitCodeOf(result: SyncResult): { readonly exitCode?: 2 | 3 } {
  if (isLeft(result)) return { exitCode: 3 };
  return result.conflicts.length > 0 ? { exitCode: 2 } : {};
}

async function tryOut(context: Context, run: SyncRun): Promise<Outcome> {
  const { sync } = await import('@deespec/storage');
  const actions: SyncAction[] = [];
  const onAction = (action: SyncAction): void => {
    if (action.direction === 'none') return;
    actions.push(action);
  };
  try {
    const result = await sync({ ...run, dryRun: true, signal: context.signal, onAction });
    return {
      data: { ...toSyncData(result), actions: actions.map(toActionData) },
      text: () => renderActions(actions),
      warnings: wouldConflict(actions),
    };
  } catch (error) {
    return { ...refused(error), text: () => renderActions(actions) };
  }
}

function renderActions(actions: readonly SyncAction[]): string {
  const headline =
    actions.length === 0
      ? 'dry run: both stores are in step\n'
      : `dry run: ${formatNumberOf(actions.length, 'path')} would be brought into step\n`;
  return headline + actions.map(renderAction).join('');
}

function wouldConflict(actions: readonly SyncAction[]): readonly string[] {
  const count = actions.filter(({ conflict }) => conflict !== undefined).length;
  return count === 0
    ? []
    : [`${formatNumberOf(count, 'path')} changed on both sides: one version would be kept as a conflict`];
}

/** A pass that stopped before deletions has done everything else: its report is the result. @throws any other error */
function refused(error: unknown): Outcome {
  if (!isStorageError(error, 'SYNC.MASS_DELETION')) throw error;
  const { report, ...details } = error.details as {
    readonly report?: Parameters<typeof toSyncData>[0] & { readonly conflicts: readonly string[] };
  };
  return {
    data: report === undefined ? null : toSyncData(report),
    text: () => '',
    warnings: conflictWarning(report?.conflicts ?? []),
    error: withDetails(error, details),
  };
}

/** The report stands in the envelope's data; the error keeps the counts. */
function withDetails(error: StorageError, details: StorageError['details']): StorageError {
  return Object.defineProperty(error, 'details', { value: details });
}

async function watchOutcome(context: Context, run: SyncRun): Promise<Outcome> {
  const { watchTree } = await import('@deespec/storage');
  const { totals, error } = await keepInStep(context, (hooks) => watchTree({ ...run, ...hooks }));
  return {
    data: toWatchData(totals),
    text: () => renderWatch(totals),
    warnings: conflictWarning(totals.conflicts),
    error,
  };
}
