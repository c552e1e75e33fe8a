import { displayPath, pathToBytes, type Projection, type TreePath } from '@deespec/domain';
import type { Database, Statement } from 'better-sqlite3';

import { kinds, letters, requireTime } from './entry-rows.js';
import { atMost, damaged, storedInteger, storedPath, storedText } from './stored-cell.js';

/** Columns of `projection`. */
export const PROJECTION_COLUMNS = [
  'path',
  'kind',
  'mode',
  'sha256',
  'size',
  'mtime_ns',
  'ctime_ns',
  'ino',
  'seen_at_ms',
] as const;

/** A row as it is, whatever it holds. */
export type RawProjection = Readonly<Record<(typeof PROJECTION_COLUMNS)[number], unknown>>;

const cells = PROJECTION_COLUMNS.map((name) => `${atMost(name, 1_048_576)} AS ${name}`).join(', ');

/** Rows of `projection`: what the files held when both were in step. Every statement runs in the caller's transaction. */
export class ProjectionRows {
  private readonly one: Statement;
  private readonly upsert: Statement;
  private readonly removeRow: Statement;

  constructor(handle: Database) {
    this.one = handle.prepare(`SELECT ${cells} FROM projection WHERE projection.path = ?`).safeIntegers();
    const set = PROJECTION_COLUMNS.slice(1).map((name) => `${name} = excluded.${name}`);
    this.upsert = handle.prepare(
      `INSERT INTO projection (${PROJECTION_COLUMNS.join(', ')}) VALUES (${PROJECTION_COLUMNS.map(() => '?').join(', ')})
       ON CONFLICT (path) DO UPDATE SET ${set.join(', ')}`,
    );
    this.removeRow = handle.prepare('DELETE FROM projection WHERE path = ?');
  }

  find(path: TreePath): Projection | undefined {
    const raw = this.one.get(pathToBytes(path)) as RawProjection | undefined;
    return raw === undefined ? undefined : projectionFromRaw(raw);
  }

  /** @throws StorageError `FILE.TIME_RANGE` for a time that does not fit 64 bits */
  put(projection: Projection): void {
    const { path, kind, mode, sha256, size, mtimeNs, ctimeNs, ino, seenAtMs } = projection;
    requireTime({ path, mtimeNs });
    requireTime({ path, mtimeNs: ctimeNs });
    const stat = [pathToBytes(path), letters[kind], mode, sha256, size, mtimeNs, ctimeNs, String(ino)];
    // A fraction of a millisecond is before the next look all the same.
    this.upsert.run(...stat, Math.floor(seenAtMs));
  }

  delete(path: TreePath): void {
    this.removeRow.run(pathToBytes(path));
  }
}

/** @throws StorageError `DATABASE.CORRUPT` */
export function projectionFromRaw(raw: RawProjection): Projection {
  const path = storedPath(raw.path, 'projection');
  const where = `projection ${displayPath(path)}`;
  const letter = storedText(raw.kind, where);
  const kind = Object.hasOwn(kinds, letter) ? kinds[letter] : undefined;
  const ino = storedText(raw.ino, where);
  const { mtime_ns: mtimeNs, ctime_ns: ctimeNs } = raw;
  if (kind === undefined || typeof mtimeNs !== 'bigint' || typeof ctimeNs !== 'bigint') {
    throw damaged(where, 'has no valid kind or time');
  }
  if (!/^-?[0-9]{1,20}$/u.test(ino)) throw damaged(where, 'has no valid inode number');
  return {
    path,
    kind,
    mode: storedInteger(raw.mode, where),
    sha256: storedText(raw.sha256, where),
    size: storedInteger(raw.size, where),
    mtimeNs,
    ctimeNs,
    ino: BigInt(ino),
    seenAtMs: storedInteger(raw.seen_at_ms, where),
  };
}
