import { StorageError, storageModes, type StorageMode } from '@deespec/domain';
import { writeFileDurably } from '@deespec/file-adapter';
import { unlinkSync } from 'node:fs';

import type { HomePaths } from './home.js';
import { originalFrom, type OriginalSetting } from './original-setting.js';
import { readRegular } from './read-regular.js';
import { syncPath } from './sync-path.js';

/** A change of mode whose proofs are done: it is only carried forward, however often a crash cuts it off. */
export interface ModeChange {
  readonly from: StorageMode;
  readonly to: StorageMode;
  /** The epoch that begins with it. */
  readonly epoch: number;
  /** What `setting.json` says in mode `file`. */
  readonly original: OriginalSetting;
}

/** The change that has begun, or `undefined`. @throws StorageError `FILE.READ_FAILED` */
export function readModeChange(paths: HomePaths): ModeChange | undefined {
  const text = readRegular(paths.modeChange)?.toString('utf8');
  if (text === undefined) return undefined;
  const change = parsed(text);
  if (change !== undefined) return change;
  throw new StorageError('FILE.READ_FAILED', `${paths.modeChange} is damaged`, {
    hint: 'remove the file, then say the mode again: deespec mode set <mode>',
    details: { path: paths.modeChange },
  });
}

function parsed(text: string): ModeChange | undefined {
  try {
    const { from, to, epoch, original } = JSON.parse(text) as Record<string, unknown>;
    const setting = originalFrom(JSON.stringify(original ?? null));
    const [before, after] = [from, to].map((name) => storageModes.find((mode) => mode === name));
    if (before === undefined || after === undefined || !Number.isSafeInteger(epoch)) return undefined;
    return setting === undefined
      ? undefined
      : { from: before, to: after, epoch: Number(epoch), original: setting };
  } catch {
    return undefined; // named as damaged by the caller
  }
}

/** Begins a change durably. Runs under the exclusive barrier. */
export function beginModeChange(paths: HomePaths, change: ModeChange): void {
  writeFileDurably({
    kind: 'file',
    target: paths.modeChange,
    bytes: Buffer.from(`${JSON.stringify(change)}\n`),
    mode: 0o600,
  });
}

/** Ends a change durably. */
export function endModeChange(paths: HomePaths): void {
  unlinkSync(paths.modeChange);
  syncPath(paths.own);
}
