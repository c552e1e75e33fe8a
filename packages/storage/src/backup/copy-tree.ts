import { isStorageError, modeMeanings, StorageError, type StorageMode } from '@deespec/domain';
import { openFileStorage } from '@deespec/file-adapter';
import { ulid } from 'ulid';

import { takeAlone } from '../alone.js';
import { takeBarrier, type Release } from '../barrier.js';
import { buildDatabase } from '../build.js';
import { findDatabase } from '../database.js';
import { ensureEpoch, readEpoch, type EpochRecord } from '../epoch-file.js';
import type { HomePaths } from '../home.js';
import { readModeChange } from '../mode-change.js';
import type { MigrateRun } from '../migrate-run.js';
import { requireEvidence, tally, writeEvidence } from '../migrate.js';
import type { OriginalSetting } from '../original-setting.js';
import { requireSpace } from '../preflight.js';
import type { RunOptions } from '../reports.js';
import { grantedMode } from '../setting.js';
import { WriterLock } from '../writer-lock.js';
import { copyDatabase, copyFollowing } from './copy-following.js';

const COMMAND = 'backup create';

/** What is known of a copy beside what is in it. */
export interface CopiedTree {
  readonly original?: OriginalSetting;
}

/**
 * Makes one database that holds the whole tree, at `database`: where SQLite is the truth a snapshot of it; where it follows, one that is
 * compared with the files; else, and where that is another tree, one that is built from the files. Nobody can publish, change the mode
 * or restore meanwhile; everybody can write.
 *
 * @throws StorageError `TREE.UNSTABLE` when the files kept changing; `MODE.*`, `DATABASE.*`, `LOCK.HELD`, `PREFLIGHT.*`, `FILE.*`
 *
 * Source: docs/adr/0019.
 */
export async function copyTree(paths: HomePaths, database: string, options: RunOptions): Promise<CopiedTree> {
  if (readEpoch(paths) === undefined) await nameTree(paths);
  const held: Held = { release: takeBarrier(paths, { access: 'shared', command: COMMAND }) };
  try {
    const mode = await modeOf(paths);
    const record = readEpoch(paths)!;
    if (mode === 'sqlite' || mode === 'sqlite_only') await copyDatabase(paths, database, options);
    else if (mode !== 'dual_write' || !(await copyFollowing(paths, database, options)))
      await copyFiles({ paths, database, options, record, held });
    return record.original === undefined ? {} : { original: record.original };
  } finally {
    held.release();
  }
}

/** The barrier, which a copy of files takes alone when it has to. */
interface Held {
  release: Release;
}

/** A tree without a database has no name yet by which its backups could be told from others. */
async function nameTree(paths: HomePaths): Promise<void> {
  const release = await takeAlone(paths, COMMAND);
  try {
    ensureEpoch(paths);
  } finally {
    release();
  }
}

/**
 * In mode `file` a `setting.json` that cannot be read is kept like any other file. Where the database is the truth it does not matter
 * what `setting.json` asks for.
 */
async function modeOf(paths: HomePaths): Promise<StorageMode> {
  try {
    return await grantedMode(paths);
  } catch (error) {
    const mode = readEpoch(paths)?.mode;
    if (mode === 'file' && isStorageError(error, 'LAYOUT.MALFORMED')) return mode;
    const isOfSetting = isStorageError(error) && /^(?:MODE|LAYOUT)\./u.test(error.code);
    const isTruth = mode !== undefined && modeMeanings[mode].reads === 'sqlite';
    if (isOfSetting && isTruth && readModeChange(paths) === undefined) return mode;
    throw error;
  }
}

interface FileCopy {
  readonly paths: HomePaths;
  readonly database: string;
  readonly options: RunOptions;
  readonly record: EpochRecord;
  readonly held: Held;
}

/**
 * What was loaded and is the same when it is compared afterwards stood there together at the moment in between; no call of a service
 * is half done then. Who writes all the time waits in the last round.
 */
async function copyFiles({ paths, database, options, record, held }: FileCopy): Promise<void> {
  const writers = new WriterLock(paths);
  try {
    const owes = record.mode === 'dual_write';
    const ignored = new Map<string, number>();
    const { store } = openFileStorage({
      home: paths.home,
      alone: writers.alone,
      owes,
      onIgnored: ({ path, bytes }) => ignored.set(path, bytes),
    });
    const published = findDatabase(paths, { older: 'allowed' });
    const total = tally(store);
    requireSpace(paths, total.bytes);
    const run: MigrateRun = {
      paths,
      options: { ...options, quarantine: true },
      source: store,
      ignored,
      directory: { database, remove: () => undefined },
      epoch: record,
      published,
      total,
      startedAt: new Date(),
      beforeVerify: () => store.recover(),
      alone: () => takeAll(paths, held, record),
    };
    const built = await buildDatabase(run);
    const runId = ulid();
    writeEvidence(run, runId, built);
    requireEvidence(database, runId);
  } finally {
    await writers.close();
  }
}

/**
 * The barrier alone, until what is returned is called: from then on it is shared again.
 *
 * @throws StorageError `TREE.UNSTABLE` when another command came in between
 */
async function takeAll(paths: HomePaths, held: Held, { epoch }: EpochRecord): Promise<() => void> {
  held.release();
  held.release = await takeAlone(paths, COMMAND);
  if (readEpoch(paths)?.epoch === epoch) {
    return () => {
      held.release();
      held.release = takeBarrier(paths, { access: 'shared', command: COMMAND });
    };
  }
  throw new StorageError('TREE.UNSTABLE', 'the mode of the tree was changed during the backup', {
    hint: 'run the command again',
  });
}
