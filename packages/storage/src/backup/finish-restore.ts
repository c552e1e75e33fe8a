import { displayPath, isStorageError, StorageError, timeFromDate, type StorageMode } from '@deespec/domain';
import { openFileStorage } from '@deespec/file-adapter';
import {
  addEvidence,
  changeState,
  countStored,
  inspectDatabase,
  openHandle,
  readState,
  recordDigest,
  requireSchema,
  toStorageError,
} from '@deespec/sqlite-adapter';
import { digestDatabase } from '@deespec/verifier';
import { lstatSync, renameSync, rmdirSync, rmSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { ulid } from 'ulid';

import { ownLinks } from '../database.js';
import { writeEpoch } from '../epoch-file.js';
import { locksOn } from '../file-locks.js';
import type { HomePaths } from '../home.js';
import { programVersion } from '../manifest.js';
import { leaveWal } from '../mode-finish.js';
import { publish } from '../publish.js';
import type { RunOptions } from '../reports.js';
import { retryBusy } from '../retry-busy.js';
import { syncPath } from '../sync-path.js';
import { openSyncStores, syncOnce, type SyncResult } from '../sync.js';
import { requireVerified } from '../verified.js';
import { WriterLock } from '../writer-lock.js';
import { makeRoom, trashOf } from './make-room.js';
import { endRestore, type RestoreJournal } from './restore-journal.js';
import type { StandingHashes } from './standing-hashes.js';

/** How long programs have to let go of the database that goes, milliseconds: services look once a second whether the epoch is another. */
const WAIT_MS = 5_000;

/** How often the stores are compared before a tree that other programs keep changing is given up. */
const ROUNDS = 3;

/** What {@link finishRestore} takes. */
export interface FinishOptions extends Pick<RunOptions, 'onProgress' | 'signal'> {
  /** Of the files that stand there. */
  readonly hashes?: StandingHashes | undefined;
}

/** What was done to the files. */
export interface FilesDone {
  /** Moved to the trash; a directory with all below it is one. */
  readonly moved: number;
  readonly written: number;
}

/** What was done, and the digest of the tree that is there now. */
export interface TreeDone extends FilesDone {
  readonly digest: string;
}

/**
 * Carries a restore forward from wherever a crash cut it off: the epoch, the database, the files, the proof. Each part can be repeated.
 * When somebody keeps the old database open, everything is as before. Runs under the exclusive barrier.
 *
 * @throws StorageError `SQLITE.BUSY`, `DATABASE.FOREIGN`, `DATABASE.OTHER_STORE`, `DATABASE.UNSAFE_LINK`: nothing was changed; others
 *   leave it unfinished
 */
export async function finishRestore(
  paths: HomePaths,
  journal: RestoreJournal,
  options: FinishOptions,
): Promise<TreeDone> {
  const trash = trashOf(paths, journal.run);
  const { epoch, storeId, mode, original } = journal;
  writeEpoch(paths, { epoch, storeId, mode, original });
  if (inodeOf(paths.restored) !== undefined) await swap(paths, journal, trash);
  const done =
    mode === 'sqlite_only' ? proveAlone(paths, epoch) : await follow(paths, journal, { ...options, trash });
  endRestore(paths);
  return done;
}

async function swap(paths: HomePaths, journal: RestoreJournal, trash: string): Promise<void> {
  const keep = join(trash, 'deespec.db');
  if (inodeOf(paths.restored) === inodeOf(paths.database)) return unlinkSync(paths.restored);
  try {
    const found = lookAtLive(paths, journal, keep);
    if (found === 'sound') await retryBusy(() => publish(paths, paths.restored, { keep }), WAIT_MS);
    else {
      await retryBusy(() => requireClosed(paths), WAIT_MS);
      moveAside(paths, keep);
      publish(paths, paths.restored, 'first');
    }
  } catch (error) {
    const isAsBefore = inodeOf(paths.restored) !== undefined && inodeOf(paths.database) !== undefined;
    if (isAsBefore) takeBack(paths, journal, trash);
    throw error;
  }
}

function inodeOf(path: string): bigint | undefined {
  return lstatSync(path, { bigint: true, throwIfNoEntry: false })?.ino;
}

/** What is known to be ours and can be opened is closed properly by SQLite; of a damaged one every file is moved as it is. */
function lookAtLive(
  paths: HomePaths,
  { storeId }: RestoreJournal,
  keep: string,
): 'absent' | 'sound' | 'damaged' {
  const live = inodeOf(paths.database);
  const links = ownLinks(paths) + (live !== undefined && inodeOf(keep) === live ? 1 : 0);
  try {
    if (inspectDatabase(paths.database, links) === 'absent') return 'absent';
    const handle = openHandle(paths.database, 'look');
    try {
      requireSchema(handle, { older: 'allowed' });
      const state = readState(handle);
      if (state?.storeId !== storeId) throw otherStore(paths);
      return 'sound';
    } finally {
      handle.close();
    }
  } catch (error) {
    const known = toStorageError(error, paths.database);
    if (!isStorageError(known) || known.kind !== 'integrity') throw known;
    return 'damaged';
  }
}

function otherStore(paths: HomePaths): StorageError {
  return new StorageError('DATABASE.OTHER_STORE', `${paths.database} was made for another tree`, {
    hint: 'it was not touched: move it away, then run the command again',
  });
}

/** Whoever has it open would, at its end, remove a log by its name: that of the new database. @throws StorageError `SQLITE.BUSY` */
function requireClosed(paths: HomePaths): void {
  const holders = locksOn(paths.database) ?? [];
  if (holders.length === 0) return;
  throw new StorageError('SQLITE.BUSY', `${paths.database} is open in process ${holders[0]!.pid}`, {
    hint: 'end the programs that use deespec.db, then run the command again',
  });
}

function moveAside(paths: HomePaths, keep: string): void {
  for (const end of ['', '-wal', '-shm', '-journal']) {
    if (lstatSync(paths.database + end, { throwIfNoEntry: false }) === undefined) continue;
    renameSync(paths.database + end, keep + end);
  }
  syncPath(paths.home);
}

/** Nothing but the epoch was changed yet. The journal goes before the new database, whose absence says that it is in place. */
function takeBack(paths: HomePaths, { before, storeId, mode }: RestoreJournal, trash: string): void {
  const keep = join(trash, 'deespec.db');
  if (inodeOf(keep) === inodeOf(paths.database)) unlinkSync(keep);
  if (before === undefined) rmSync(paths.epoch, { force: true });
  else writeEpoch(paths, { ...before, storeId, mode });
  endRestore(paths);
  rmSync(paths.restored, { force: true });
  rmdirSync(join(trash, 'tree'));
  rmdirSync(trash);
}

interface Following extends FinishOptions {
  readonly trash: string;
}

/** There are no files to compare with: what was proven is that the database has every byte that it says it has. */
function proveAlone(paths: HomePaths, epoch: number): TreeDone {
  const handle = openHandle(paths.database, 'write');
  try {
    const digest = digestDatabase(handle, 'compared');
    addEvidence(handle, {
      runId: ulid(),
      action: 'migrate',
      at: timeFromDate(new Date()),
      version: programVersion(),
      epoch,
      digest,
      record: recordDigest(handle),
      ...countStored(handle),
      ignoredEntries: 0,
      ignoredBytes: 0,
      differences: 0,
    });
    return { moved: 0, written: 0, digest };
  } catch (error) {
    throw toStorageError(error, paths.database);
  } finally {
    handle.close();
  }
}

/** The files become what the database holds. */
async function follow(
  paths: HomePaths,
  { mode, epoch }: RestoreJournal,
  { trash, hashes, ...options }: Following,
): Promise<TreeDone> {
  const writers = new WriterLock(paths);
  try {
    const files = openFileStorage({ home: paths.home, alone: writers.alone }).store;
    await files.recover();
    const moved = makeRoom(paths, { files, hashes }, join(trash, 'tree'));
    const written = await bringIntoStep(paths, mode, writers);
    const { treeDigest } = await requireVerified(paths, options);
    if (mode === 'file') endAccount(paths, epoch);
    return { moved, written, digest: treeDigest! };
  } finally {
    await writers.close();
    leaveWal(paths);
  }
}

async function bringIntoStep(paths: HomePaths, mode: StorageMode, writers: WriterLock): Promise<number> {
  const stores = await openSyncStores(paths, mode, writers);
  try {
    let pass = await syncOnce(stores);
    let written = pass.projected;
    for (let round = 1; round < ROUNDS && pass.wrote > 0; round += 1) {
      pass = await syncOnce(stores);
      written += pass.projected;
    }
    requireInStep(pass);
    return written;
  } finally {
    await stores.close();
  }
}

function requireInStep({ failed, unstable, debts }: SyncResult): void {
  if (failed.length === 0 && unstable.length === 0 && debts === 0) return;
  const paths = [...failed.map(({ path }) => path), ...unstable].slice(0, 20);
  throw new StorageError(
    'TREE.UNSTABLE',
    `the files do not follow: ${failed.length} paths failed, ${unstable.length} keep changing`,
    {
      hint: 'see what is wrong with them, stop the programs that write, then run the command again: it goes on',
      details: {
        failed: failed.slice(0, 20).map((one) => ({ ...one, path: displayPath(one.path) })),
        paths: paths.map(displayPath),
      },
    },
  );
}

/** In mode `file` the files change without an account of it. */
function endAccount(paths: HomePaths, epoch: number): void {
  const handle = openHandle(paths.database, 'write');
  try {
    changeState(handle, { mode: 'file', epoch });
  } catch (error) {
    throw toStorageError(error, paths.database);
  } finally {
    handle.close();
  }
}
