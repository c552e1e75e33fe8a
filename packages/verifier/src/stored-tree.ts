import { createHash } from 'node:crypto';
import { resolve } from 'node:path';
import Database from 'better-sqlite3';
import { StorageError } from '@deespec/domain';
import type { Pace } from './pace.js';

/** A row of `tree_entry` as it is, whatever it holds: a damaged database has wrong types too. */
export interface EntryRow {
  readonly path: unknown;
  readonly kind: unknown;
  readonly mode: unknown;
  readonly mtime_ns: unknown;
  readonly sha256: unknown;
  readonly size: unknown;
  readonly content_id: unknown;
  readonly execution_id: unknown;
  readonly state: unknown;
}

/** A row of `tree_entry` with what it refers to. */
export interface FullRow extends EntryRow {
  /** `NULL` when there is no such row of `content`. */
  readonly found_content: unknown;
  readonly content_sha256: unknown;
  readonly content_size: unknown;
  readonly content_bytes: Buffer | null;
  /** `NULL` when there is no such row of `execution`. */
  readonly found_execution: unknown;
  readonly execution_bytes: Buffer | null;
}

/** What reading the chunks of a content gave. */
export interface ChunkSum {
  readonly sha256: string;
  readonly size: number;
  readonly chunks: number;
  /** The first `seq` that is not there although another one is in its place. */
  readonly missingChunk?: number;
}

/** Longest value that is loaded: whatever is stored is stored in pieces of at most 1 MiB. Source: docs/database.md. */
const longestBytes = 1_048_576;

/** A column's value; NULL in place of a longer one, whose length SQLite reads without loading it. */
function short(column: string): string {
  return `CASE WHEN octet_length(${column}) <= ${longestBytes} THEN ${column} END`;
}

const entryColumns = 'path kind mode mtime_ns sha256 size content_id execution_id state'
  .split(' ')
  .map((column) => `${short(`e.${column}`)} AS ${column}`)
  .join(', ');

const entriesSql = `SELECT ${entryColumns} FROM tree_entry e ORDER BY e.path`;

const fullColumns = `${entryColumns}, c.id AS found_content, ${short('c.sha256')} AS content_sha256,
  ${short('c.size')} AS content_size, CAST(${short('c.bytes')} AS BLOB) AS content_bytes,
  x.id AS found_execution, CAST(${short('x.content')} AS BLOB) AS execution_bytes`;

/** No row takes fewer bytes of a page. Source: https://www.sqlite.org/fileformat2.html ("B-tree Pages"). */
const rowBytes = 8;

const joins = `tree_entry e LEFT JOIN content c ON c.id = e.content_id LEFT JOIN execution x ON x.id = e.execution_id`;

/**
 * One consistent, read-only view of a database. Nothing here goes through the mapper or the file system: SQLite alone opens
 * the file, because a second open and close by this process would drop its locks.
 *
 * Source: https://www.sqlite.org/howtocorrupt.html ("Posix advisory locks canceled by a separate thread").
 */
export class StoredTree {
  private constructor(readonly connection: Database.Database) {}

  /** @throws StorageError `DATABASE.NOT_FOUND`; errors of the driver as they are */
  static open(database: string): StoredTree {
    const stored = new StoredTree(connect(resolve(database)));
    try {
      stored.#defend();
      stored.connection.exec('BEGIN DEFERRED');
      return stored;
    } catch (error) {
      stored.connection.close();
      throw error;
    }
  }

  /** What a connection sees in its read transaction; its owner closes it. */
  static within(connection: Database.Database): StoredTree {
    const stored = new StoredTree(connection);
    stored.#defend();
    return stored;
  }

  /** What a connection sees, in whatever transaction it is; its owner closes it. */
  static over(connection: Database.Database): StoredTree {
    return new StoredTree(connection);
  }

  /** More rows than any table of this file can have: a scan that yields more goes round in a damaged file. */
  get rowBound(): number {
    return Math.floor(this.bytes / rowBytes);
  }

  /** What the file says its length is. */
  get bytes(): number {
    const [pages, bytes] = ['page_count', 'page_size'].map(
      (name) => this.connection.pragma(name, { simple: true }) as number,
    );
    return pages! * bytes!;
  }

  /** Every entry, paths in byte order. */
  entries(): IterableIterator<EntryRow> {
    return this.connection.prepare<[], EntryRow>(entriesSql).safeIntegers().iterate();
  }

  /** Every entry with the content that it refers to, paths in byte order. */
  fullEntries(): IterableIterator<FullRow> {
    const sql = `SELECT ${fullColumns} FROM ${joins} ORDER BY e.path`;
    return this.connection.prepare<[], FullRow>(sql).safeIntegers().iterate();
  }

  /** One entry with its content, by its path's bytes. */
  fullEntry(path: Buffer): FullRow | undefined {
    const sql = `SELECT ${fullColumns} FROM ${joins} WHERE e.path = ?`;
    return this.connection.prepare<[Buffer], FullRow>(sql).safeIntegers().get(path);
  }

  /** Reads and hashes the chunks of a content, one in memory at a time. */
  async sumChunks(contentId: unknown, pace: Pace): Promise<ChunkSum> {
    const sql = `SELECT seq, CAST(${short('bytes')} AS BLOB) AS bytes FROM content_chunk
      WHERE content_id = ? ORDER BY seq`;
    const rows = this.connection
      .prepare<[unknown], { seq: number; bytes: Buffer | null }>(sql)
      .iterate(contentId);
    const sum = createHash('sha256');
    let size = 0;
    let chunks = 0;
    let missingChunk: number | undefined;
    let last = -1;
    for (const { seq, bytes: stored } of rows) {
      const bytes = stored ?? Buffer.alloc(0);
      if (seq !== chunks) missingChunk ??= chunks;
      // Not in order: the pages of the file go round, and this would never end.
      if (!(seq > last)) break;
      last = seq;
      sum.update(bytes);
      size += bytes.length;
      chunks += 1;
      pace.addBytes(bytes.length);
      if (pace.due) await pace.turn();
    }
    return {
      sha256: sum.digest('hex'),
      size,
      chunks,
      ...(missingChunk === undefined ? {} : { missingChunk }),
    };
  }

  /** The chunks of a content in the order of their numbers, one in memory at a time. */
  *chunks(contentId: unknown): Generator<Buffer, void, undefined> {
    const sql = `SELECT CAST(${short('bytes')} AS BLOB) FROM content_chunk WHERE content_id = ? ORDER BY seq`;
    const rows = this.connection.prepare<[unknown], Buffer | null>(sql).pluck().iterate(contentId);
    for (const bytes of rows) if (bytes !== null) yield bytes;
  }

  close(): void {
    this.connection.close();
  }

  /** Against a hostile or damaged file. Source: https://www.sqlite.org/security.html. */
  #defend(): void {
    for (const pragma of ['trusted_schema=OFF', 'cell_size_check=ON', 'mmap_size=0', 'query_only=ON']) {
      this.connection.pragma(pragma);
    }
  }
}

/**
 * How long a read waits for one that is alone with the database, milliseconds: whoever opens it first or closes it last is, for a moment.
 *
 * Source: https://www.sqlite.org/wal.html ("Sometimes Queries Return SQLITE_BUSY In WAL Mode").
 */
const WAIT_MS = 2_000;

function connect(path: string): Database.Database {
  try {
    return new Database(path, { readonly: true, fileMustExist: true, timeout: WAIT_MS });
  } catch (error) {
    // The driver's own check, before SQLite is asked: the directory of the file does not exist.
    if (!(error instanceof TypeError)) throw error;
    throw new StorageError('DATABASE.NOT_FOUND', `no database at "${path}"`, {
      hint: 'run "deespec migrate"',
      details: { database: path },
      cause: error,
    });
  }
}
