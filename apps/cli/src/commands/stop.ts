import { isStorageError } from '@deespec/domain';
import type { StopOutcome, StopReport } from '@deespec/storage';
import { defineCommand, wholeNumber } from '../command.js';
import { localTime } from '../render.js';
import { safeText } from '../safe-text.js';
import type { Outcome, Session } from '../session.js';

const TIMEOUT_SECONDS = 30;

/** `stop`: ends the background service; with `--all` everything that works on the tree, which then stays stopped. */
export function stopCommand(session: Session) {
  return defineCommand('stop', {
    summary: 'end the background service; with --all stop the whole tree',
    description:
      'End the background service of this tree. With --all: first refuse every change, in every process, and keep the ' +
      'workflow tool out; then ask each process that has the tree open to end, and wait. Commands that work on the ' +
      'tree are waited for. Nobody is killed. The tree stays stopped until "deespec start"; reading works meanwhile, ' +
      'and so do migrate, verify, sync, mode set, schema, repair and export.',
    examples: [
      ['deespec stop', 'end the background service; changes are made as before'],
      ['deespec stop --all', 'before a backup of the files, a migration or a rollback'],
      ['deespec stop --all --timeout 120 --json', 'for a script: exit 75 names who is left'],
    ],
  })
    .option('--all', 'stop the whole tree')
    .option(
      '--timeout <seconds>',
      'how long the processes have to end, together',
      wholeNumber(0, 86_400),
      TIMEOUT_SECONDS,
    )
    .action(({ all = false, timeout }, command) =>
      session.run(command, async (context): Promise<Outcome> => {
        const home = await context.home();
        const { stopTree } = await import('@deespec/storage');
        const onProcess = (one: StopOutcome): void => context.terminal.note(renderOutcome(one));
        const { signal } = context;
        const timeoutMs = timeout * 1_000;
        try {
          const report = await stopTree({ home, all, timeoutMs, signal, onProcess });
          return { data: report, text: () => renderStop(report, all) };
        } catch (error) {
          if (!isStorageError(error, 'STOP.INCOMPLETE')) throw error;
          return { data: error.details, text: () => '', error };
        }
      }),
    );
}

function renderOutcome({ pid, role, command, outcome }: StopOutcome): string {
  return `${safeText(command)} (${role}, pid ${pid}): ${safeText(outcome)}`;
}

function renderStop(report: StopReport, isAll: boolean): string {
  const lines = isAll ? stoppedLines(report) : [];
  const isQuiet = report.processes.length === 0;
  if (isQuiet) lines.push(isAll ? 'no process had it open' : 'no background service runs');
  return lines.map((line) => `${line}\n`).join('');
}

function stoppedLines({ since, wasStopped, goTool }: StopReport): string[] {
  const state =
    since === undefined
      ? 'the tree was started again meanwhile'
      : `the tree ${wasStopped ? 'was stopped already' : 'is stopped'} since ${localTime(since)}: changes are refused until "deespec start"`;
  const tool =
    goTool === 'no var'
      ? 'the tree has no var/, so there is no lock that would keep the workflow tool out'
      : 'the workflow tool is kept out by var/state.lock';
  return [state, tool];
}
