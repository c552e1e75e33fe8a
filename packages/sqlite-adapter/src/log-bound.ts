import type { Database } from 'better-sqlite3';
import { lstatSync } from 'node:fs';

/** Four times what SQLite lets the log grow to before it applies it by itself: above, a reader kept that from ending. */
const LOG_BYTES = 16 * 1_048_576;

/** How long after a commit the first try comes, milliseconds: readers that are short are over by then. */
const FIRST_MS = 20;

/** How long after one try the next one comes, milliseconds. */
const NEXT_MS = 1_000;

/**
 * Keeps the write-ahead log small. SQLite applies it at every 1,000th page, but only begins it anew when no reader is left in the
 * middle of it at that instant: with readers all the time it would grow for ever (sqlite.org/wal.html, "Avoiding Excessively
 * Large WAL Files"). A log above the bound is applied and cut off between two writes, when the readers of that instant allow it.
 *
 * Waits for nobody and keeps no caller waiting: it is tried off the caller's way, and a reader or writer in the way puts it
 * off to the next try.
 */
export class LogBound {
  #timer: NodeJS.Timeout | undefined;

  /** @param path - the database's; its log is looked at by name only, never opened */
  constructor(
    private readonly handle: Database,
    private readonly path: string,
    private readonly bound = LOG_BYTES,
  ) {}

  /** To be called after each commit: one look at the size of a file. */
  committed(): void {
    if (this.#timer === undefined && this.#isAbove()) this.#tryIn(FIRST_MS);
  }

  #tryIn(ms: number): void {
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (!this.handle.open) return;
      this.#cut();
      if (this.#isAbove()) this.#tryIn(NEXT_MS);
    }, ms).unref();
  }

  #cut(): void {
    try {
      // The first copies pages without the write lock, so that writers of other processes go on; the second has little left to do.
      this.handle.pragma('wal_checkpoint(PASSIVE)');
      this.handle.pragma('wal_checkpoint(TRUNCATE)');
    } catch {
      // A scan of this connection is in the middle of its rows, or the disk is full: what was acknowledged is in the log and stays
      // there, and no write is behind this call that could be told. "deespec health" tells how large the log is.
    }
  }

  #isAbove(): boolean {
    return logBytes(this.path) > this.bound;
  }
}

/** Bytes of a database's write-ahead log; 0 when there is none, or when it cannot be looked at. Never opens it. */
export function logBytes(path: string): number {
  try {
    return lstatSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0;
  } catch {
    return 0; // the next statement says what is wrong with the directory
  }
}
