import { StorageError, storageModes, type StorageMode } from '@deespec/domain';
import { writeFileDurably } from '@deespec/file-adapter';
import { ulid } from 'ulid';

import type { HomePaths } from './home.js';
import { originalFrom, type OriginalSetting } from './original-setting.js';
import { readRegular } from './read-regular.js';
import { syncPath } from './sync-path.js';

/** `.storage/epoch`: which database belongs to this tree, which epoch it is in, and the mode in force. */
export interface EpochRecord {
  /** Counted from 1; grows with every change of mode. */
  readonly epoch: number;
  readonly storeId: string;
  readonly mode: StorageMode;
  /** What `setting.json` says in mode `file`; present in the other modes. */
  readonly original?: OriginalSetting;
}

/** The record of a tree, or `undefined` when there is none yet. @throws StorageError `FILE.READ_FAILED` */
export function readEpoch(paths: HomePaths): EpochRecord | undefined {
  const text = readRegular(paths.epoch)?.toString('utf8');
  if (text === undefined) return undefined;
  const record = parsed(text);
  if (record !== undefined) return record;
  throw new StorageError('FILE.READ_FAILED', `${paths.epoch} is damaged`, {
    hint: 'restore it from a backup; without one move deespec.db away, remove the file and run "deespec migrate"',
  });
}

/** The record of a tree, made and written durably when there is none. Runs under the exclusive barrier. */
export function ensureEpoch(paths: HomePaths): EpochRecord {
  const found = readEpoch(paths);
  if (found !== undefined) return found;
  const record: EpochRecord = { epoch: 1, storeId: ulid(), mode: 'file' };
  writeEpoch(paths, record);
  // A database without its record is nobody's: `.storage` itself must be durable before one is published.
  syncPath(paths.home);
  return record;
}

function parsed(text: string): EpochRecord | undefined {
  const parts =
    /^\{"epoch":(\d{1,15}),"storeId":"([0-9A-Z]{26})"(?:,"mode":"([a-z_]+)","original":(.+))?\}\n$/u.exec(
      text,
    );
  if (parts === null) return undefined;
  const [, epoch, storeId, name = 'file', setting] = parts;
  const mode = storageModes.find((known) => known === name);
  const original = setting === undefined ? undefined : originalFrom(setting);
  if (mode === undefined || (mode === 'file') !== (original === undefined)) return undefined;
  return { epoch: Number(epoch), storeId: storeId!, mode, ...(original === undefined ? {} : { original }) };
}

/** Writes the record durably. Runs under the exclusive barrier. */
export function writeEpoch(paths: HomePaths, { epoch, storeId, mode, original }: EpochRecord): void {
  const record =
    mode === 'file' ? { epoch, storeId } : { epoch, storeId, mode, original: original ?? 'absent' };
  writeFileDurably({
    kind: 'file',
    target: paths.epoch,
    bytes: Buffer.from(`${JSON.stringify(record)}\n`),
    mode: 0o600,
  });
}
