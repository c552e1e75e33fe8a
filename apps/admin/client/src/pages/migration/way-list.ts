import type { JobRequest } from '../../api/jobs.js';
import type { Status } from '../../api/status.js';

/** One thing that can be done on this page. */
export interface Way {
  readonly kind: JobRequest['kind'];
  readonly title: string;
  readonly about: string;
  readonly command: string;
  /** Name of the button. */
  readonly action: string;
  /** True when it can be tried without changing anything. */
  readonly dryRun: boolean;
  /** True when its button asks for the name of the project. */
  readonly confirmed: boolean;
  /** A switch of it. */
  readonly option?: { readonly name: 'quarantine' | 'rebuild' | 'checkAll'; readonly label: string };
  /** Why it cannot be done now; absent when it can. */
  readonly refused?: string | undefined;
}

const quarantine = {
  name: 'quarantine',
  label: 'Keep what breaks a rule in quarantine instead of refusing',
} as const;

const rehearse: Way = {
  kind: 'rehearse',
  title: '1. Rehearse',
  about: 'Cuts over, changes, rolls back and compares, on a copy of this tree. This tree is only read.',
  command: 'deespec rehearse',
  action: 'Rehearse',
  dryRun: false,
  confirmed: false,
  option: quarantine,
};

const migrate: Way = {
  kind: 'migrate',
  title: '2. Migrate',
  about:
    'Builds the database from the files and compares every byte of both before it is published. The mode stays: the files go on being the source of truth.',
  command: 'deespec migrate',
  action: 'Migrate',
  dryRun: true,
  confirmed: true,
  option: quarantine,
};

const cutover: Way = {
  kind: 'cutover',
  title: '3. Cut over',
  about:
    'Stops writers, makes a verified backup, tries, migrates, compares every byte, switches to SQLite, starts again. When a step fails before the switch everything is as it was.',
  command: 'deespec cutover --yes',
  action: 'Cut over',
  dryRun: true,
  confirmed: true,
  option: quarantine,
};

const rollback: Way = {
  kind: 'rollback',
  title: 'Undo: roll back to files',
  about:
    'Writes what the files lack, compares every byte, and makes the files the source of truth again. What was written since the cut-over is kept.',
  command: 'deespec rollback --yes',
  action: 'Roll back',
  dryRun: true,
  confirmed: true,
  option: { name: 'rebuild', label: 'The files are damaged: write all of them anew' },
};

const verify: Way = {
  kind: 'verify',
  title: 'Verify',
  about:
    'Reads files and database with code that shares nothing with the migration, compares them and records the result.',
  command: 'deespec verify --check-all',
  action: 'Verify',
  dryRun: false,
  confirmed: false,
  option: { name: 'checkAll', label: 'Every byte, not only hashes and sizes' },
};

const sync: Way = {
  kind: 'sync',
  title: 'Sync',
  about:
    'Brings what changed on one side to the other; where both changed, keeps both versions as a conflict.',
  command: 'deespec sync',
  action: 'Sync',
  dryRun: true,
  confirmed: false,
};

/** Every step with what speaks against it now: first what one does next, which is the way back once SQLite counts. */
export function waysOf(status: Status): Way[] {
  const ways = allWays(status);
  return status.truth === 'sqlite'
    ? [...ways.filter((way) => way.kind === 'rollback'), ...ways.filter((way) => way.kind !== 'rollback')]
    : ways;
}

function allWays({ mode, truth, database, run }: Status): Way[] {
  const twoStores = mode === 'dual_write' || mode === 'sqlite';
  return [
    rehearse,
    {
      ...migrate,
      refused:
        mode === 'file'
          ? undefined
          : `Only in mode file. In mode ${mode} the stores are kept in step by sync.`,
    },
    { ...cutover, refused: truth === 'sqlite' ? 'SQLite is the source of truth already.' : undefined },
    {
      ...rollback,
      refused:
        mode === 'file' && run === undefined
          ? 'There is nothing to undo: the mode is file already.'
          : undefined,
    },
    { ...verify, refused: database.state === 'ours' ? undefined : 'There is no database to be compared.' },
    {
      ...sync,
      refused: twoStores ? undefined : `In mode ${mode} there are no two stores to be kept in step.`,
    },
  ];
}
