import { keepLog, openHandle, toStorageError } from '@deespec/sqlite-adapter';
import { closeSync, openSync } from 'node:fs';

import { PartSync } from './part-sync.js';

/**
 * Pages that are copied and made durable at a time, 4 MiB. Whoever writes to the same disk waits until what was asked for before is
 * durable: for all of a copy at its end, 130 ms with 256 MiB.
 */
const PAGES = 1_024;

/** What {@link snapshot} takes. */
export interface SnapshotOptions {
  /** Calls `start` at the moment that is to be copied; default: at once. */
  readonly moment?: ((start: () => void) => Promise<void>) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Copies a database while others write to it: one snapshot. The copy is a new file, and all but its last part is durable.
 *
 * @throws StorageError by what SQLite says; `FILE.*`; the reason of the signal
 *
 * Source: sqlite.org/backup.html; docs/adr/0019.
 */
export async function snapshot(from: string, to: string, options: SnapshotOptions = {}): Promise<void> {
  // Open before SQLite has the copy open, and until it has closed it: closing a file takes SQLite's locks off it.
  const copy = openSync(to, 'wx', 0o600);
  const parts = new PartSync(copy);
  try {
    try {
      const progress = (): number => {
        options.signal?.throwIfAborted();
        return parts.begin() ? PAGES : 0;
      };
      await copyPages({ from, to, progress, moment: options.moment });
    } finally {
      await parts.end();
    }
    const handle = openHandle(to, 'write');
    try {
      // A page says whether there is a log, and was copied with the others.
      keepLog(handle, 'rollback');
    } finally {
      handle.close();
    }
  } catch (error) {
    options.signal?.throwIfAborted();
    throw toStorageError(error, to);
  } finally {
    closeSync(copy);
  }
}

interface Copying extends Pick<SnapshotOptions, 'moment'> {
  readonly from: string;
  readonly to: string;
  readonly progress: () => number;
}

/** @param progress - called between parts, says how many pages the next one has; with 0 it is called again */
async function copyPages({ from, to, progress, moment = startAtOnce }: Copying): Promise<void> {
  const source = openHandle(from, 'look');
  try {
    // A snapshot that lasts: without one SQLite begins anew whenever somebody has written between two parts.
    await moment(() => {
      source.exec('BEGIN DEFERRED');
      // Its moment is that of its first read.
      source.prepare('SELECT count(*) FROM sqlite_schema').get();
    });
    await source.backup(to, { progress });
    source.exec('COMMIT');
  } finally {
    source.close();
  }
}

async function startAtOnce(start: () => void): Promise<void> {
  start();
}
