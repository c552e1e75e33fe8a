import { StorageError } from '@deespec/domain';
import { writeFileDurably } from '@deespec/file-adapter';
import { ulid } from 'ulid';

import type { HomePaths } from './home.js';
import { readRegular } from './read-regular.js';
import { syncPath } from './sync-path.js';

/** `.storage/epoch`: which database belongs to this tree, and which epoch it is in. */
export interface EpochRecord {
  /** Counted from 1. */
  readonly epoch: number;
  readonly storeId: string;
}

/** The record of a tree, or `undefined` when there is none yet. @throws StorageError `FILE.READ_FAILED` */
export function readEpoch(paths: HomePaths): EpochRecord | undefined {
  const text = readRegular(paths.epoch)?.toString('latin1');
  if (text === undefined) return undefined;
  const parts = /^\{"epoch":(\d+),"storeId":"([0-9A-Z]{26})"\}\n$/u.exec(text);
  if (parts !== null) return { epoch: Number(parts[1]), storeId: parts[2]! };
  throw new StorageError('FILE.READ_FAILED', `${paths.epoch} is damaged`, {
    hint: 'restore it from a backup; without one move deespec.db away, remove the file and run "deespec migrate"',
  });
}

/** The record of a tree, made and written durably when there is none. Runs under the exclusive barrier. */
export function ensureEpoch(paths: HomePaths): EpochRecord {
  const found = readEpoch(paths);
  if (found !== undefined) return found;
  const record: EpochRecord = { epoch: 1, storeId: ulid() };
  writeFileDurably({
    kind: 'file',
    target: paths.epoch,
    bytes: Buffer.from(`${JSON.stringify(record)}\n`),
    mode: 0o600,
  });
  // A database without its record is nobody's: `.storage` itself must be durable before one is published.
  syncPath(paths.home);
  return record;
}
