import {
  displayPath,
  StorageError,
  type QuarantinedEntry,
  type QuarantineFilter,
  type TreeEntry,
  type TreePath,
  type TreeReader,
  type TreeStat,
} from '@deespec/domain';
import type { Database } from 'better-sqlite3';

import { ContentRows, readEntry } from './content-rows.js';
import { EntryRows, type EntryRow } from './entry-rows.js';
import { openHandle } from './handle.js';
import { requireSchema } from './schema.js';

/** The tree of one database for reading, without TypeORM. */
export class StoredTree implements TreeReader {
  private readonly entries: EntryRows;
  private readonly contents: ContentRows;
  /** What a scan gave last, which is what is read next, mostly. */
  private scanned: EntryRow | undefined;

  /** @param isOfOneMoment - nothing changes what the connection sees */
  protected constructor(
    readonly handle: Database,
    protected readonly path: string,
    private readonly isOfOneMoment = false,
  ) {
    this.entries = new EntryRows(handle);
    this.contents = new ContentRows(handle);
  }

  /**
   * Opens a published database on a connection that cannot write, as it is at this moment: in one read transaction, which
   * also saves the file locks of every single statement.
   *
   * @throws StorageError those of `requireSchema`
   */
  static openReader(path: string): StoredTree {
    const handle = openHandle(path, 'read');
    try {
      handle.exec('BEGIN DEFERRED');
      requireSchema(handle);
      return new StoredTree(handle, path, true);
    } catch (error) {
      handle.close();
      throw error;
    }
  }

  /** The stored entry without reading its content, or `undefined`. */
  lookup(path: TreePath): TreeEntry | undefined {
    return this.entries.find(path);
  }

  /** How many entries are stored, below `path` when one is given. */
  count(path?: TreePath): number {
    return this.entries.count(path);
  }

  /** A page of what is kept but not interpreted, by path in byte order. @throws StorageError `USAGE.INVALID` */
  listQuarantined(filter: QuarantineFilter): QuarantinedEntry[] {
    return this.entries.listQuarantined(filter);
  }

  /** The entry at `path` when it is kept but not interpreted. */
  findQuarantined(path: TreePath): QuarantinedEntry | undefined {
    return this.entries.findQuarantined(path);
  }

  *scan(): Generator<TreeStat> {
    for (const row of this.entries.scan()) {
      if (this.isOfOneMoment) this.scanned = row;
      yield row;
    }
  }

  find(path: TreePath): TreeEntry | undefined {
    return this.lookup(path);
  }

  read(path: TreePath): Iterable<Buffer> {
    const row = this.scanned?.path === path ? this.scanned : this.entries.find(path);
    if (row !== undefined) return readEntry(this.contents, row);
    throw new StorageError('FILE.NOT_FOUND', `nothing stands at ${displayPath(path)} in ${this.path}`, {
      hint: 'run "deespec verify --check-all": the database may be damaged',
    });
  }

  /** Releases the connection. A second call does nothing. */
  close(): void {
    if (this.handle.open) this.handle.close();
  }
}
