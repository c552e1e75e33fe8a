import { isStorageError, StorageError } from '@deespec/domain';
import { openFileStorage } from '@deespec/file-adapter';
import { expectedSchema } from '@deespec/sqlite-adapter';
import { verifyTree } from '@deespec/verifier';
import { rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

import { CLOCK_TICK_MS, differingPaths, isChangedSince } from '../changed-since.js';
import { findDatabase, getDatabase, isDamaged } from '../database.js';
import type { HomePaths } from '../home.js';
import { lookAgain } from '../look-again.js';
import { requireSpace } from '../preflight.js';
import type { RunOptions } from '../reports.js';
import { databaseBytes } from '../verified-copy.js';
import { WriterLock } from '../writer-lock.js';
import { runSnapshot } from './run-child.js';
import { snapshot } from './snapshot.js';

/** How long a call has to pay what it owes, milliseconds, while others wait: what is owed for longer waits for the next pass. */
const PAYMENT_MS = 1_000;

/** Errors of a tree that does not hold still. */
const unstable = new Set(['FILE.UNSTABLE', 'TREE.UNSTABLE']);

/** A snapshot of the database, as it was at one moment. @throws StorageError `DATABASE.*`, `PREFLIGHT.NO_SPACE`, `FILE.*` */
export async function copyDatabase(
  paths: HomePaths,
  to: string,
  options: Pick<RunOptions, 'onProgress' | 'signal'>,
): Promise<void> {
  const bytes = requireRoom(paths, options);
  const { signal } = options;
  await runSnapshot(paths.database, to, { bytes, signal });
}

/** @returns the size of the database */
function requireRoom(paths: HomePaths, { onProgress }: Pick<RunOptions, 'onProgress'>): number {
  getDatabase(paths);
  const bytes = databaseBytes(paths.database);
  requireSpace(paths, bytes);
  onProgress?.({ phase: 'write', doneBytes: 0, doneEntries: 0, totalBytes: bytes });
  return bytes;
}

/**
 * In `dual_write` the database follows the files, so a snapshot of it is the tree of one moment, which keeps nobody from writing. The
 * moment is one at which no service is in the midst of a change and nothing is owed. The snapshot is compared with the files, every byte:
 * whatever differs must have been changed after that moment, and be the same in both stores since. It is not when somebody changed files
 * by hand before, or the database is owed something for longer, gone, older or damaged: the files are the truth.
 *
 * @returns false when it is another tree; nothing stands at `to` then
 * @throws StorageError those of the files; `LOCK.HELD`
 */
export async function copyFollowing(
  paths: HomePaths,
  to: string,
  options: Pick<RunOptions, 'onProgress' | 'signal'>,
): Promise<boolean> {
  const moment = new Moment(paths);
  try {
    const own = findDatabase(paths, { older: 'allowed' });
    if (own === undefined || own.isOlder || isDamaged(own)) return false;
    requireRoom(paths, options);
    await snapshot(paths.database, to, { moment: (start) => moment.take(start), signal: options.signal });
    if (await isOfFiles(paths, to, { ...options, sinceMs: moment.atMs })) return true;
  } catch (error) {
    // What is wrong with the database is no reason not to back up the files, nor is a file that somebody keeps changing.
    const isOfFilesAlone = isStorageError(error) && (error.kind === 'integrity' || unstable.has(error.code));
    if (!isOfFilesAlone) throw error;
  } finally {
    await moment.close();
  }
  rmSync(to, { force: true });
  return false;
}

/** A moment at which both stores have every change of a service, or neither. */
class Moment {
  /** Milliseconds since 1970. */
  atMs = Infinity;
  readonly #writers: WriterLock;

  constructor(private readonly paths: HomePaths) {
    this.#writers = new WriterLock(paths);
  }

  /**
   * Calls `start` at such a moment. Services wait until then: for the payment of the last change.
   *
   * @throws StorageError `TREE.UNSTABLE` when the database is owed something for too long
   */
  async take(start: () => void): Promise<void> {
    const { store } = openFileStorage({ home: this.paths.home });
    await this.#writers.alone(async () => {
      const deadline = performance.now() + PAYMENT_MS;
      while (store.fileDebts().length > 0) {
        if (performance.now() > deadline) throw owed(this.paths);
        await sleep(2);
      }
      this.atMs = Date.now() - CLOCK_TICK_MS;
      start();
    });
  }

  close(): Promise<void> {
    return this.#writers.close();
  }
}

function owed({ home }: HomePaths): StorageError {
  return new StorageError('TREE.UNSTABLE', `the database of ${home} does not follow`, {
    hint: 'run "deespec sync"',
  });
}

async function isOfFiles(
  paths: HomePaths,
  copy: string,
  { sinceMs, onProgress, signal }: Pick<RunOptions, 'onProgress' | 'signal'> & { readonly sinceMs: number },
): Promise<boolean> {
  const found = await verifyTree({
    home: paths.home,
    database: copy,
    expectedSchema: expectedSchema(),
    checkAll: true,
    onProgress: ({ doneBytes, doneEntries }) => onProgress?.({ phase: 'verify', doneBytes, doneEntries }),
    signal,
  });
  if (!isChangedSince(paths.home, found, sinceMs)) return false;
  return (await lookAgain(paths, differingPaths(found), signal)).size === 0;
}
