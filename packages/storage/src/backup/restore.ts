import { StorageError, timeFromDate, type StorageMode } from '@deespec/domain';
import { openFileStorage } from '@deespec/file-adapter';
import { renameSync, rmSync } from 'node:fs';
import { resolve } from 'node:path';
import { ulid } from 'ulid';

import { takeAlone } from '../alone.js';
import { readEpoch, type EpochRecord } from '../epoch-file.js';
import { requireTarget, writeTree } from '../export.js';
import { homePaths, type HomePaths } from '../home.js';
import { readModeChange } from '../mode-change.js';
import { requireFit, requireIdleGoTool } from '../preflight.js';
import type { RunOptions } from '../reports.js';
import { requireNoRun } from '../run/journal.js';
import { syncPath } from '../sync-path.js';
import { finishRestore, type FilesDone, type TreeDone } from './finish-restore.js';
import { withBackups } from './lock.js';
import { lookAround, type Standing } from './make-room.js';
import type { BackupFacts } from './manifest.js';
import { originalIn, prepare } from './prepare.js';
import { beginRestore, readRestore, RESTORE, type RestoreJournal } from './restore-journal.js';
import { findSource, stage, type Source, type Staging } from './source.js';
import { StandingHashes } from './standing-hashes.js';
import { beginWork, discardWork } from './work.js';

/** What {@link restore} takes. */
export interface RestoreOptions extends RunOptions {
  /** Id of a backup of this tree, or the path of a backup of any tree. */
  readonly from: string;
  /** Writes the tree of the backup as files into this new directory; the tree at `home` stays as it is. */
  readonly as?: string;
  /** Where files are the truth: they become what the backup holds. Without it such a tree is not restored in place. */
  readonly withTree?: boolean;
  /** Proves the backup and says what would be done. */
  readonly dryRun?: boolean;
  /** Who does it, for the audit log. */
  readonly user?: string;
}

/** What {@link restore} did, or with `dryRun` would. */
export interface RestoreReport {
  readonly home: string;
  readonly from: string;
  readonly dryRun: boolean;
  /** Digest of the tree that is there now; with `dryRun` that of the backup. */
  readonly digest: string;
  /** The new directory; absent when it was restored in place. */
  readonly output?: string;
  /** Of the tree afterwards; absent with a new directory. */
  readonly mode?: StorageMode;
  readonly epoch?: number;
  /** Where the replaced database and files are kept. */
  readonly kept?: string;
  /** Paths of the files; a directory that went, with all below it, is one. */
  readonly files?: FilesDone | Standing;
  /** True when this finished one that had been cut off. */
  readonly continued?: true;
  readonly durationMs: number;
}

/**
 * Brings a backup back: as files in a new directory, or in place. In place the replaced database and every file that is not as in the
 * backup are kept in `.storage/trash`, the mode stays, a new epoch begins, and the chain of changes goes on. A crash leaves the tree
 * as it was, or a restore that the same command finishes and until then no other works.
 *
 * @throws StorageError `BACKUP.*`: nothing was changed; `MODE.REFUSED` where files are the truth and `withTree` is not given;
 *   `EXPORT.*`, `LOCK.HELD`, `GO_TOOL.RUNNING`, `SQLITE.BUSY` when a program keeps the database open, `DATABASE.*`, `AUDIT.BROKEN`,
 *   `PREFLIGHT.*`, `FILE.*`, `INTERRUPTED`
 *
 * Source: migration strategy, "Backup Strategy"; docs/adr/0019.
 */
export async function restore(options: RestoreOptions): Promise<RestoreReport> {
  const startedMs = performance.now();
  const paths = homePaths(options.home);
  requireFit(paths);
  const done = await withBackups(paths, () =>
    options.as === undefined ? restoreInPlace(paths, options) : restoreAs(paths, options, options.as),
  );
  return {
    home: paths.home,
    dryRun: options.dryRun === true,
    ...done,
    durationMs: Math.round(performance.now() - startedMs),
  };
}

type Done = Omit<RestoreReport, 'home' | 'dryRun' | 'durationMs'>;

async function restoreAs(paths: HomePaths, options: RestoreOptions, as: string): Promise<Done> {
  const output = requireTarget(paths, as);
  const source = findSource(paths, options.from);
  return withCopy(paths, { ...options, source }, async (database, facts) => {
    if (options.dryRun === true) return { from: source.name, output, digest: facts.treeDigest };
    const original = source.manifest?.original;
    const { digest } = await writeTree({ database, original, output, options });
    return { from: source.name, output, digest };
  });
}

interface Copying extends Pick<RestoreOptions, 'signal' | 'onProgress'>, Pick<Staging, 'meanwhile'> {
  readonly source: Source;
}

/** A proven copy of a backup, for the time of `use`. */
async function withCopy<T>(
  paths: HomePaths,
  { source, signal, onProgress, meanwhile }: Copying,
  use: (database: string, facts: BackupFacts) => Promise<T>,
): Promise<T> {
  const place = beginWork(paths, 'restore');
  try {
    onProgress?.({ phase: 'verify', doneBytes: 0, doneEntries: 0 });
    return await use(place.data, await stage(paths, source, { to: place.data, signal, meanwhile }));
  } finally {
    discardWork(place);
  }
}

async function restoreInPlace(paths: HomePaths, options: RestoreOptions): Promise<Done> {
  requireNoRun(paths, 'restore');
  const unfinished = readRestore(paths);
  if (unfinished !== undefined && options.dryRun !== true) {
    const done = await carryOn(paths, unfinished, options);
    if ([options.from, resolve(options.from)].includes(unfinished.from)) return done;
  }
  const source = findSource(paths, options.from);
  requireMode(paths, options);
  const hashes = new StandingHashes(openFileStorage({ home: paths.home }).store);
  const meanwhile = (proven: AbortSignal) => hashes.take(proven);
  return withCopy(paths, { ...options, source, meanwhile }, async (database, facts) => {
    const release = await takeAlone(paths, RESTORE);
    try {
      return await replace(paths, { source, database, facts, hashes, options });
    } finally {
      release();
    }
  });
}

async function carryOn(paths: HomePaths, journal: RestoreJournal, options: RestoreOptions): Promise<Done> {
  const release = await takeAlone(paths, RESTORE);
  try {
    return { ...doneOf(paths, journal, await finishRestore(paths, journal, options)), continued: true };
  } finally {
    release();
  }
}

/** @throws StorageError `MODE.REFUSED`, `MODE.NOT_GRANTED` */
function requireMode(paths: HomePaths, { withTree }: RestoreOptions): void {
  const mode = readEpoch(paths)?.mode ?? 'file';
  const change = readModeChange(paths);
  if (change !== undefined) {
    throw new StorageError('MODE.NOT_GRANTED', `a change of mode to ${change.to} was interrupted`, {
      hint: `finish it: deespec mode set ${change.to}`,
    });
  }
  if (withTree === true || mode === 'sqlite' || mode === 'sqlite_only') return;
  throw new StorageError('MODE.REFUSED', `in mode ${mode} the files are the truth: a restore replaces them`, {
    hint: 'add --with-tree to do that, or get the backup as files: deespec restore <id> --as <dir>',
    details: { mode },
  });
}

interface Replacing {
  readonly source: Source;
  /** The proven copy. */
  readonly database: string;
  readonly facts: BackupFacts;
  /** Of the files that stand there. */
  readonly hashes: StandingHashes;
  readonly options: RestoreOptions;
}

async function replace(paths: HomePaths, replacing: Replacing): Promise<Done> {
  const { source, database, facts, hashes, options } = replacing;
  requireMode(paths, options);
  requireIdleGoTool(paths, new Date());
  const record = readEpoch(paths);
  requireStore(record, facts);
  const files = openFileStorage({ home: paths.home }).store;
  if (options.dryRun === true) {
    const isFollowed = record?.mode !== 'sqlite_only';
    const standing = isFollowed ? { files: lookAround({ files, hashes }, database) } : {};
    return { from: source.name, digest: facts.treeDigest, mode: record?.mode ?? 'file', ...standing };
  }
  const journal = journalFor(replacing, record);
  const { user, signal, onProgress } = options;
  const { treeDigest } = facts;
  await prepare(paths, database, { files, journal, manifest: source.manifest, user, treeDigest });
  rmSync(paths.restored, { force: true });
  syncPath(database);
  renameSync(database, paths.restored);
  syncPath(paths.own);
  signal?.throwIfAborted();
  beginRestore(paths, journal);
  // From here on it is only carried forward.
  const done = await finishRestore(paths, journal, {
    hashes,
    ...(onProgress === undefined ? {} : { onProgress }),
  });
  return doneOf(paths, journal, done);
}

function journalFor({ source, database, facts }: Replacing, record: EpochRecord | undefined): RestoreJournal {
  const now = new Date();
  const { epoch = 0, original } = record ?? {};
  return {
    from: source.name,
    run: ulid(now.getTime()),
    startedAt: timeFromDate(now),
    ...(record === undefined ? {} : { before: { epoch, ...(original === undefined ? {} : { original }) } }),
    mode: record?.mode ?? 'file',
    epoch: Math.max(epoch, facts.epoch) + 1,
    storeId: facts.storeId,
    original: originalIn(database, facts, source.manifest?.original ?? original),
  };
}

/** A tree without a record of its own takes the name of the backup. @throws StorageError `BACKUP.OTHER_STORE` */
function requireStore(record: EpochRecord | undefined, { storeId }: BackupFacts): void {
  if (record === undefined || record.storeId === storeId) return;
  throw new StorageError('BACKUP.OTHER_STORE', `the backup was made for another tree (store ${storeId})`, {
    hint: 'nothing was changed; get it as files: deespec restore <path> --as <dir>',
    details: { backup: storeId, tree: record.storeId },
  });
}

function doneOf(paths: HomePaths, journal: RestoreJournal, { digest, ...files }: TreeDone): Done {
  const { from, mode, epoch, run } = journal;
  return { from, digest, mode, epoch, kept: `${paths.trash}/${run}`, files };
}
