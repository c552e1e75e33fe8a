import type Database from 'better-sqlite3';
import { createHash } from 'node:crypto';
import { displayPath, StorageError } from '@deespec/domain';
import { databaseError } from './database-error.js';
import { LineDigest } from './line-digest.js';
import { text } from './stored-content.js';
import { StoredTree, type FullRow } from './stored-tree.js';

/**
 * The digest of the tree that a database holds, from its stored bytes, as the connection sees it in its transaction. Nothing
 * else runs meanwhile: what is compared before a commit must not let anybody in. To be asked of a database whose structure
 * was checked: it reads all of it.
 *
 * @param hashes - `compared`: bytes that are not those of the hash in their row are an error
 * @throws StorageError `DATABASE.CORRUPT` when bytes of an entry are missing, or not those of its hash; `FILE.NO_SPACE`, `SQLITE.FAILED`
 *
 * Source: docs/digest.md.
 */
export function digestDatabase(
  connection: Database.Database,
  hashes: 'ignored' | 'compared' = 'ignored',
): string {
  const stored = StoredTree.over(connection);
  const lines = new LineDigest();
  try {
    for (const row of stored.fullEntries()) {
      const path = Buffer.isBuffer(row.path) ? row.path.toString('latin1') : text(row.path);
      const kind = row.kind === 'd' || row.kind === 'l' ? row.kind : 'f';
      const chunks = kind === 'd' ? [] : bytesOf(stored, row, path);
      const bytes = kind === 'l' ? [Buffer.concat([...chunks])] : chunks;
      const sha256 = kind === 'd' ? '' : hashOf(bytes);
      if (hashes === 'compared' && sha256 !== row.sha256)
        throw corrupt(path, 'are not those that were stored');
      const target = kind === 'l' ? (bytes as Buffer[])[0]!.toString('latin1') : '';
      lines.add({
        kind,
        mode: (row.mode as bigint).toString(8),
        sha256: kind === 'f' ? sha256 : '',
        target,
        path,
      });
    }
    return lines.finishNow();
  } catch (error) {
    throw databaseError(error, connection.name, []);
  } finally {
    lines.close();
  }
}

function bytesOf(stored: StoredTree, row: FullRow, path: string): Iterable<Buffer> {
  const inline = row.content_id === null ? row.execution_bytes : row.content_bytes;
  if (inline !== null) return [inline];
  if (row.content_id !== null && row.found_content !== null) return stored.chunks(row.found_content);
  throw corrupt(path, 'are not in the database');
}

function corrupt(path: string, how: string): StorageError {
  return new StorageError('DATABASE.CORRUPT', `the bytes of ${displayPath(path)} ${how}`, {
    hint: 'run "deespec verify --check-all"; restore a copy of the database, or build it anew from the files',
    details: { path: displayPath(path) },
  });
}

function hashOf(chunks: Iterable<Buffer>): string {
  const hash = createHash('sha256');
  for (const chunk of chunks) hash.update(chunk);
  return hash.digest('hex');
}
