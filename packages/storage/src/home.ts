import { StorageError } from '@deespec/domain';
import { lstatSync, realpathSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

/** Names below the `.deespec` directory that are ours. Source: docs/formats.md, "What is ours". */
export interface HomePaths {
  /** The `.deespec` directory, symbolic links resolved once. */
  readonly home: string;
  readonly database: string;
  /** `.storage/`: everything of ours but the database and the backups. */
  readonly own: string;
  readonly lock: string;
  readonly epoch: string;
  readonly runs: string;
  readonly processes: string;
  /** Verified copies of the database from before changes of its schema, and repairs. */
  readonly copies: string;
  /** Backups, each with its manifest beside it. */
  readonly backups: string;
  /** What is becoming a backup, or ceasing to be one. */
  readonly backupWork: string;
  /** Lock of whoever works on backups. */
  readonly backupLock: string;
  /** What other things took the place of. */
  readonly trash: string;
  /** A restore that has begun. */
  readonly restore: string;
  /** The database that it puts in place. */
  readonly restored: string;
  /** Lock of whoever writes the files. */
  readonly writerLock: string;
  /** Lock of whoever pays what one store owes to the other. */
  readonly payerLock: string;
  /** A change of mode that has begun. */
  readonly modeChange: string;
  /** Stands while API writes are refused. */
  readonly stopped: string;
  /** Lock of the one background service. */
  readonly serviceLock: string;
  /** Where the background service answers. */
  readonly socket: string;
  readonly log: string;
  /** The cut-over or rollback that has begun. */
  readonly run: string;
  /** Lock of whoever carries it out. */
  readonly runLock: string;
  /** An exchange of the files that has begun. */
  readonly exchange: string;
  /** Trees that are built to take the place of the files. */
  readonly rebuild: string;
  /** Reports of runs that ended. */
  readonly reports: string;
  /** Copies of the tree on which a cut-over is rehearsed. */
  readonly rehearsal: string;
  /** What the last rehearsal proved. */
  readonly rehearsalRecord: string;
}

/** Where a command looks for its tree. */
export interface FindHomeOptions {
  /** What the user named; wins over everything else. */
  readonly home?: string;
  readonly cwd: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** One of these stands in every tree. Source: docs/formats.md. */
const marks = [
  'specs',
  'setting.json',
  'workflow.json',
  'etc/workflow.yaml',
  'var/state.json',
  'journal',
  'deespec.db',
];

/**
 * The tree a command works on: the named one, else `DEE_HOME`, else the nearest `.deespec` upwards.
 *
 * @returns an absolute path
 * @throws StorageError `TREE.NOT_FOUND`
 */
export function findHome({ home, cwd, environment }: FindHomeOptions): string {
  const named = home ?? (environment['DEE_HOME'] === '' ? undefined : environment['DEE_HOME']);
  if (named !== undefined) return resolve(cwd, named);
  for (let directory = resolve(cwd); ; directory = dirname(directory)) {
    const candidate = join(directory, '.deespec');
    if (isDirectory(candidate)) return candidate;
    if (directory === dirname(directory)) break;
  }
  throw new StorageError('TREE.NOT_FOUND', `no .deespec directory in ${cwd} or above it`, {
    hint: 'name one with --home <dir>, or with the environment variable DEE_HOME',
  });
}

/** The paths of a tree. @throws StorageError `TREE.NOT_FOUND` when `home` is no `.deespec` tree */
export function homePaths(home: string): HomePaths {
  if (!isDirectory(home)) throw notTree(home, 'is not a directory');
  const real = realpathSync(home);
  if (!marks.some((mark) => exists(join(real, mark)))) {
    throw notTree(home, `has none of ${marks.slice(0, -1).join(', ')}`);
  }
  const own = join(real, '.storage');
  return {
    home: real,
    database: join(real, 'deespec.db'),
    own,
    lock: join(own, 'lock.db'),
    epoch: join(own, 'epoch'),
    runs: join(own, 'runs'),
    processes: join(own, 'processes'),
    copies: join(own, 'copies'),
    backups: join(real, 'backups'),
    backupWork: join(own, 'backups'),
    backupLock: join(own, 'backup.db'),
    trash: join(own, 'trash'),
    restore: join(own, 'restore.json'),
    restored: join(own, 'restore.db'),
    writerLock: join(own, 'writer.db'),
    payerLock: join(own, 'payer.db'),
    modeChange: join(own, 'mode-change'),
    stopped: join(own, 'stopped'),
    serviceLock: join(own, 'service.db'),
    socket: join(own, 'service.sock'),
    log: join(own, 'log'),
    run: join(own, 'run'),
    runLock: join(own, 'run.db'),
    exchange: join(own, 'exchange'),
    rebuild: join(own, 'rebuild'),
    reports: join(own, 'reports'),
    rehearsal: join(own, 'rehearsal'),
    rehearsalRecord: join(own, 'rehearsal.json'),
  };
}

function notTree(home: string, why: string): StorageError {
  return new StorageError('TREE.NOT_FOUND', `${home} is no .deespec tree: it ${why}`, {
    hint: 'name the .deespec directory with --home <dir>',
    details: { home },
  });
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

function exists(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}
