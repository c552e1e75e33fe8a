import { displayPath, modeMeanings, StorageError, storageModes, type StorageMode } from '@deespec/domain';

import { openFileStorage } from '@deespec/file-adapter';
import { beginAccount, openHandle, toStorageError } from '@deespec/sqlite-adapter';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ulid } from 'ulid';

import { takeAlone } from './alone.js';
import { findDatabase, getDatabase } from './database.js';
import { ensureEpoch, readEpoch } from './epoch-file.js';
import { homePaths, type HomePaths } from './home.js';
import { beginModeChange, readModeChange } from './mode-change.js';
import { finishModeChange, leaveWal } from './mode-finish.js';
import { nameMode, originalOf, restoreSetting, SETTING, type RestoredSetting } from './mode-setting.js';
import type { OriginalSetting } from './original-setting.js';
import type { RunOptions, VerifyReport } from './reports.js';
import { exchangeTree, finishExchange } from './run/exchange.js';
import { requireNoRun } from './run/journal.js';
import { rebuildTree } from './run/rebuild.js';
import { requestedMode } from './setting.js';
import { syncPath } from './sync-path.js';
import { openSyncStores, syncOnce, type SyncResult, type SyncStores } from './sync.js';
import { requireVerified } from './verified.js';
import { WriterLock } from './writer-lock.js';

/** The mode of a tree. */
export interface ModeStatus {
  readonly mode: StorageMode;
  readonly meaning: string;
  readonly epoch: number;
  /** What `setting.json` asks for, when that is another one. */
  readonly requested?: StorageMode;
  /** A change that was cut off; the next `mode set` finishes it. */
  readonly interrupted?: StorageMode;
}

/** What {@link setMode} takes. */
export interface SetModeOptions extends Pick<RunOptions, 'onProgress' | 'signal'> {
  readonly home: string;
  /** The mode to grant; absent: the one that `setting.json` asks for. */
  readonly mode?: StorageMode;
}

/** What a change of mode did. */
export interface ModeReport extends ModeStatus {
  readonly from: StorageMode;
  readonly changed: boolean;
  /** The last pass that brought both stores into step; absent when nothing had to be proven. */
  readonly sync?: Pick<SyncResult, 'imported' | 'projected' | 'conflicts'>;
  /** SHA-256 of the tree's digest text, the same on both sides; absent when nothing had to be proven. */
  readonly digest?: string;
  /** What a hand edit of `setting.json` had lost; absent when nothing. */
  readonly restored?: RestoredSetting;
  /** The verified backup that was made first; absent where none is needed. */
  readonly backup?: string;
  readonly durationMs: number;
}

/** How often the stores are compared before a tree that keeps changing is given up. */
const ROUNDS = 3;

/** The mode in force, and what is asked for. Never writes. @throws StorageError `TREE.NOT_FOUND`, `MODE.UNKNOWN` */
export async function getMode({ home }: { readonly home: string }): Promise<ModeStatus> {
  const paths = homePaths(home);
  const requested = await requestedMode(paths);
  const status = statusOf(paths);
  return requested === status.mode ? status : { ...status, requested };
}

/** {@link changeMode}, while no cut-over or rollback is under way. @throws StorageError also `RUN.UNFINISHED` */
export async function setMode(options: SetModeOptions): Promise<ModeReport> {
  requireNoRun(homePaths(options.home), 'a change of mode');
  return changeMode(options);
}

/** Carries a change of mode that was cut off to its end. @throws StorageError as {@link changeMode} */
export async function finishChange(paths: HomePaths): Promise<void> {
  const release = await takeAlone(paths, 'mode set');
  const writers = new WriterLock(paths);
  try {
    await finishModeChange(paths, writers);
  } finally {
    await writers.close();
    leaveWal(paths);
    release();
  }
}

/**
 * Changes the mode, alone on the tree. The proofs come first: going up, both stores are brought into step and every byte of both
 * is compared; going down, what the truth holds and the other store lacks is written there, and compared likewise. When one
 * fails, the mode stays. To `sqlite_only` there is a verified backup first; from it all files are built anew and exchanged.
 *
 * @throws StorageError `MODE.REFUSED`; `TRANSFER.MISMATCH` when the stores differ; `DATABASE.*`, `SCHEMA.*`, `LOCK.HELD`, `FILE.*`
 *
 * Source: docs/adr/0013, docs/adr/0020.
 */
export async function changeMode(options: SetModeOptions): Promise<ModeReport> {
  const startedAt = Date.now();
  const paths = homePaths(options.home);
  const backup = await backupFor(paths, options);
  const release = await takeAlone(paths, 'mode set');
  const writers = new WriterLock(paths);
  try {
    await finishModeChange(paths, writers);
    finishExchange(paths);
    const to = options.mode ?? (await requestedMode(paths));
    const { mode: from, epoch } = ensureEpoch(paths);
    requireStep({ from, to, backup });
    if (from === to && (from === 'file' || from === 'sqlite_only'))
      return await keepMode(paths, writers, { mode: from, startedAt });
    if (from === 'file') beginStep(paths);
    // Nobody kept the files since.
    if (from === 'sqlite_only') await renewFiles(paths, options);
    const stores = await openSyncStores(paths, from, writers);
    let proof: Proof;
    try {
      proof = await prove(stores, { from, to, paths, ...options });
      if (from === to) await sayAgain(stores, to, proof.original);
    } finally {
      await stores.close();
    }
    if (from === to) return reportOf(paths, { from, to, proof, verified: undefined, startedAt, backup });
    const verified = await requireVerified(paths, options);
    beginModeChange(paths, { from, to, epoch: epoch + 1, original: proof.original });
    await finishModeChange(paths, writers);
    return reportOf(paths, { from, to, proof, verified, startedAt, backup });
  } finally {
    await writers.close();
    leaveWal(paths);
    release();
  }
}

/** The mode stays, and so does its epoch; `setting.json` of both stores names it. */
async function sayAgain(stores: SyncStores, mode: StorageMode, original: OriginalSetting): Promise<void> {
  await nameMode(stores.files, mode, original);
  await syncOnce(stores, { paths: [SETTING] });
}

/**
 * A backup of the database that is about to be the only store, while services go on: what they write meanwhile is in the database.
 *
 * @returns its path; `undefined` for every other change
 */
async function backupFor(paths: HomePaths, options: SetModeOptions): Promise<string | undefined> {
  const to = options.mode ?? (await requestedMode(paths));
  if (to !== 'sqlite_only' || readEpoch(paths)?.mode !== 'sqlite') return undefined;
  const { createBackup } = await import('./backup/create.js');
  const { path } = await createBackup({ ...options, note: 'before the mode sqlite_only' });
  return path;
}

/** Builds all files from the database and puts them in the place of what stands there, which goes to the trash. */
async function renewFiles(paths: HomePaths, options: SetModeOptions): Promise<void> {
  const id = ulid();
  await rebuildTree(paths, id, options);
  exchangeTree(paths, id);
}

interface Keeping {
  readonly mode: 'file' | 'sqlite_only';
  readonly startedAt: number;
}

/** Nothing is proven: `setting.json` names no other mode any more, and has the keys again that an edit lost. */
async function keepMode(
  paths: HomePaths,
  writers: WriterLock,
  { mode, startedAt }: Keeping,
): Promise<ModeReport> {
  const restored = mode === 'file' ? await restoredFile(paths, writers) : await nameOnly(paths, writers);
  return {
    ...statusOf(paths),
    from: mode,
    changed: false,
    ...(restored === undefined ? {} : { restored }),
    durationMs: Date.now() - startedAt,
  };
}

/** The files say again which mode is in force. They are not kept, so nothing else is done to them. */
async function nameOnly(paths: HomePaths, writers: WriterLock): Promise<undefined> {
  const files = openFileStorage({ home: paths.home, alone: writers.alone });
  await nameMode(files.store, 'sqlite_only', readEpoch(paths)?.original ?? 'absent');
}

async function restoredFile(paths: HomePaths, writers: WriterLock): Promise<RestoredSetting | undefined> {
  if (findDatabase(paths) === undefined) {
    const files = openFileStorage({ home: paths.home, alone: writers.alone });
    await nameMode(files.store, 'file', 'absent');
    return undefined;
  }
  const stores = await openSyncStores(paths, 'file', writers);
  try {
    const restored = await restoreSetting(stores);
    await nameMode(stores.files, 'file', originalOf(stores.ledger));
    return restored;
  } finally {
    await stores.close();
  }
}

/** What the database holds is what the files held when they were migrated. @throws StorageError `DATABASE.*` */
function beginStep(paths: HomePaths): void {
  getDatabase(paths);
  const handle = openHandle(paths.database, 'write');
  try {
    beginAccount(handle);
  } catch (error) {
    throw toStorageError(error, paths.database);
  } finally {
    handle.close();
  }
}

interface Proving extends Pick<RunOptions, 'onProgress' | 'signal'> {
  readonly paths: HomePaths;
  readonly from: StorageMode;
  readonly to: StorageMode;
}

interface Proof {
  readonly original: OriginalSetting;
  readonly restored: RestoredSetting | undefined;
  readonly sync: SyncResult;
}

/** Brings both stores into step. @throws StorageError that says what is not so */
async function prove(stores: SyncStores, { paths, from, to, ...options }: Proving): Promise<Proof> {
  const original = from === 'file' ? originalOf(stores.ledger) : (readEpoch(paths)?.original ?? 'absent');
  const restored = await restoreSetting(stores);
  let sync = await syncOnce(stores, options);
  for (let round = 1; round < ROUNDS && (sync.wrote > 0 || sync.unstable.length > 0); round += 1) {
    sync = addUp(sync, await syncOnce(stores, options));
  }
  requireInStep(sync);
  // What the database recorded is copied there without a sync; from here on the chain may go on there.
  const outside = join(paths.own, 'audit.ndjson');
  if (existsSync(outside)) syncPath(outside);
  const conflicts = stores.files.listConflicts().length - (restored?.kept === undefined ? 0 : 1);
  if (isUp(from, to) && to !== 'dual_write') requireNoConflicts(conflicts, to);
  return { original, restored, sync };
}

function addUp(first: SyncResult, second: SyncResult): SyncResult {
  return {
    ...second,
    imported: first.imported + second.imported,
    projected: first.projected + second.projected,
    conflicts: [...first.conflicts, ...second.conflicts],
  };
}

function requireInStep({ failed, unstable, debts }: SyncResult): void {
  if (failed.length === 0 && unstable.length === 0 && debts === 0) return;
  throw new StorageError(
    'MODE.REFUSED',
    `the stores are not in step: ${failed.length} paths failed, ${unstable.length} keep changing, ${debts} debts`,
    {
      hint: 'see what is wrong with "deespec sync", stop the programs that write, then say the mode again',
      details: {
        failed: failed.slice(0, 20).map((one) => ({ ...one, path: displayPath(one.path) })),
        unstable: unstable.slice(0, 20).map(displayPath),
        debts,
      },
    },
  );
}

/** @throws StorageError `MODE.REFUSED` when versions are kept that somebody has to choose from */
export function requireNoConflicts(conflicts: number, to: StorageMode): void {
  if (conflicts === 0) return;
  throw new StorageError('MODE.REFUSED', `${conflicts} conflicts are open; ${to} needs none`, {
    hint: 'deespec conflict list, then deespec conflict resolve <id> --take file|db',
    details: { conflicts },
  });
}

interface Asked {
  readonly from: StorageMode;
  readonly to: StorageMode;
  readonly backup: string | undefined;
}

/** @throws StorageError `MODE.REFUSED`: to `sqlite_only` one comes from `sqlite` alone, with a backup */
function requireStep({ from, to, backup }: Asked): void {
  if (to !== 'sqlite_only' || from === to || (from === 'sqlite' && backup !== undefined)) return;
  throw new StorageError('MODE.REFUSED', `the mode cannot change from ${from} to ${to}`, {
    hint: 'first the database becomes the truth: deespec mode set sqlite, or deespec cutover',
    details: { from, to },
  });
}

interface Done {
  readonly from: StorageMode;
  readonly to: StorageMode;
  readonly proof: Proof;
  readonly verified: VerifyReport | undefined;
  readonly startedAt: number;
  readonly backup: string | undefined;
}

function reportOf(paths: HomePaths, { from, to, proof, verified, startedAt, backup }: Done): ModeReport {
  const { imported, projected, conflicts } = proof.sync;
  return {
    ...statusOf(paths),
    from,
    changed: from !== to,
    sync: { imported, projected, conflicts },
    ...(verified?.treeDigest === undefined ? {} : { digest: verified.treeDigest }),
    ...(proof.restored === undefined ? {} : { restored: proof.restored }),
    ...(backup === undefined ? {} : { backup }),
    durationMs: Date.now() - startedAt,
  };
}

function isUp(from: StorageMode, to: StorageMode): boolean {
  return storageModes.indexOf(to) > storageModes.indexOf(from);
}

function statusOf(paths: HomePaths): ModeStatus {
  const record = readEpoch(paths);
  const mode = record?.mode ?? 'file';
  const interrupted = readModeChange(paths)?.to;
  return {
    mode,
    meaning: modeMeanings[mode].meaning,
    epoch: record?.epoch ?? 0,
    ...(interrupted === undefined ? {} : { interrupted }),
  };
}
