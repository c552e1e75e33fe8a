import { type Index, type StorageError, type StorageMode, type TreeStore } from '@deespec/domain';
import type { DualStore } from '@deespec/dual-adapter';
import type { SqliteStorage } from '@deespec/sqlite-adapter';

import { getDatabase, requireEvidence } from '../database.js';
import { earlierRuns } from '../earlier-runs.js';
import type { HomePaths } from '../home.js';

/** The stores of a tree in its mode. */
export interface OpenStores {
  readonly mode: StorageMode;
  readonly epoch: number;
  /** Writes and reads go here. */
  readonly tree: TreeStore;
  readonly index: Index;
  /** Present where two stores are kept in step. */
  readonly dual?: DualStore;
  /** False once the schema of an open database is another one: the stores are to be opened anew. */
  readonly isCurrent: () => boolean;
  close(): Promise<void>;
}

/** What {@link openStores} needs. */
export interface StoresOptions {
  readonly mode: StorageMode;
  readonly epoch: number;
  /** Runs synchronous work alone among all writers of the files. */
  readonly alone: <T>(work: () => T) => Promise<T>;
  /** Holds the barrier around a part of work that nobody awaits; `undefined` when the mode has changed meanwhile. */
  readonly guard: <T>(work: () => Promise<T>) => Promise<T | undefined>;
  /** Told when the second store could not be brought up to date; it is tried again. */
  readonly onProblem?: (problem: StorageError) => void;
  readonly now?: () => Date;
}

/**
 * Opens the stores of a mode; where files are the truth, what a crash left half done is finished or taken back first. Runs under
 * the barrier.
 *
 * @throws StorageError `DATABASE.*`, `SCHEMA.*`, `EVIDENCE.STALE`
 */
export async function openStores(paths: HomePaths, options: StoresOptions): Promise<OpenStores> {
  const { mode } = options;
  if (mode === 'file') return openFiles(paths, options);
  if (mode === 'dual_write') return openFileTruth(paths, options);
  requireEvidence(getDatabase(paths));
  return mode === 'sqlite' ? openSqliteTruth(paths, options) : openSqliteOnly(paths, options);
}

async function openFiles(paths: HomePaths, { mode, epoch, alone }: StoresOptions): Promise<OpenStores> {
  const { openFileStorage } = await import('@deespec/file-adapter');
  const files = openFileStorage({ home: paths.home, alone });
  await files.store.recover();
  return {
    mode,
    epoch,
    tree: files.store,
    index: files.index,
    isCurrent: () => true,
    close: () => files.store.close(),
  };
}

/** The database may be locked, full or broken: it is opened when it is first needed, and again until that succeeds. */
async function openFileTruth(paths: HomePaths, options: StoresOptions): Promise<OpenStores> {
  const [{ openFileStorage }, { DualStore }] = await Promise.all([
    import('@deespec/file-adapter'),
    import('@deespec/dual-adapter'),
  ]);
  const { mode, epoch, alone, guard, onProblem } = options;
  const files = openFileStorage({ home: paths.home, alone, owes: true });
  await files.store.recover();
  let database: SqliteStorage | undefined;
  const ledger = async () => {
    getDatabase(paths);
    const { openSqliteStorage } = await import('@deespec/sqlite-adapter');
    database = await openSqliteStorage({ path: paths.database });
    return database.store;
  };
  const dual = new DualStore({
    truth: 'files',
    files: files.store,
    earlier: earlierRuns(files.store),
    ledger,
    guard,
    ...(onProblem === undefined ? {} : { onProblem }),
  });
  const isCurrent = () => database?.isCurrent() ?? true;
  return { mode, epoch, tree: dual, index: files.index, dual, isCurrent, close: () => dual.close() };
}

async function openSqliteTruth(paths: HomePaths, options: StoresOptions): Promise<OpenStores> {
  const [{ openFileStorage }, { DualStore }, { openSqliteStorage }] = await Promise.all([
    import('@deespec/file-adapter'),
    import('@deespec/dual-adapter'),
    import('@deespec/sqlite-adapter'),
  ]);
  const { mode, epoch, alone, guard, onProblem } = options;
  const database = await openSqliteStorage({ path: paths.database, owes: true });
  const files = openFileStorage({ home: paths.home, alone });
  const dual = new DualStore({
    truth: 'sqlite',
    files: files.store,
    earlier: earlierRuns(files.store),
    ledger: database.store,
    guard,
    ...(onProblem === undefined ? {} : { onProblem }),
  });
  const { index, isCurrent } = database;
  return { mode, epoch, tree: dual, index, dual, isCurrent, close: () => dual.close() };
}

async function openSqliteOnly(paths: HomePaths, { mode, epoch }: StoresOptions): Promise<OpenStores> {
  const { openSqliteStorage } = await import('@deespec/sqlite-adapter');
  const database = await openSqliteStorage({ path: paths.database });
  const { store, index, isCurrent } = database;
  return { mode, epoch, tree: store, index, isCurrent, close: () => database.close() };
}
