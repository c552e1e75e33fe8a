import { modeMeanings, type FileDebt, type Ledger, type StorageMode, type TreePath } from '@deespec/domain';
import {
  syncTrees,
  type SyncAction,
  type SyncOptions as PassOptions,
  type SyncReport,
} from '@deespec/dual-adapter';
import { openFileStorage, type FileTreeStore } from '@deespec/file-adapter';
import { openSqliteStorage } from '@deespec/sqlite-adapter';

import { getDatabase } from './database.js';
import { earlierRuns } from './earlier-runs.js';
import { homePaths, type HomePaths } from './home.js';
import { requireMode } from './setting.js';
import { ifPossible, removeDeadNotes } from './processes.js';
import { SharedBarrier } from './shared-barrier.js';
import { WriterLock } from './writer-lock.js';

/** What {@link sync} takes. */
export interface SyncOptions {
  readonly home: string;
  /** Only decides: `onAction` hears what would be done. */
  readonly dryRun?: boolean;
  /** Takes a mass deletion for what it is instead of stopping. */
  readonly allowDeletions?: boolean;
  readonly onAction?: (action: SyncAction) => void;
  readonly signal?: AbortSignal;
}

/** What a pass did, and what is left. */
export interface SyncResult extends SyncReport {
  readonly mode: StorageMode;
  /** Versions that other programs wrote in the instant of a replacement, kept as conflicts. */
  readonly rescued: readonly string[];
  /** Paths that the files are behind on, and changes that the database is behind on, after the pass. */
  readonly debts: number;
}

/** The two stores of a tree, open for a comparison. */
export interface SyncStores {
  readonly mode: StorageMode;
  readonly files: FileTreeStore;
  readonly ledger: Ledger;
  close(): Promise<void>;
}

/**
 * Brings files and database into step, once: what one side changed goes to the other; where both did, the truth of the mode
 * keeps its bytes and the other version becomes a conflict.
 *
 * @throws StorageError `MODE.REFUSED` where only one store is in use, `SYNC.MASS_DELETION`, `DATABASE.*`, `LOCK.HELD`, `AUDIT.BROKEN`
 */
export async function sync(options: SyncOptions): Promise<SyncResult> {
  const paths = homePaths(options.home);
  return passOver(paths, options, () => syncedMode(paths));
}

/**
 * As {@link sync}, for whoever knows the mode: `setting.json` is not asked.
 *
 * @param mode - asked under the barrier
 */
export async function passOver(
  paths: HomePaths,
  options: Omit<SyncOptions, 'home'>,
  mode: () => StorageMode | Promise<StorageMode>,
): Promise<SyncResult> {
  const barrier = new SharedBarrier(paths);
  const writers = new WriterLock(paths);
  const payers = new WriterLock(paths, 'pay');
  const pass = async (): Promise<SyncResult> => {
    if (options.dryRun !== true) ifPossible(() => removeDeadNotes(paths), undefined);
    const stores = await openSyncStores(paths, await mode(), writers);
    try {
      return await syncOnce(stores, options);
    } finally {
      await stores.close();
    }
  };
  try {
    return await payers.alone(() => barrier.hold(pass));
  } finally {
    await writers.close();
    await payers.close();
    barrier.close();
  }
}

/** The mode, when two stores are in use. @throws StorageError `MODE.REFUSED` */
export function syncedMode(paths: HomePaths): Promise<StorageMode> {
  return requireMode(paths, ['dual_write', 'sqlite'], {
    command: 'sync',
    hint: 'in mode file "deespec migrate" brings the database up to date; in sqlite_only there are no files to keep in step',
  });
}

/** Opens both stores as the mode writes them. @throws StorageError `DATABASE.*` */
export async function openSyncStores(
  paths: HomePaths,
  mode: StorageMode,
  writers: WriterLock,
): Promise<SyncStores> {
  getDatabase(paths);
  const database = await openSqliteStorage({ path: paths.database, owes: mode === 'sqlite' });
  const files = openFileStorage({ home: paths.home, alone: writers.alone, owes: mode === 'dual_write' });
  return { mode, files: files.store, ledger: database.store, close: () => database.close() };
}

/** One pass over everything, or over `below`. Runs under the barrier. */
export async function syncOnce(
  { mode, files, ledger }: SyncStores,
  options: Omit<SyncOptions, 'home'> & Pick<PassOptions, 'paths' | 'deletedBefore'> = {},
): Promise<SyncResult> {
  const { dryRun, allowDeletions, onAction, signal, paths, deletedBefore } = options;
  const isDry = dryRun === true;
  if (!isDry) await files.recover();
  const owed = files.fileDebts();
  const report = await syncTrees(
    {
      files,
      ledger,
      truth: modeMeanings[mode].reads,
      earlier: earlierRuns(files),
      ...(signal === undefined ? {} : { signal }),
    },
    {
      ...(isDry ? { dryRun } : {}),
      ...(allowDeletions === undefined ? {} : { allowDeletions }),
      ...(onAction === undefined ? {} : { onAction }),
      paths,
      deletedBefore,
    },
  );
  // Owed before the pass looked at everything: a newer change has a debt of its own.
  const isDone = !isDry && report.failed.length === 0 && report.unstable.length === 0;
  // After the pass, which asks what was put for the other store. When everything is in step nobody asks any more.
  const knownMs = isDone && paths === undefined ? 0 : undefined;
  const rescued = isDry ? [] : files.settleReplaced(undefined, knownMs).map(({ id }) => id);
  for (const id of isDone ? owed : []) {
    if (paths === undefined || isCovered(files.fileDebt(id), paths)) files.clearFileDebt(id);
  }
  if (!isDry && paths === undefined) await files.discardLeft();
  return { mode, ...report, rescued, debts: ledger.countDebts() + files.fileDebts().length };
}

/** True when a pass over `paths` pays all that is owed. Audit records are copied by a pass over everything. */
function isCovered(debt: FileDebt | undefined, paths: readonly TreePath[]): boolean {
  if (debt === undefined || debt.paths === 'unknown' || debt.audit.length > 0) return false;
  return debt.paths.every((path) => paths.includes(path));
}
