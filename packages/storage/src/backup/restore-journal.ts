import { parseTime, StorageError, storageModes, type StorageMode } from '@deespec/domain';
import { writeFileDurably } from '@deespec/file-adapter';
import { lstatSync, unlinkSync } from 'node:fs';

import type { HomePaths } from '../home.js';
import { originalFrom, type OriginalSetting } from '../original-setting.js';
import { readRegular } from '../read-regular.js';
import { syncPath } from '../sync-path.js';

/** The command that finishes a restore, and alone may take the barrier while one is unfinished. */
export const RESTORE = 'restore';

/** A restore whose proofs are done: it is only carried forward, however often a crash cuts it off. */
export interface RestoreJournal {
  /** What it restores: the id of a backup, or the path of a file. */
  readonly from: string;
  /** Name of the directory in `.storage/trash` that gets what it takes the place of. */
  readonly run: string;
  readonly startedAt: string;
  /** In force before and after; absent in a tree that had no record of its mode. */
  readonly before?: { readonly epoch: number; readonly original?: OriginalSetting };
  readonly mode: StorageMode;
  /** The epoch that begins with it. */
  readonly epoch: number;
  readonly storeId: string;
  /** What `setting.json` says in mode `file`. */
  readonly original: OriginalSetting;
}

/** @throws StorageError `RESTORE.UNFINISHED` while a restore has begun and not ended: neither the old nor the new tree is there as a whole */
export function requireRestored(paths: HomePaths): void {
  const from = restoringFrom(paths);
  if (from === undefined) return;
  throw new StorageError('RESTORE.UNFINISHED', `a restore of ${paths.home} was cut off`, {
    hint: `finish it: deespec restore ${from}`,
    details: { from },
  });
}

/** What a restore that has begun restores, in words for a command; `undefined` when there is none. */
export function restoringFrom(paths: HomePaths): string | undefined {
  if (lstatSync(paths.restore, { throwIfNoEntry: false }) === undefined) return undefined;
  try {
    return readRestore(paths)?.from;
  } catch {
    return '<id>'; // the command that finishes it says what is wrong with it
  }
}

/** The restore that has begun, or `undefined`. @throws StorageError `FILE.READ_FAILED` */
export function readRestore(paths: HomePaths): RestoreJournal | undefined {
  const text = readRegular(paths.restore)?.toString('utf8');
  if (text === undefined) return undefined;
  const journal = parsed(text);
  if (journal !== undefined) return journal;
  throw new StorageError('FILE.READ_FAILED', `${paths.restore} is damaged`, {
    hint: 'what the restore took the place of is in .storage/trash; move the file away, then restore again',
    details: { path: paths.restore },
  });
}

function parsed(text: string): RestoreJournal | undefined {
  try {
    const { before, original, ...rest } = JSON.parse(text) as RestoreJournal;
    const { from, run, startedAt, mode, epoch, storeId } = rest;
    const isRight =
      typeof from === 'string' &&
      /^[0-9A-Z]{26}$/u.test(run) &&
      /^[0-9A-Z]{26}$/u.test(storeId) &&
      parseTime(startedAt) === startedAt &&
      storageModes.includes(mode) &&
      [epoch, before?.epoch ?? 0].every((one) => Number.isSafeInteger(one));
    const setting = settingFrom(original);
    const earlier = before?.original === undefined ? undefined : settingFrom(before.original);
    if (!isRight || setting === undefined) return undefined;
    const known = { ...rest, original: setting };
    if (before === undefined) return known;
    return {
      ...known,
      before: { epoch: before.epoch, ...(earlier === undefined ? {} : { original: earlier }) },
    };
  } catch {
    return undefined; // named as damaged by the caller
  }
}

function settingFrom(value: unknown): OriginalSetting | undefined {
  return originalFrom(JSON.stringify(value) ?? '');
}

/** Begins a restore durably. Runs under the exclusive barrier. */
export function beginRestore(paths: HomePaths, journal: RestoreJournal): void {
  const bytes = Buffer.from(`${JSON.stringify(journal)}\n`);
  writeFileDurably({ kind: 'file', target: paths.restore, bytes, mode: 0o600 });
}

/** Ends a restore durably. */
export function endRestore(paths: HomePaths): void {
  unlinkSync(paths.restore);
  syncPath(paths.own);
}
