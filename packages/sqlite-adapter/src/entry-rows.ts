import type { EntryKind, QuarantinedEntry, QuarantineFilter, TreeEntry, TreePath } from '@deespec/domain';
import { displayPath, pathToBytes, StorageError } from '@deespec/domain';
import type { Database, Statement } from 'better-sqlite3';

import { pageSize } from './page.js';

/** A row of `tree_entry`. */
export interface EntryRow extends TreeEntry {
  readonly contentId?: number;
  readonly executionId?: number;
  /** Why the entry is kept but not interpreted; absent when it is interpreted. */
  readonly reason?: string;
}

interface RawRow {
  path: Buffer;
  kind: string;
  mode: bigint;
  mtime_ns: bigint;
  sha256: string;
  size: bigint;
  content_id: bigint | null;
  execution_id: bigint | null;
  reason: string | null;
}

const COLUMNS = 'path, kind, mode, mtime_ns, sha256, size, content_id, execution_id, reason';
const kinds: Readonly<Record<string, EntryKind>> = { f: 'file', d: 'directory', l: 'symlink' };
const letters: Readonly<Record<EntryKind, string>> = { file: 'f', directory: 'd', symlink: 'l' };

/** Rows of `tree_entry`. Every statement runs in the caller's transaction. */
export class EntryRows {
  private readonly one: Statement;
  private readonly all: Statement;
  private readonly between: Statement;
  private readonly quarantined: Statement;
  private readonly upsert: Statement;
  private readonly remove: Statement;
  private readonly total: Statement;
  private readonly totalBelow: Statement;
  private readonly sharers: Statement;

  constructor(handle: Database) {
    handle.function('tree_order', { deterministic: true, directOnly: true }, treeOrder);
    const select = `SELECT ${COLUMNS} FROM tree_entry`;
    // Nanoseconds since 1970 do not fit a double.
    this.one = handle.prepare(`${select} WHERE path = ?`).safeIntegers();
    this.all = handle.prepare(`${select} ORDER BY tree_order(path)`).safeIntegers();
    this.between = handle
      .prepare(`${select} WHERE path >= ? AND path < ? ORDER BY tree_order(path)`)
      .safeIntegers();
    this.quarantined = handle
      .prepare(`${select} WHERE state = 'quarantined' AND path > ? ORDER BY path LIMIT ?`)
      .safeIntegers();
    this.upsert = handle.prepare(
      `INSERT INTO tree_entry (path, kind, mode, mtime_ns, sha256, size, content_id, execution_id, state, reason, rev)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (path) DO UPDATE SET kind = excluded.kind, mode = excluded.mode, mtime_ns = excluded.mtime_ns,
         sha256 = excluded.sha256, size = excluded.size, content_id = excluded.content_id,
         execution_id = excluded.execution_id, state = excluded.state, reason = excluded.reason, rev = excluded.rev`,
    );
    this.remove = handle.prepare('DELETE FROM tree_entry WHERE path = ?');
    this.total = handle.prepare('SELECT count(*) FROM tree_entry').pluck();
    this.totalBelow = handle.prepare('SELECT count(*) FROM tree_entry WHERE path > ? AND path < ?').pluck();
    this.sharers = handle
      .prepare('SELECT count(*) FROM tree_entry WHERE execution_id = ? AND path <> ?')
      .pluck();
  }

  find(path: TreePath): EntryRow | undefined {
    const raw = this.one.get(pathToBytes(path)) as RawRow | undefined;
    return raw === undefined ? undefined : fromRaw(raw);
  }

  /** Every entry in scan order: parents first, a directory's content directly after it. */
  *scan(): Generator<EntryRow> {
    for (const raw of this.all.iterate()) yield fromRaw(raw as RawRow);
  }

  /** Every entry whose path begins with `prefix`, in scan order. */
  listFrom(prefix: string): EntryRow[] {
    if (prefix === '') return [...this.scan()];
    const last = prefix.charCodeAt(prefix.length - 1);
    const end = last === 0xff ? `${prefix}\xff` : prefix.slice(0, -1) + String.fromCharCode(last + 1);
    const bounds = [prefix, end].map((bound) => Buffer.from(bound, 'latin1'));
    return (this.between.all(...bounds) as RawRow[]).map(fromRaw);
  }

  /** A keyset page of what is kept but not interpreted, by path in byte order. @throws StorageError `USAGE.INVALID` */
  listQuarantined({ after, limit }: QuarantineFilter): QuarantinedEntry[] {
    const bound = after === undefined ? Buffer.alloc(0) : pathToBytes(after);
    const raw = this.quarantined.all(bound, pageSize(limit)) as RawRow[];
    return raw.map(fromRaw).filter(isQuarantined);
  }

  /** The entry when it is kept but not interpreted. */
  findQuarantined(path: TreePath): QuarantinedEntry | undefined {
    const row = this.find(path);
    return row !== undefined && isQuarantined(row) ? row : undefined;
  }

  count(path?: TreePath): number {
    return (path === undefined ? this.total.get() : this.totalBelow.get(...range(path))) as number;
  }

  /** True when another path has its bytes in this execution. */
  isShared(executionId: number, path: TreePath): boolean {
    return (this.sharers.get(executionId, pathToBytes(path)) as number) > 0;
  }

  /** @throws StorageError `FILE.TIME_RANGE` for a time that does not fit 64 bits */
  put(row: EntryRow, rev: number): void {
    requireTime(row);
    const { contentId = null, executionId = null, reason = null } = row;
    const state = reason === null ? 'stored' : 'quarantined';
    const kind = letters[row.kind];
    const stat = [pathToBytes(row.path), kind, row.mode, row.mtimeNs, row.sha256, row.size];
    this.upsert.run(...stat, contentId, executionId, state, reason, rev);
  }

  delete(path: TreePath): void {
    this.remove.run(pathToBytes(path));
  }
}

function isQuarantined(row: EntryRow): row is EntryRow & QuarantinedEntry {
  return row.reason !== undefined;
}

function fromRaw(raw: RawRow): EntryRow {
  return {
    path: raw.path.toString('latin1') as TreePath,
    kind: kinds[raw.kind]!,
    mode: Number(raw.mode),
    mtimeNs: raw.mtime_ns,
    sha256: raw.sha256,
    size: Number(raw.size),
    ...(raw.content_id === null ? {} : { contentId: Number(raw.content_id) }),
    ...(raw.execution_id === null ? {} : { executionId: Number(raw.execution_id) }),
    ...(raw.reason === null ? {} : { reason: raw.reason }),
  };
}

/** Nanoseconds since 1970 in 64 bits end in 2262; no time is rounded or cut. */
function requireTime({ path, mtimeNs }: EntryRow): void {
  if (BigInt.asIntN(64, mtimeNs) === mtimeNs) return;
  throw new StorageError(
    'FILE.TIME_RANGE',
    `the modification time of ${displayPath(path)} is outside 1677 to 2262`,
    {
      hint: 'give it a time that a database can hold, such as with "touch", then run the command again',
      details: { path: displayPath(path) },
    },
  );
}

/** Sort key of scan order: with `/` below every other byte, a directory's content comes directly after it. */
function treeOrder(path: unknown): Buffer {
  const key = Buffer.from(path as Buffer);
  for (let i = key.indexOf(0x2f); i >= 0; i = key.indexOf(0x2f, i + 1)) key[i] = 0;
  return key;
}

/** Bounds of the paths below a directory: `0` is the character after `/`. */
function range(path: TreePath): [Buffer, Buffer] {
  return [Buffer.from(`${path}/`, 'latin1'), Buffer.from(`${path}0`, 'latin1')];
}
