import { CHUNK_BYTES, displayPath, isText, StorageError, type LoadContent } from '@deespec/domain';
import type { Database, Statement } from 'better-sqlite3';

import type { EntryRow } from './entry-rows.js';
import { atMost, damaged } from './stored-cell.js';

/** A last chunk up to this size, 64 KiB, grows by what is appended: every append writes the whole of it again. */
const TAIL_BYTES = 65_536;
const PENDING_SHA256 = '0'.repeat(64);

/** Rows of `content` and `content_chunk`, and the bytes in `execution.content`. Every statement runs in the caller's transaction. */
export class ContentRows {
  private readonly insertRow: Statement;
  private readonly setSha256: Statement;
  private readonly insertChunk: Statement;
  private readonly deleteRow: Statement;
  private readonly deleteChunks: Statement;
  private readonly row: Statement;
  private readonly chunk: Statement;
  private readonly setText: Statement;
  private readonly setBlob: Statement;
  private readonly executionBytes: Statement;
  private readonly setRow: Statement;
  private readonly setChunk: Statement;
  private readonly lastChunk: Statement;
  private readonly chunkLength: Statement;

  constructor(handle: Database) {
    this.insertRow = handle.prepare('INSERT INTO content (sha256, size, bytes) VALUES (?, ?, ?)');
    this.setSha256 = handle.prepare('UPDATE content SET sha256 = ? WHERE id = ?');
    this.insertChunk = handle.prepare('INSERT INTO content_chunk (content_id, seq, bytes) VALUES (?, ?, ?)');
    this.deleteRow = handle.prepare('DELETE FROM content WHERE id = ?');
    this.deleteChunks = handle.prepare('DELETE FROM content_chunk WHERE content_id = ?');
    this.row = handle.prepare(
      `SELECT size, bytes IS NULL AS isChunked, CAST(${atMost('bytes', CHUNK_BYTES)} AS BLOB) AS bytes
       FROM content WHERE id = ?`,
    );
    this.chunk = handle
      .prepare(
        `SELECT CAST(${atMost('bytes', CHUNK_BYTES)} AS BLOB) FROM content_chunk WHERE content_id = ? AND seq = ?`,
      )
      .pluck();
    // The cast keeps every byte: TEXT is the same bytes, and no JavaScript string is made of them.
    this.setText = handle.prepare('UPDATE execution SET content = CAST(? AS TEXT) WHERE id = ?');
    this.setBlob = handle.prepare('UPDATE execution SET content = ? WHERE id = ?');
    this.executionBytes = handle.prepare(
      `SELECT content IS NULL AS isEmpty, CAST(${atMost('content', CHUNK_BYTES)} AS BLOB) AS bytes
       FROM execution WHERE id = ?`,
    );
    this.setRow = handle.prepare('UPDATE content SET sha256 = ?, size = ?, bytes = ? WHERE id = ?');
    this.setChunk = handle.prepare('UPDATE content_chunk SET bytes = ? WHERE content_id = ? AND seq = ?');
    this.lastChunk = handle.prepare('SELECT max(seq) FROM content_chunk WHERE content_id = ?').pluck();
    this.chunkLength = handle
      .prepare('SELECT octet_length(bytes) FROM content_chunk WHERE content_id = ? AND seq = ?')
      .pluck();
  }

  /**
   * Stores content as its own row; above 1 MiB as chunks, one in memory at a time.
   *
   * @param size - length in bytes that the content must have
   * @returns the id of the row and the hash of what was stored
   * @throws StorageError `FILE.UNSTABLE` when the content has another length: the file grew or shrank under the reader
   */
  insert(content: LoadContent, size: number): { id: number; sha256: string } {
    if ('bytes' in content) {
      requireSize(content.bytes.length, size);
      const { lastInsertRowid } = this.insertRow.run(content.sha256, size, content.bytes);
      return { id: Number(lastInsertRowid), sha256: content.sha256 };
    }
    const id = Number(this.insertRow.run(PENDING_SHA256, size, null).lastInsertRowid);
    let seq = 0;
    let stored = 0;
    for (const bytes of regroup(content.chunks)) {
      this.insertChunk.run(id, seq++, bytes);
      stored += bytes.length;
    }
    requireSize(stored, size);
    const sha256 = content.sha256();
    this.setSha256.run(sha256, id);
    return { id, sha256 };
  }

  /** Removes a content row and its chunks. */
  remove(id: number): void {
    this.deleteChunks.run(id);
    this.deleteRow.run(id);
  }

  /**
   * The bytes of a content row in chunks of at most 1 MiB.
   *
   * @throws StorageError `DATABASE.CORRUPT` when there are fewer or more than the row says, or none
   */
  *read(id: number): Generator<Buffer> {
    const where = `content ${id}`;
    const row = this.row.get(id) as { size: number; isChunked: number; bytes: Buffer | null } | undefined;
    if (row === undefined) throw damaged(where, 'does not exist');
    if (row.isChunked === 0) {
      if (row.bytes?.length !== row.size) throw damaged(where, 'does not have the length it records');
      if (row.size > 0) yield row.bytes;
      return;
    }
    let read = 0;
    for (let seq = 0; read < row.size; seq++) {
      const bytes = this.chunk.get(id, seq) as Buffer | null | undefined;
      if (bytes === undefined || bytes === null || bytes.length === 0) {
        throw damaged(where, `lacks its chunk ${seq}`);
      }
      read += bytes.length;
      if (read > row.size) throw damaged(where, 'has more bytes than it records');
      yield bytes;
    }
  }

  /**
   * Adds bytes to the end of a content row; of a chunked one nothing but a small last chunk is written again.
   *
   * @param whole - hash and length of the content with the bytes added
   */
  append(id: number, bytes: Buffer, whole: { readonly sha256: string; readonly size: number }): void {
    const before = whole.size - bytes.length;
    if (whole.size <= CHUNK_BYTES) {
      const all = Buffer.concat([...this.read(id), bytes]);
      this.setRow.run(whole.sha256, whole.size, all, id);
      return;
    }
    const isChunked = before > CHUNK_BYTES;
    const inline = isChunked ? undefined : Buffer.concat([...this.read(id)]);
    this.setRow.run(whole.sha256, whole.size, null, id);
    if (inline !== undefined) return this.addChunks(id, 0, Buffer.concat([inline, bytes]));
    const last = this.lastOf(id);
    const kept = this.chunkLength.get(id, last) as number;
    if (kept + bytes.length > TAIL_BYTES) return this.addChunks(id, last + 1, bytes);
    this.setChunk.run(Buffer.concat([this.chunkOf(id, last), bytes]), id, last);
  }

  /**
   * The bytes of a content row from an offset on, in chunks of at most 1 MiB; whole chunks before it are not read.
   *
   * @throws StorageError `DATABASE.CORRUPT`
   */
  *readFrom(
    id: number,
    { offset, size }: { readonly offset: number; readonly size: number },
  ): Generator<Buffer> {
    if (size <= CHUNK_BYTES) {
      for (const bytes of this.read(id)) yield bytes.subarray(offset);
      return;
    }
    const last = this.lastOf(id);
    let seq = last + 1;
    let start = size;
    while (start > offset && seq > 0) {
      seq -= 1;
      start -= this.chunkLength.get(id, seq) as number;
    }
    for (; seq <= last; seq++) {
      const bytes = this.chunkOf(id, seq);
      yield bytes.subarray(Math.max(offset - start, 0));
      start += bytes.length;
    }
  }

  /** Stores an artifact's bytes with its execution: TEXT when proven well-formed UTF-8 without NUL, else BLOB. */
  setExecution(id: number, bytes: Buffer): void {
    (isText(bytes) ? this.setText : this.setBlob).run(bytes, id);
  }

  clearExecution(id: number): void {
    this.setBlob.run(null, id);
  }

  /**
   * The bytes stored with an execution, or `undefined` when there are none.
   *
   * @throws StorageError `DATABASE.CORRUPT` for more than 1 MiB
   */
  readExecution(id: number): Buffer | undefined {
    const row = this.executionBytes.get(id) as { isEmpty: number; bytes: Buffer | null } | undefined;
    if (row === undefined || row.isEmpty === 1) return undefined;
    if (row.bytes !== null) return row.bytes;
    throw damaged(`execution ${id}`, 'has a content that is larger than any this program stores');
  }

  private addChunks(id: number, first: number, bytes: Buffer): void {
    for (let seq = first, start = 0; start < bytes.length; seq++, start += CHUNK_BYTES) {
      this.insertChunk.run(id, seq, bytes.subarray(start, start + CHUNK_BYTES));
    }
  }

  private lastOf(id: number): number {
    const last = this.lastChunk.get(id) as number | null;
    if (last !== null) return last;
    throw damaged(`content ${id}`, 'has no chunks');
  }

  private chunkOf(id: number, seq: number): Buffer {
    const bytes = this.chunk.get(id, seq) as Buffer | null | undefined;
    if (Buffer.isBuffer(bytes)) return bytes;
    throw damaged(`content ${id}`, `lacks its chunk ${seq}`);
  }
}

/**
 * The bytes of an entry, wherever they lie, in chunks of at most 1 MiB. A directory has none.
 *
 * @throws StorageError `DATABASE.CORRUPT` when there are fewer or more than are recorded
 */
export function readEntry(contents: ContentRows, row: EntryRow): Iterable<Buffer> {
  if (row.contentId !== undefined) return contents.read(row.contentId);
  if (row.executionId === undefined) return [];
  const bytes = contents.readExecution(row.executionId);
  if (bytes?.length === row.size) return bytes.length === 0 ? [] : [bytes];
  throw damaged(`execution ${row.executionId}`, `does not have the content of ${displayPath(row.path)}`);
}

/** The same bytes in chunks of 1 MiB, the last one smaller. */
function* regroup(chunks: Iterable<Buffer>): Generator<Buffer> {
  let rest: Buffer = Buffer.alloc(0);
  for (const chunk of chunks) {
    // A copy where bytes wait: a reader may fill its chunk again.
    rest = rest.length === 0 && chunk.length === CHUNK_BYTES ? chunk : Buffer.concat([rest, chunk]);
    for (; rest.length >= CHUNK_BYTES; rest = rest.subarray(CHUNK_BYTES)) yield rest.subarray(0, CHUNK_BYTES);
  }
  if (rest.length > 0) yield rest;
}

function requireSize(stored: number, size: number): void {
  if (stored === size) return;
  throw new StorageError('FILE.UNSTABLE', `a file of ${size} bytes gave ${stored} bytes when it was read`, {
    hint: 'a program is writing to the tree: stop it, then run the command again',
  });
}
