import { isStorageError, StorageError, timeFromDate } from '@deespec/domain';
import { chmodSync, lstatSync } from 'node:fs';

import { homePaths, type HomePaths } from '../home.js';
import { programVersion } from '../manifest.js';
import { requireFit } from '../preflight.js';
import type { Progress, RunOptions } from '../reports.js';
import { syncPath } from '../sync-path.js';
import { checkCopy } from './check.js';
import { copyTree } from './copy-tree.js';
import { hasDirectory } from './list.js';
import { withBackups } from './lock.js';
import { idOf, NOTE_LENGTH, type BackupFacts, type BackupManifest } from './manifest.js';
import type { ChildLimits } from './run-child.js';
import { beginWork, discardWork, nextSeq, publishBackup, type WorkPlace } from './work.js';

/** What {@link createBackup} takes. */
export interface CreateBackupOptions {
  readonly home: string;
  /** Why it is made, for people; at most 1,000 characters. */
  readonly note?: string;
  readonly onProgress?: (progress: Progress) => void;
  readonly signal?: AbortSignal;
}

/** What {@link createBackup} made. */
export interface BackupReport {
  readonly id: string;
  readonly path: string;
  readonly manifest: BackupManifest;
  readonly durationMs: number;
}

/**
 * Makes a backup: one database of ours that holds the tree and everything beside it, verified in a child process before it has its
 * name. Writers go on. A crash leaves nothing, or a backup that the next command on backups finishes.
 *
 * @throws StorageError `LOCK.HELD` when another command works on backups; `TREE.UNSTABLE`, `BACKUP.DAMAGED`, `MODE.*`, `DATABASE.*`,
 *   `PREFLIGHT.*`, `FILE.*`, `USAGE.INVALID`, `INTERRUPTED`
 *
 * Source: migration strategy, "Backup Strategy"; docs/adr/0019.
 */
export async function createBackup(options: CreateBackupOptions): Promise<BackupReport> {
  const startedAt = new Date();
  const paths = homePaths(options.home);
  requireNote(options.note);
  requireFit(paths);
  hasDirectory(paths);
  return withBackups(paths, async () => {
    const seq = nextSeq(paths);
    const place = beginWork(paths, `create-${idOf(seq, startedAt)}`);
    try {
      const manifest = await makeCopy(paths, place, { ...options, seq, startedAt });
      const path = publishBackup(paths, place, { manifest });
      return { id: manifest.id, path, manifest, durationMs: Date.now() - startedAt.getTime() };
    } finally {
      discardWork(place);
    }
  });
}

function requireNote(note = ''): void {
  if (note.length <= NOTE_LENGTH) return;
  throw new StorageError('USAGE.INVALID', `a note has at most ${NOTE_LENGTH} characters`, {
    hint: 'say it in fewer words',
  });
}

interface Making extends CreateBackupOptions {
  readonly seq: number;
  readonly startedAt: Date;
}

async function makeCopy(
  paths: HomePaths,
  { directory, data }: WorkPlace,
  { seq, startedAt, note, onProgress, signal }: Making,
): Promise<BackupManifest> {
  const run: RunOptions = {
    home: paths.home,
    ...(onProgress === undefined ? {} : { onProgress }),
    ...(signal === undefined ? {} : { signal }),
  };
  const { original } = await copyTree(paths, data, run);
  chmodSync(data, 0o600);
  syncPath(data);
  syncPath(directory);
  const { size: bytes } = lstatSync(data);
  onProgress?.({ phase: 'verify', doneBytes: 0, doneEntries: 0, totalBytes: bytes });
  const facts = await proven(data, { bytes, signal });
  return {
    id: idOf(seq, startedAt),
    seq,
    createdAt: timeFromDate(startedAt),
    ...(note === undefined || note === '' ? {} : { note }),
    ...facts,
    ...(original === undefined ? {} : { original }),
    version: programVersion(),
    verifiedAt: timeFromDate(new Date()),
  };
}

/** A fresh copy that is not sound has what the database itself has, or was hit by what the machine has. */
async function proven(data: string, limits: ChildLimits): Promise<BackupFacts> {
  try {
    return await checkCopy(data, limits);
  } catch (error) {
    if (!isStorageError(error, 'BACKUP.DAMAGED')) throw error;
    throw new StorageError(error.code, `nothing was backed up: ${error.message}`, {
      hint: 'see whether the database itself is damaged: deespec check, deespec verify --check-all; if it is not, check memory and disk and run the command again',
      details: error.details,
      cause: error,
    });
  }
}
