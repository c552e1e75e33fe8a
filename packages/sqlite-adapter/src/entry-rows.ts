import type {
  EntryKind,
  QuarantinedEntry,
  QuarantineFilter,
  SbiId,
  TreeEntry,
  TreePath,
} from '@deespec/domain';
import { CHUNK_BYTES, displayPath, parentPath, pathToBytes, StorageError } from '@deespec/domain';
import type { Database, Statement } from 'better-sqlite3';

import { pageSize } from './page.js';
import { atMost, damaged, storedInteger, storedPath } from './stored-cell.js';

/** A row of `tree_entry`. */
export interface EntryRow extends TreeEntry {
  readonly contentId?: number;
  readonly executionId?: number;
  /** Why the entry is kept but not interpreted; absent when it is interpreted. */
  readonly reason?: string;
}

/** Columns of `tree_entry` that are read. */
export const ENTRY_COLUMNS = [
  'path',
  'kind',
  'mode',
  'mtime_ns',
  'sha256',
  'size',
  'content_id',
  'execution_id',
  'reason',
] as const;

/** A row as it is, whatever it holds: the file may be damaged. */
export type RawEntry = Readonly<Record<(typeof ENTRY_COLUMNS)[number], unknown>>;

const pathColumn = atMost('path', CHUNK_BYTES);
const SELECT = `SELECT ${ENTRY_COLUMNS.map((column) => `${atMost(column, CHUNK_BYTES)} AS ${column}`).join(', ')} FROM tree_entry`;
/** Kinds by their letter in a row. */
export const kinds: Readonly<Record<string, EntryKind>> = { f: 'file', d: 'directory', l: 'symlink' };
/** Letters by kind. */
export const letters: Readonly<Record<EntryKind, string>> = { file: 'f', directory: 'd', symlink: 'l' };

/** Rows of `tree_entry`. Every statement runs in the caller's transaction. */
export class EntryRows {
  private readonly one: Statement;
  private readonly all: Statement;
  private readonly between: Statement;
  private readonly last: Statement;
  private readonly quarantined: Statement;
  private readonly upsert: Statement;
  private readonly remove: Statement;
  private readonly total: Statement;
  private readonly totalBelow: Statement;
  private readonly sharers: Statement;
  private readonly within: Statement;

  constructor(handle: Database) {
    defineTreeOrder(handle);
    // Nanoseconds since 1970 do not fit a double.
    this.one = handle.prepare(`${SELECT} WHERE tree_entry.path = ?`).safeIntegers();
    this.all = handle.prepare(`${SELECT} ORDER BY tree_order(${pathColumn})`).safeIntegers();
    this.between = handle
      .prepare(
        `${SELECT} WHERE tree_entry.path >= ? AND tree_entry.path < ? ORDER BY tree_order(${pathColumn})`,
      )
      .safeIntegers();
    this.last = handle
      .prepare(`SELECT ${pathColumn} FROM tree_entry WHERE path >= ? AND path < ? ORDER BY path DESC LIMIT 1`)
      .pluck();
    this.quarantined = handle
      .prepare(
        `${SELECT} WHERE state = 'quarantined' AND tree_entry.path > ? ORDER BY tree_entry.path LIMIT ?`,
      )
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
    this.within = handle
      .prepare(
        `SELECT ${pathColumn} FROM tree_entry
         WHERE execution_id IN (SELECT id FROM execution WHERE sbi_id = ?) ORDER BY tree_entry.path`,
      )
      .pluck();
  }

  find(path: TreePath): EntryRow | undefined {
    const raw = this.one.get(pathToBytes(path)) as RawEntry | undefined;
    return raw === undefined ? undefined : entryFromRaw(raw);
  }

  /**
   * Every entry in scan order: parents first, a directory's content directly after it.
   *
   * @throws StorageError `DATABASE.CORRUPT` for a row that no tree can have: a path that leads out of it, that comes twice,
   *   or whose parent is no directory
   */
  *scan(): Generator<EntryRow> {
    const order = new ScanOrder();
    for (const raw of this.all.iterate()) {
      const row = entryFromRaw(raw as RawEntry);
      order.take(row);
      yield row;
    }
  }

  /** Every entry of `specs/sbi` whose name begins with this id, with all below, in scan order. */
  listSbi(id: SbiId): EntryRow[] {
    const next = String.fromCharCode(id.charCodeAt(id.length - 1) + 1);
    return this.listBetween(`specs/sbi/${id}`, `specs/sbi/${id.slice(0, -1)}${next}`);
  }

  /** Every entry below a directory, in scan order. */
  listBelow(path: TreePath): EntryRow[] {
    return this.listBetween(`${path}/`, `${path}0`);
  }

  /** Paths of the entries whose bytes lie with executions of this SBI. */
  listWithin(id: SbiId): TreePath[] {
    return this.within.all(id).map((path) => storedPath(path, 'tree_entry'));
  }

  /** The last entry of `specs/sbi` in byte order that stands before the entry `before`, or at all. */
  lastSbiPath(before: TreePath | undefined): TreePath | undefined {
    const bound = Buffer.from(before ?? 'specs/sbi0', 'latin1');
    const path = this.last.get(Buffer.from('specs/sbi/', 'latin1'), bound);
    return path === undefined ? undefined : storedPath(path, 'tree_entry');
  }

  private listBetween(first: string, end: string): EntryRow[] {
    const bounds = [first, end].map((bound) => Buffer.from(bound, 'latin1'));
    return (this.between.all(...bounds) as RawEntry[]).map(entryFromRaw);
  }

  /** A keyset page of what is kept but not interpreted, by path in byte order. @throws StorageError `USAGE.INVALID` */
  listQuarantined({ after, limit }: QuarantineFilter): QuarantinedEntry[] {
    const bound = after === undefined ? Buffer.alloc(0) : pathToBytes(after);
    const raw = this.quarantined.all(bound, pageSize(limit)) as RawEntry[];
    return raw.map(entryFromRaw).filter(isQuarantined);
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

/** @throws StorageError `DATABASE.CORRUPT` for what no write of ours can have left */
export function entryFromRaw(raw: RawEntry): EntryRow {
  const path = storedPath(raw.path, 'tree_entry');
  const where = `tree_entry ${displayPath(path)}`;
  const kind = typeof raw.kind === 'string' && Object.hasOwn(kinds, raw.kind) ? kinds[raw.kind] : undefined;
  const { mtime_ns: mtimeNs, sha256, reason } = raw;
  const isHash =
    typeof sha256 === 'string' && (kind === 'directory' ? /^$/u : /^[0-9a-f]{64}$/u).test(sha256);
  if (kind === undefined || !isHash || typeof mtimeNs !== 'bigint') {
    throw damaged(where, 'has no valid kind, time or hash');
  }
  if (reason !== null && typeof reason !== 'string') throw damaged(where, 'has a reason that is no text');
  const [mode, size] = [storedInteger(raw.mode, where), storedInteger(raw.size, where)];
  if (mode < 0 || mode > 0o7777 || size < 0) throw damaged(where, 'has no valid mode or size');
  return {
    path,
    kind,
    mode,
    mtimeNs,
    sha256,
    size,
    ...(raw.content_id === null ? {} : { contentId: storedInteger(raw.content_id, where) }),
    ...(raw.execution_id === null ? {} : { executionId: storedInteger(raw.execution_id, where) }),
    ...(reason === null ? {} : { reason }),
  };
}

/** Proves that rows come in the order of a tree: each path once, after the directory that holds it. */
class ScanOrder {
  private last = '';
  /** The directories that hold the last path, outermost first. */
  private readonly open: string[] = [];

  take({ path, kind }: EntryRow): void {
    const key = path.replaceAll('/', '\0');
    if (key <= this.last) throw damaged(`tree_entry ${displayPath(path)}`, 'comes twice or out of order');
    this.last = key;
    const parent = parentPath(path);
    while (this.open.length > 0 && this.open.at(-1) !== parent) this.open.pop();
    if (parent !== '' && this.open.length === 0) {
      throw damaged(`tree_entry ${displayPath(path)}`, 'lies in no directory of the tree');
    }
    if (kind === 'directory') this.open.push(path);
  }
}

/** Nanoseconds since 1970 in 64 bits end in 2262; no time is rounded or cut. @throws StorageError `FILE.TIME_RANGE` */
export function requireTime({ path, mtimeNs }: Pick<TreeEntry, 'path' | 'mtimeNs'>): void {
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

/** Makes `tree_order(path)` known to a connection. */
export function defineTreeOrder(handle: Database): void {
  handle.function('tree_order', { deterministic: true, directOnly: true }, treeOrder);
}

/** Sort key of scan order: with `/` below every other byte, a directory's content comes directly after it. */
function treeOrder(path: unknown): Buffer {
  const key = Buffer.isBuffer(path) ? Buffer.from(path) : Buffer.alloc(0);
  for (let i = key.indexOf(0x2f); i >= 0; i = key.indexOf(0x2f, i + 1)) key[i] = 0;
  return key;
}

/** Bounds of the paths below a directory: `0` is the character after `/`. */
function range(path: TreePath): [Buffer, Buffer] {
  return [Buffer.from(`${path}/`, 'latin1'), Buffer.from(`${path}0`, 'latin1')];
}
