import { isStorageError, StorageError, type TreeLoader } from '@deespec/domain';
import { setImmediate as nextTurn } from 'node:timers/promises';

import { UnitContents, type SourceStat, type TreeSource } from './source.js';

/** Entries of any kind, and the bytes of their contents. */
export interface Tally {
  readonly entries: number;
  readonly bytes: number;
}

/** How a live tree is compared with a stored one. */
export interface MatchOptions {
  readonly source: TreeSource;
  readonly target: Pick<TreeLoader, 'lookup' | 'count'>;
  /**
   * Entries whose recorded kind, mode, size and time still hold, and which were not touched since this time (nanoseconds
   * since 1970 UTC), are taken as unchanged without reading them. Absent: every content is read and hashed.
   */
  readonly trustBeforeNs?: bigint;
  readonly onProgress?: (done: Tally) => void;
  readonly signal?: AbortSignal;
}

/** Milliseconds of work between two turns of the event loop. */
const SLICE_MS = 50;

/**
 * Compares every entry, up to the first difference. Never writes.
 *
 * @returns whether both sides hold the same entries, and what was compared until then
 * @throws StorageError those of reading the source; `INTERRUPTED`
 */
export async function matchTree(
  options: MatchOptions,
): Promise<{ readonly same: boolean; readonly scanned: Tally }> {
  const scanned = { entries: 0, bytes: 0 };
  let sliceEnd = Date.now() + SLICE_MS;
  for (const stat of options.source.scan()) {
    if (!stillStored(stat, options)) return { same: false, scanned };
    scanned.entries += 1;
    scanned.bytes += stat.size;
    if (Date.now() < sliceEnd) continue;
    options.onProgress?.({ ...scanned });
    await nextTurn();
    if (options.signal?.aborted === true) throw interrupted();
    sliceEnd = Date.now() + SLICE_MS;
  }
  return { same: options.target.count() === scanned.entries, scanned };
}

/** A file that is gone when it is read is a difference like any other. */
function stillStored(stat: SourceStat, options: MatchOptions): boolean {
  try {
    return isStored(stat, new UnitContents(options.source), options);
  } catch (error) {
    if (isStorageError(error, 'FILE.NOT_FOUND')) return false;
    throw error;
  }
}

/** True when the stored entry still is what stands in the source. */
export function isStored(stat: SourceStat, contents: UnitContents, options: MatchOptions): boolean {
  const row = options.target.lookup(stat.path);
  if (row === undefined || row.kind !== stat.kind || row.mode !== stat.mode) return false;
  if (row.mtimeNs !== stat.mtimeNs || row.size !== stat.size) return false;
  if (stat.kind === 'directory') return true;
  if (options.trustBeforeNs !== undefined && stat.ctimeNs < options.trustBeforeNs) return true;
  return contents.hash(stat) === row.sha256;
}

/** The error of a run that was asked to stop. */
export function interrupted(): StorageError {
  return new StorageError('INTERRUPTED', 'interrupted; nothing was published', {
    hint: 'run the command again',
  });
}
