import type { BackupReport, BackupVerification, PruneReport } from '@deespec/storage';
import { defineCommand, wholeNumber } from '../command.js';
import { renderBackups } from '../render-backup.js';
import { formatCount, formatNumberOf, formatTally, localTime, renderFields } from '../render.js';
import type { Session } from '../session.js';

/** A century. */
const days = wholeNumber(0, 36_500);
const count = wholeNumber(0, 1_000_000);

/** `backup`: verified copies of the whole tree. */
export function backupCommand(session: Session) {
  return defineCommand('backup', {
    summary: 'make verified backups of the tree, check them and remove old ones',
    description:
      'Keep verified copies of the whole tree in .deespec/backups: each is one database that holds every byte, with a ' +
      'manifest beside it.\nPrograms that write go on meanwhile. "deespec restore" brings one back.',
    examples: [
      ['deespec backup create --note "before the upgrade"', 'make one and verify it'],
      ['deespec backup list', 'age, size, verified or not'],
      ['deespec backup prune --dry-run', 'what would be compressed or removed'],
    ],
  })
    .addCommand(createCommand(session))
    .addCommand(listCommand(session))
    .addCommand(verifyCommand(session))
    .addCommand(pruneCommand(session));
}

function createCommand(session: Session) {
  return defineCommand('create', {
    summary: 'make a backup and verify it',
    description:
      'Copy the whole tree into one database, and verify the copy in a process of its own before it counts. Where ' +
      'SQLite is the truth it is a snapshot of it;\nelse it is built from the files, as "migrate" does.',
    examples: [
      ['deespec backup create', 'one more backup; prints its id'],
      ['deespec backup create --note "before 2.0" --json', 'for a script: "data.manifest" has everything'],
    ],
  })
    .option('--note <text>', 'why it is made, for people (at most 1,000 characters)')
    .action(({ note }, command) =>
      session.run(command, async (context) => {
        const home = await context.home();
        const { createBackup } = await import('@deespec/storage');
        const { signal } = context;
        const report = await context.withProgress((onProgress) =>
          createBackup({ home, signal, onProgress, ...(note === undefined ? {} : { note }) }),
        );
        return { data: report, text: () => renderCreated(report) };
      }),
    );
}

function renderCreated({ id, path, manifest, durationMs }: BackupReport): string {
  return (
    `made and verified ${id} (${(durationMs / 1000).toFixed(1)} s)\n` +
    renderFields([
      ['file', `${path}, ${formatNumberOf(manifest.size, 'byte')}`],
      ['holds', formatTally(manifest.stored)],
      ['tree digest', manifest.treeDigest],
      ['sha256', manifest.sha256],
      ['mode', `${manifest.mode}, epoch ${manifest.epoch}`],
      ['note', manifest.note ?? ''],
    ])
  );
}

function listCommand(session: Session) {
  return defineCommand('list', {
    summary: 'list the backups, newest first',
    description:
      'List the backups of this tree with age, size, when all of it was last read, and what is wrong. Contents are not ' +
      'read: "backup verify" does that. Only reads.',
    examples: [
      ['deespec backup list', 'the table'],
      ['deespec backup list --json', 'for a script: each with its whole manifest'],
    ],
  }).action((_options, command) =>
    session.read(command, async (context) => {
      const home = await context.home();
      const { readBackups } = await import('@deespec/storage');
      const list = await readBackups({ home });
      return { data: list, text: () => renderBackups(list.backups) };
    }),
  );
}

function verifyCommand(session: Session) {
  return defineCommand('verify', {
    summary: 'read all of a backup again',
    description:
      'Read all of a backup again: the file, what it unpacks to, every row and every stored byte, compared with the ' +
      'manifest, which the result is written into.\nExit 0: as it should be. Exit 1: not verified any more, with what is wrong.',
    examples: [
      ['deespec backup verify backup_20260101_020000_000001', 'one of "backup list"'],
      [
        'deespec backup verify backup_20260101_020000_000001 --json',
        'for a script: "data.ok", "data.problem"',
      ],
    ],
  })
    .argument('<id>', 'which one, see "backup list"')
    .action((id, _options, command) =>
      session.run(command, async (context) => {
        const home = await context.home();
        const { verifyBackup } = await import('@deespec/storage');
        const result = await verifyBackup({ home, id, signal: context.signal });
        return {
          data: result,
          text: () => renderVerified(result),
          ...(result.ok ? {} : { exitCode: 1 as const }),
        };
      }),
    );
}

function renderVerified({ id, path, ok, problem, manifest, durationMs }: BackupVerification): string {
  const what = ok ? 'is as it should be' : 'is NOT what it should be';
  return (
    `${id} ${what} (${(durationMs / 1000).toFixed(1)} s)\n` +
    renderFields([
      ['file', path],
      ['problem', problem ?? ''],
      ['tree digest', ok ? manifest.treeDigest : ''],
      ['made', localTime(manifest.createdAt)],
    ])
  );
}

function pruneCommand(session: Session) {
  return defineCommand('prune', {
    summary: 'compress old backups and remove older ones',
    description:
      'Compress backups after some days and remove them after more. Never removed are the newest verified one, which is ' +
      "read again first, the last ones, and what has no newer verified one.\nWhat is none of this tree's backups is " +
      'named and left alone.',
    examples: [
      ['deespec backup prune --dry-run', 'what would become of each'],
      ['deespec backup prune --keep-days 90 --keep-last 10', 'keep more'],
    ],
  })
    .option('--dry-run', 'only say what would be done')
    .option('--keep-days <days>', 'remove those that are older', days, 30)
    .option('--gzip-after-days <days>', 'compress those that are older', days, 7)
    .option('--keep-last <count>', 'never remove so many of the newest', count, 3)
    .action(({ dryRun = false, ...limits }, command) =>
      session.run(command, async (context) => {
        const home = await context.home();
        const { pruneBackups } = await import('@deespec/storage');
        const report = await pruneBackups({ home, dryRun, ...limits, signal: context.signal });
        return { data: report, text: () => renderPruned(report) };
      }),
    );
}

async function renderPruned({ actions, dryRun }: PruneReport): Promise<string> {
  const { renderTable } = await import('../render-table.js');
  const freed = actions.reduce((sum, { bytes, bytesAfter }) => sum + bytes - bytesAfter, 0);
  const table = renderTable<PruneReport['actions'][number]>(
    [
      { title: 'BACKUP', value: ({ id }) => id, maxLength: 60 },
      { title: dryRun ? 'WOULD' : 'DID', value: ({ action }) => action },
      { title: 'BYTES', value: ({ bytesAfter }) => formatCount(bytesAfter) },
      { title: 'WHY', value: ({ reason }) => reason, maxLength: 80 },
    ],
    actions,
  );
  return `${table}${dryRun ? 'nothing was changed' : `${formatNumberOf(freed, 'byte')} freed`}\n`;
}
