import { StorageError } from '@deespec/domain';

import type { JobKind, JobRequest } from '../dto/job.js';

type Option = Exclude<keyof JobRequest, 'kind' | 'confirm'>;

/** What each kind takes beside `confirm`, and the words of its command. */
const kinds: Readonly<Record<JobKind, { readonly words: string; readonly takes: readonly Option[] }>> = {
  'backup-create': { words: 'backup create', takes: ['note'] },
  'backup-verify': { words: 'backup verify', takes: ['backupId'] },
  cutover: { words: 'cutover', takes: ['dryRun', 'quarantine'] },
  migrate: { words: 'migrate', takes: ['dryRun', 'quarantine'] },
  'quarantine-retry': { words: 'quarantine retry', takes: ['dryRun'] },
  rehearse: { words: 'rehearse', takes: ['writes', 'quarantine'] },
  restore: { words: 'restore', takes: ['backupId', 'dryRun', 'withTree'] },
  rollback: { words: 'rollback', takes: ['dryRun', 'rebuild'] },
  sync: { words: 'sync', takes: ['dryRun', 'allowDeletions'] },
  verify: { words: 'verify', takes: ['checkAll'] },
};

/** Kinds that change what cannot be changed back by a click: the name of the project is typed again. */
const dangerous: readonly JobKind[] = ['cutover', 'migrate', 'restore', 'rollback'];

const flags: Readonly<Partial<Record<Option, string>>> = {
  dryRun: '--dry-run',
  quarantine: '--quarantine',
  rebuild: '--rebuild',
  withTree: '--with-tree',
  allowDeletions: '--allow-deletions',
  checkAll: '--check-all',
};

/** The command that does what a job does. */
export function commandOf(request: JobRequest): string {
  const { kind, backupId, writes, note } = request;
  const given = Object.entries(flags).flatMap(([option, flag]) =>
    request[option as Option] === true ? [flag] : [],
  );
  return [
    `deespec ${kinds[kind].words}`,
    ...(backupId === undefined ? [] : [backupId]),
    ...given,
    ...(writes === undefined ? [] : [`--writes ${writes}`]),
    // Quoted by the shell's rules: the text goes nowhere but on the screen.
    ...(note === undefined ? [] : [`--note '${note.replaceAll("'", "'\\''")}'`]),
  ].join(' ');
}

/** @throws StorageError `USAGE.INVALID` for an option that the kind does not take, or one that is missing; when the name is not typed again */
export function requireJob(request: JobRequest, project: string): void {
  const { kind, dryRun, backupId, confirm } = request;
  const { takes } = kinds[kind];
  const given = Object.entries(request).filter(([, value]) => value !== undefined);
  const foreign = given.find(
    ([key]) => key !== 'kind' && key !== 'confirm' && !takes.includes(key as Option),
  );
  if (foreign !== undefined) throw wrong(`"${foreign[0]}" is nothing that ${kind} takes`, { takes });
  if (takes.includes('backupId') && backupId === undefined)
    throw wrong(`${kind} needs "backupId"`, { takes });
  if (!dangerous.includes(kind) || dryRun === true || confirm === project) return;
  throw wrong(`${kind} has to be confirmed: "confirm" is not the name of the project`, { project });
}

function wrong(message: string, details: Record<string, unknown>): StorageError {
  return new StorageError('USAGE.INVALID', message, {
    hint: 'type the name of the project again, and give what the kind takes',
    details,
  });
}
