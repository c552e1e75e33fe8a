import type { StatusReport } from '@deespec/storage';
import { defineCommand } from '../command.js';
import {
  formatNumberOf,
  formatRows,
  formatStatuses,
  formatTally,
  localTime,
  renderFields,
} from '../render.js';
import type { Field } from '../render.js';
import type { Session } from '../session.js';

/** `status`: where the tree stands and what to do next. Reads little and writes nothing. */
export function statusCommand(session: Session) {
  return defineCommand('status', {
    summary: 'show where the tree stands and what to do next',
    description:
      'Show the storage mode, what holds the truth, what the other store is owed, conflicts, the database and its ' +
      'last verification, locks, the last backup, unfinished runs and the next step.',
    examples: [
      ['deespec status', 'a quick look; counts of files are those of the last scan'],
      ['deespec status --scan', 'count the files now'],
      ['deespec status --json', 'the same for a script, times in UTC'],
    ],
  })
    .option('--scan', 'count the files now instead of showing the last scan')
    .action(({ scan = false }, command) =>
      session.read(command, async (context) => {
        const home = await context.home();
        const { readStatus } = await import('@deespec/storage');
        const report = await readStatus({ home, scan });
        return { data: report, text: () => renderStatus(report) };
      }),
    );
}

function renderStatus(report: StatusReport): string {
  return renderFields([
    ['tree', report.home],
    ['mode', `${report.mode} (${report.modeMeaning})`],
    ...settingField(report.setting),
    ...requestedField(report.requested),
    ['truth', report.truth],
    ...debtField(report.debt),
    [
      'conflicts',
      report.conflicts === 0
        ? 'none'
        : formatNumberOf(report.conflicts, 'version is', 'versions are') + ' kept',
    ],
    ...databaseFields(report.database),
    ['verified', evidence(report.evidence)],
    ['files', lastScan(report.lastScan)],
    ['lock', lock(report.lock)],
    ...stoppedField(report.stopped),
    ['service', service(report.service)],
    ['open in', openIn(report.processes)],
    ['workflow tool', goTool(report.goTool)],
    ['last backup', lastBackup(report.lastBackup)],
    ['unfinished runs', report.unfinishedRuns.join(', ') || 'none'],
    ...runField(report.run),
    ['rehearsal', rehearsal(report.rehearsal)],
    ['next step', report.nextStep],
  ]);
}

function settingField(setting: StatusReport['setting']): readonly Field[] {
  return setting === undefined ? [] : [['setting.json', `${setting.message} (${setting.code})`]];
}

/** A cut-over or rollback that is at work, or was cut off. */
function runField(run: StatusReport['run']): readonly Field[] {
  if (run === undefined) return [];
  const at = run.begun === undefined ? '' : `, at step ${run.begun}`;
  return [[run.kind, `begun ${localTime(run.startedAt)}, done: ${run.done.join(', ') || 'nothing'}${at}`]];
}

function rehearsal(last: StatusReport['rehearsal']): string {
  if (last === undefined) return 'none on record';
  return `${localTime(last.at)}, ${formatNumberOf(last.writes, 'write')}, ${last.ok ? 'no difference' : 'DIFFERENCES'}`;
}

function requestedField(requested: StatusReport['requested']): readonly Field[] {
  return requested === undefined ? [] : [['requested', `${requested}, by setting.json`]];
}

/** What the second store is behind on. */
function debtField(debt: StatusReport['debt']): readonly Field[] {
  if (debt === undefined) return [];
  if (debt.count === 0) return [['debt', 'none']];
  const since = debt.since === undefined ? '' : ` since ${localTime(debt.since)}`;
  const failure = debt.lastError === undefined ? '' : `; last failure: ${debt.lastError}`;
  return [['debt', `${formatNumberOf(debt.count, 'change')} owed to the other store${since}${failure}`]];
}

function databaseFields(database: StatusReport['database']): readonly Field[] {
  switch (database.state) {
    case 'absent':
      return [['database', 'none']];
    case 'refused':
      return [
        ['database', `refused: ${database.message} (${database.code})`],
        ['hint', database.hint ?? ''],
      ];
    case 'ours':
      return [
        ['database', `${database.path}, ${formatNumberOf(database.bytes, 'byte')}`],
        ['schema', `version ${database.schemaVersion}, store ${database.storeId}, epoch ${database.epoch}`],
        ['holds', formatRows(database.rows)],
        ['SBIs', formatStatuses(database.rows.byStatus)],
      ];
  }
}

function evidence(seen: StatusReport['evidence']): string {
  if (seen === undefined) return 'never';
  const differences = formatNumberOf(seen.differences, 'difference');
  const proof = seen.digest === undefined ? 'not every byte was read' : `digest ${seen.digest}`;
  return `${localTime(seen.at)}, ${differences}, ${formatTally(seen)}, ${proof}`;
}

function lastBackup(backup: StatusReport['lastBackup']): string {
  if (backup === undefined) return 'none';
  const { id, createdAt, verified } = backup;
  return `${id}, ${localTime(createdAt)}, ${verified ? 'verified' : 'NOT VERIFIED'}`;
}

function lastScan(scan: StatusReport['lastScan']): string {
  return scan === undefined
    ? 'not scanned yet (--scan counts them now)'
    : `${formatTally(scan)} at ${localTime(scan.at)}`;
}

function lock({ held, holder }: StatusReport['lock']): string {
  if (!held) return 'free';
  if (holder === undefined) return 'held by another process';
  return `held by ${holder.command} (process ${holder.pid} on ${holder.host}) since ${localTime(holder.since)}`;
}

function stoppedField(stopped: StatusReport['stopped']): readonly Field[] {
  if (stopped === undefined) return [];
  const { since, command } = stopped;
  return [['stopped', `since ${localTime(since)}, by "${command}": changes are refused`]];
}

function service(found: StatusReport['service']): string {
  if (found === undefined) return 'none runs';
  const { pid, since, state = 'does not answer at once', problem } = found;
  const why = state === 'failing' && problem !== undefined ? `: ${problem.message} (${problem.code})` : '';
  return `process ${pid} since ${localTime(since)}, ${state}${why}`;
}

/** Who has the tree open besides the service. */
function openIn(processes: StatusReport['processes']): string {
  return processes
    .filter(({ role }) => role !== 'service')
    .map(({ role, command, pid, host }) => `${command} (${role}, process ${pid} on ${host})`)
    .join(', ');
}

function goTool({ stateLock, runLock, leaseUntil, wip }: StatusReport['goTool']): string {
  const facts = [
    ...(stateLock ? ['holds var/state.lock'] : []),
    ...(runLock ? ['holds var/runlock'] : []),
    ...(wip === undefined ? [] : [`works on ${wip}`]),
    ...(leaseUntil === undefined ? [] : [`lease until ${localTime(leaseUntil)}`]),
  ];
  return facts.join(', ') || 'no lock';
}
