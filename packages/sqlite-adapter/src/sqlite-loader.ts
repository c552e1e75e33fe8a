import {
  type DerivedUnit,
  type LoadEntry,
  type TreeEntry,
  type TreeLoader,
  type TreePath,
  type UnitChange,
} from '@deespec/domain';
import type { Database } from 'better-sqlite3';

import { openHandle } from './handle.js';
import { SqliteJournalSpool } from './journal-spool.js';
import { forgetJournal } from './journal-state.js';
import { applySchema, requireSchema } from './schema.js';
import { joinTexts } from './search-fill.js';
import { toStorageError } from './sqlite-error.js';
import { createState, nextRev, type StorageState } from './storage-state.js';
import { StoredTree } from './stored-tree.js';
import { UnitWriter } from './unit-writer.js';

/** What {@link SqliteLoader} is opened with. */
export interface LoaderOptions {
  /** A file that nobody else can reach. */
  readonly path: string;
  /** Given for a new database; absent for the copy of a published one. */
  readonly create?: { readonly state: StorageState; readonly now: () => Date };
  /** Clock of the record of schema scripts that a copy lacks. */
  readonly now?: () => Date;
}

/** Bulk writing through prepared statements on one connection. */
export class SqliteLoader extends StoredTree implements TreeLoader {
  readonly spool: SqliteJournalSpool;
  private readonly writer: UnitWriter;
  private readonly rev: number;

  private constructor(
    handle: Database,
    path: string,
    private readonly isNew: boolean,
  ) {
    super(handle, path);
    this.spool = new SqliteJournalSpool(handle);
    this.writer = new UnitWriter(handle, isNew);
    this.rev = nextRev(handle);
  }

  /**
   * Opens a new database, or a copy, whose schema is brought up to date first. What was read of the journal before is
   * forgotten: the journal is about to be another one.
   *
   * @throws StorageError those of `requireSchema` but `SCHEMA.OLDER`; by what SQLite says
   */
  static open({ path, create, now = () => new Date() }: LoaderOptions): SqliteLoader {
    const handle = openHandle(path, 'build');
    try {
      if (create === undefined) requireSchema(handle, { older: 'allowed' });
      applySchema(handle, create?.now ?? now);
      if (create === undefined) forgetJournal(handle);
      else createState(handle, create.state);
      return new SqliteLoader(handle, path, create !== undefined);
    } catch (error) {
      handle.close();
      throw toStorageError(error, path);
    }
  }

  override lookup(path: TreePath): TreeEntry | undefined {
    return this.isNew ? undefined : super.lookup(path);
  }

  writeUnit(unit: DerivedUnit, entries: Iterable<LoadEntry>): UnitChange {
    return this.writer.write(unit, entries, this.rev);
  }

  removeEntry(path: TreePath): void {
    this.writer.remove(path);
  }

  batch<T>(work: () => T): T {
    try {
      return this.handle
        .transaction(() => {
          const result = work();
          this.writer.flush();
          return result;
        })
        .immediate();
    } catch (error) {
      throw toStorageError(error, this.path);
    }
  }

  /**
   * Joins what a search reads, refreshes the statistics of the query planner and closes. The file is complete then, but not yet synced.
   *
   * @throws StorageError `DATABASE.CORRUPT` for a copy whose words cannot be read; by what SQLite says
   */
  complete(): void {
    this.batch(() => joinTexts(this.handle));
    this.handle.exec('ANALYZE');
    this.close();
  }
}
