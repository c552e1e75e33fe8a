import { readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { fillPlace, itemsOf, type Base } from '../dual/base-place.js';
import { addFile, deleteFile, editFile, oweFiles } from '../dual/pending-work.js';
import { mustSucceed, type Judge, type Operation } from '../operation.js';
import type { Place } from '../place.js';
import { thin } from '../thin.js';
import { BackupJudge } from './backup-judge.js';
import { RestoreJudge } from './restore-judge.js';

interface Kind {
  readonly name: string;
  readonly kind: 'backup' | 'prune' | 'restore';
  readonly base: Base;
  readonly words: (place: Place) => readonly string[];
  /** What happens after the first backup was made. */
  readonly pend: (place: Place) => void | Promise<void>;
}

const backup = { kind: 'backup', words: () => ['backup', 'create'], pend: writeSome } as const;
const restore = {
  kind: 'restore',
  words: (place: Place) => ['restore', firstBackupIn(place), '--with-tree', '--yes'],
} as const;
const limits = ['--keep-days', '0', '--gzip-after-days', '0', '--keep-last', '1'];

const kinds: readonly Kind[] = [
  { ...backup, name: 'backup.file', base: 'file' },
  { ...backup, name: 'backup.dual_write', base: 'dual_write' },
  { ...backup, name: 'backup.sqlite', base: 'sqlite' },
  { ...restore, name: 'restore.file', base: 'file', pend: changeByHand },
  { ...restore, name: 'restore.dual_write', base: 'dual_write', pend: changeBoth },
  { ...restore, name: 'restore.sqlite', base: 'sqlite', pend: changeDatabase },
  { ...restore, name: 'restore-damaged', base: 'sqlite', pend: damageDatabase },
  {
    name: 'prune',
    kind: 'prune',
    base: 'sqlite',
    words: () => ['backup', 'prune', ...limits],
    pend: addBackups,
  },
];

/** What makes, removes and brings back backups, in a place that has one that is verified. */
export const backupOperations: readonly Operation[] = kinds.map(({ name, kind, base, words, pend }) => {
  const operation: Operation = {
    name,
    kind,
    args: (place) => [...words(place), '--home', place.home],
    exitCode: 0,
    writesTree: kind === 'restore',
    isRecorded: false,
    prepare: async (place) => {
      await fillPlace(place, base);
      await makeBackup(place);
      await pend(place);
    },
    recovery: (place) => [{ args: operation.args(place), exits: [0] }],
    watch: (place): Judge =>
      kind === 'restore' ? new RestoreJudge(operation, place, base) : new BackupJudge(operation, place),
    thin,
  };
  return operation;
});

function makeBackup(place: Place): Promise<void> {
  return mustSucceed(place, ['backup', 'create', '--home', place.home]);
}

function firstBackupIn({ home }: Place): string {
  return /^backup_\w+/u.exec(readdirSync(join(home, 'backups')).sort()[0]!)![0];
}

/** What services ask for. */
async function writeSome(place: Place): Promise<void> {
  await mustSucceed(place, ['sbi', 'set-status', itemsOf(place).a[0]!, 'REVIEW', '--home', place.home]);
  await mustSucceed(place, ['config', 'set', 'setting.max_turns', '12', '--home', place.home]);
}

async function changeByHand(place: Place): Promise<void> {
  await writeSome(place);
  editFile(place);
  addFile(place);
  deleteFile(place);
}

async function changeBoth(place: Place): Promise<void> {
  await changeByHand(place);
  await mustSucceed(place, ['sync', '--home', place.home]);
}

/** Some of it is in the database alone: the files are owed it. */
async function changeDatabase(place: Place): Promise<void> {
  await writeSome(place);
  addFile(place);
  await mustSucceed(place, ['sync', '--home', place.home]);
  await oweFiles(place);
}

/** What a restore is for. Both stores were in step. */
async function damageDatabase(place: Place): Promise<void> {
  await writeSome(place);
  for (const end of ['-wal', '-shm']) rmSync(place.database + end, { force: true });
  const bytes = readFileSync(place.database);
  writeFileSync(place.database, bytes.fill('no page of a database. ', FIRST_PAGE));
}

/** Of the database, bytes: it says what the file is. */
const FIRST_PAGE = 4_096;

/** Some to remove, one that has to stay because the only newer one is damaged. */
async function addBackups(place: Place): Promise<void> {
  for (let count = 0; count < 3; count += 1) await makeBackup(place);
  const backups = join(place.home, 'backups');
  const last = readdirSync(backups)
    .filter((name) => name.endsWith('.db'))
    .sort()
    .at(-1)!;
  truncateSync(join(backups, last), 8_192);
}
