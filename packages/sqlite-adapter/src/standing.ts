import type { Projection, StorageMode } from '@deespec/domain';
import type { Database } from 'better-sqlite3';

import { OutboxRows } from './outbox-rows.js';
import { ProjectionRows } from './projection-rows.js';
import { writeState } from './storage-state.js';

/** What the files are behind on. */
export interface OutboxState {
  /** Paths. */
  readonly count: number;
  /** Since when the oldest is owed: UTC, fixed width. */
  readonly since?: string;
  /** Why paying the oldest failed last. */
  readonly lastError?: string;
}

/** What the files are behind on, without opening a store. @throws StorageError `DATABASE.CORRUPT` */
export function readOutbox(handle: Database): OutboxState {
  const rows = new OutboxRows(handle);
  const [oldest] = rows.list(1);
  if (oldest === undefined) return { count: 0 };
  const { since, lastError } = oldest;
  return { count: rows.count(), since, ...(lastError === undefined ? {} : { lastError }) };
}

/**
 * Begins an epoch in a mode, durably. In mode `file` the account of what the files hold ends: they change without it.
 */
export function changeState(
  handle: Database,
  state: { readonly mode: StorageMode; readonly epoch: number },
): void {
  handle
    .transaction(() => {
      writeState(handle, state);
      if (state.mode !== 'file') return;
      handle.exec('DELETE FROM projection');
      handle.exec('DELETE FROM outbox');
    })
    .immediate();
}

/**
 * Begins the account of what the files hold with what the database holds: in mode `file` it is a copy of them, so whatever is
 * different from here on was changed in the files.
 */
export function beginAccount(handle: Database): void {
  handle
    .transaction(() => {
      handle.exec('DELETE FROM projection');
      handle.exec(
        `INSERT INTO projection (path, kind, mode, sha256, size, mtime_ns, ctime_ns, ino, seen_at_ms)
         SELECT path, kind, mode, sha256, size, mtime_ns, 0, '0', 0 FROM tree_entry`,
      );
    })
    .immediate();
}

/** Replaces the account of what the files hold. They owe nothing then: whatever differs is settled by comparing both. */
export function replaceAccount(handle: Database, projections: Iterable<Projection>): void {
  handle
    .transaction(() => {
      handle.exec('DELETE FROM projection');
      handle.exec('DELETE FROM outbox');
      const rows = new ProjectionRows(handle);
      for (const projection of projections) rows.put(projection);
    })
    .immediate();
}
