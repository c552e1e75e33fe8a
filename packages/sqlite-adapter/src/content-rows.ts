import { CHUNK_BYTES, invariant, StorageError, type LoadContent } from '@deespec/domain';
import type { Database, Statement } from 'better-sqlite3';
import { isUtf8 } from 'node:buffer';

import type { EntryRow } from './entry-rows.js';

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

  constructor(handle: Database) {
    this.insertRow = handle.prepare('INSERT INTO content (sha256, size, bytes) VALUES (?, ?, ?)');
    this.setSha256 = handle.prepare('UPDATE content SET sha256 = ? WHERE id = ?');
    this.insertChunk = handle.prepare('INSERT INTO content_chunk (content_id, seq, bytes) VALUES (?, ?, ?)');
    this.deleteRow = handle.prepare('DELETE FROM content WHERE id = ?');
    this.deleteChunks = handle.prepare('DELETE FROM content_chunk WHERE content_id = ?');
    this.row = handle.prepare('SELECT size, bytes FROM content WHERE id = ?');
    this.chunk = handle.prepare('SELECT bytes FROM content_chunk WHERE content_id = ? AND seq = ?').pluck();
    // The cast keeps every byte: TEXT is the same bytes, and no JavaScript string is made of them.
    this.setText = handle.prepare('UPDATE execution SET content = CAST(? AS TEXT) WHERE id = ?');
    this.setBlob = handle.prepare('UPDATE execution SET content = ? WHERE id = ?');
    this.executionBytes = handle.prepare('SELECT CAST(content AS BLOB) FROM execution WHERE id = ?').pluck();
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
    for (const bytes of content.chunks) {
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

  /** The bytes of a content row in chunks of at most 1 MiB. */
  *read(id: number): Generator<Buffer> {
    const row = this.row.get(id) as { size: number; bytes: Buffer | null } | undefined;
    invariant(row !== undefined, `content ${id} exists`);
    if (row.bytes !== null) {
      if (row.size > 0) yield row.bytes;
      return;
    }
    for (let seq = 0; seq * CHUNK_BYTES < row.size; seq++) {
      const bytes = this.chunk.get(id, seq) as Buffer | undefined;
      invariant(bytes !== undefined, `chunk ${seq} of content ${id} exists`);
      yield bytes;
    }
  }

  /** Stores an artifact's bytes with its execution: TEXT when proven well-formed UTF-8 without NUL, else BLOB. */
  setExecution(id: number, bytes: Buffer): void {
    const isText = isUtf8(bytes) && !bytes.includes(0);
    (isText ? this.setText : this.setBlob).run(bytes, id);
  }

  clearExecution(id: number): void {
    this.setBlob.run(null, id);
  }

  /** The bytes stored with an execution, or `undefined` when there are none. */
  readExecution(id: number): Buffer | undefined {
    return (this.executionBytes.get(id) as Buffer | null | undefined) ?? undefined;
  }
}

/** The bytes of an entry, wherever they lie, in chunks of at most 1 MiB. A directory has none. */
export function readEntry(contents: ContentRows, row: EntryRow): Iterable<Buffer> {
  if (row.contentId !== undefined) return contents.read(row.contentId);
  const bytes = row.executionId === undefined ? undefined : contents.readExecution(row.executionId);
  return bytes === undefined || bytes.length === 0 ? [] : [bytes];
}

function requireSize(stored: number, size: number): void {
  if (stored === size) return;
  throw new StorageError('FILE.UNSTABLE', `a file of ${size} bytes gave ${stored} bytes when it was read`, {
    hint: 'a program is writing to the tree: stop it, then run the command again',
  });
}
