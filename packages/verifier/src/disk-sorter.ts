import Database from 'better-sqlite3';
import { StorageError } from '@deespec/domain';
import { isDriverError } from './database-error.js';

/**
 * Sorts byte strings on disk: a private database in a temporary file, gone when it is closed. Memory stays flat whatever
 * the number of keys, since SQLite's sorter spills beyond its cache.
 *
 * Source: https://www.sqlite.org/inmemorydb.html ("Temporary Databases").
 */
export class DiskSorter {
  readonly #scratch = guard(openScratch);
  readonly #insert = guard(() => this.#scratch.prepare('INSERT INTO item (key, label) VALUES (?, ?)'));

  /** @throws StorageError `FILE.NO_SPACE`, `SQLITE.FAILED` */
  add(key: string, label: string): void {
    const bytes = Buffer.from(key, 'latin1');
    guard(() => this.#insert.run(bytes, label));
  }

  /**
   * Everything added, in byte order.
   *
   * @throws StorageError `FILE.NO_SPACE`, `SQLITE.FAILED`
   */
  *sorted(): Generator<{ readonly key: string; readonly label: string }, void, undefined> {
    const query = 'SELECT key, label FROM item ORDER BY key';
    const rows = guard(() => this.#scratch.prepare<[], { key: Buffer; label: string }>(query).iterate());
    try {
      for (let row = guard(() => rows.next()); row.done !== true; row = guard(() => rows.next())) {
        yield { key: row.value.key.toString('latin1'), label: row.value.label };
      }
    } finally {
      rows.return?.();
    }
  }

  close(): void {
    this.#scratch.close();
  }
}

function openScratch(): Database.Database {
  const scratch = new Database('');
  // 8 MiB of cache; nothing in it outlives the process, so no journal, no sync and one transaction for all.
  for (const pragma of ['cache_size=-8192', 'temp_store=FILE', 'journal_mode=OFF', 'synchronous=OFF']) {
    scratch.pragma(pragma);
  }
  scratch.exec('CREATE TABLE item (key BLOB NOT NULL, label TEXT NOT NULL) STRICT');
  scratch.exec('BEGIN IMMEDIATE');
  return scratch;
}

function guard<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!isDriverError(error)) throw error;
    const code = error.code === 'SQLITE_FULL' ? 'FILE.NO_SPACE' : 'SQLITE.FAILED';
    throw new StorageError(code, `cannot sort in a temporary file (${error.code})`, {
      hint: 'make room where temporary files go, or set SQLITE_TMPDIR to another directory',
      cause: error,
    });
  }
}
