import {
  CHUNK_BYTES,
  DIRECTORY_SHA256,
  displayPath,
  isSbiId,
  joinPath,
  parentPath,
  StorageError,
  type DerivedUnit,
  type Expected,
  type LoadEntry,
  type TreeEntry,
  type TreePath,
  type TreeStat,
  type TreeStore,
  type TreeVersion,
} from '@deespec/domain';
import { classifyPath, deriveTree, MemorySpool } from '@deespec/layout';
import { checks } from '@deespec/validators';
import type { Database } from 'better-sqlite3';
import { createHash } from 'node:crypto';

import { readEntry } from './content-rows.js';
import { nextRev } from './storage-state.js';
import { UnitWriter } from './unit-writer.js';
import type { WriteQueue } from './write-queue.js';

/** What a {@link SqliteTreeStore} works on. */
export interface TreeStoreParts {
  readonly handle: Database;
  readonly queue: WriteQueue;
  readonly now: () => Date;
  readonly close: () => Promise<void>;
}

/**
 * The tree in SQLite: `tree_entry` with its bytes, and the index tables changed in the same transaction as the bytes they
 * are derived from.
 */
export class SqliteTreeStore implements TreeStore {
  private readonly writer: UnitWriter;

  constructor(private readonly parts: TreeStoreParts) {
    this.writer = new UnitWriter(parts.handle);
  }

  scan(): Iterable<TreeStat> {
    return this.writer.entries.scan();
  }

  find(path: TreePath): TreeEntry | undefined {
    return this.writer.entries.find(path);
  }

  read(path: TreePath): Iterable<Buffer> {
    const row = this.writer.entries.find(path);
    if (row !== undefined) return readEntry(this.writer.contents, row);
    throw notFound(path);
  }

  async putIf(version: TreeVersion, expected: Expected): Promise<TreeEntry> {
    const bytes = Buffer.from(version.bytes);
    const isDirectory = version.kind === 'directory';
    const sha256 = isDirectory ? DIRECTORY_SHA256 : createHash('sha256').update(bytes).digest('hex');
    const { kind, mode } = version;
    const path = joinPath('', version.path);
    const mtimeNs = version.mtimeNs ?? BigInt(this.parts.now().getTime()) * 1_000_000n;
    const entry: TreeEntry = { path, kind, mode, mtimeNs, size: isDirectory ? 0 : bytes.length, sha256 };
    return this.parts.queue.run(() => {
      this.requireParent(path);
      this.requireExpected(path, expected);
      this.requireKind(entry);
      this.change(new Map([[path, { entry, bytes: pieces(bytes) }]]), undefined);
      return entry;
    });
  }

  removeIf(path: TreePath, expected: string): Promise<void> {
    return this.parts.queue.run(() => {
      if (this.writer.entries.find(path) === undefined) throw notFound(path);
      this.requireExpected(path, expected);
      if (this.writer.entries.count(path) > 0) {
        throw changed(path, 'is a directory that is not empty');
      }
      this.change(new Map(), path);
    });
  }

  close(): Promise<void> {
    return this.parts.close();
  }

  /** Derives the part of the tree that the change can reach and writes what differs. Runs in one transaction. */
  private change(loads: ReadonlyMap<TreePath, Incoming>, removed: TreePath | undefined): void {
    this.parts.handle.pragma('defer_foreign_keys = ON');
    const rev = nextRev(this.parts.handle);
    const units = [...this.derive(loads, removed)];
    if (removed !== undefined) this.writer.remove(removed);
    for (const unit of units) {
      const own = unit.entries.flatMap(({ path }) => loads.get(path) ?? []);
      this.writer.write(unit, own.map(toLoad), rev);
    }
  }

  private derive(
    loads: ReadonlyMap<TreePath, Incoming>,
    removed: TreePath | undefined,
  ): Iterable<DerivedUnit> {
    const [changed] = removed === undefined ? loads.keys() : [removed];
    const stored = this.writer.entries.listFrom(reach(changed!));
    const kept = stored.filter(({ path }) => path !== removed && !loads.has(path));
    const next = [...kept, ...[...loads.values()].map(({ entry }) => entry)].sort(inScanOrder);
    return deriveTree(
      {
        scan: () => next,
        find: (path) => (path === removed ? undefined : (loads.get(path)?.entry ?? this.find(path))),
        read: (path) => loads.get(path)?.bytes ?? this.read(path),
      },
      { checks, spool: new MemorySpool() },
    );
  }

  private requireParent(path: TreePath): void {
    const parent = parentPath(path);
    if (parent === '' || this.writer.entries.find(parent as TreePath)?.kind === 'directory') return;
    throw new StorageError('FILE.NOT_FOUND', `the directory of ${displayPath(path)} does not exist`, {
      hint: 'put the directory first',
      details: { path: displayPath(path) },
    });
  }

  private requireExpected(path: TreePath, expected: Expected): void {
    const found = this.writer.entries.find(path)?.sha256;
    if (found !== expected) throw changed(path, 'is not what the write expected to replace');
  }

  /** A directory and what is none do not replace one another: what the directory holds would have no place. */
  private requireKind({ path, kind }: TreeEntry): void {
    const found = this.writer.entries.find(path)?.kind;
    if (found === undefined || (found === 'directory') === (kind === 'directory')) return;
    throw changed(path, `is a ${found}, which a ${kind} does not replace`);
  }
}

function notFound(path: TreePath): StorageError {
  return new StorageError('FILE.NOT_FOUND', `nothing stands at ${displayPath(path)}`, {
    hint: 'look at what the tree holds, then repeat the call',
    details: { path: displayPath(path) },
  });
}

function changed(path: TreePath, what: string): StorageError {
  return new StorageError('FILE.CHANGED', `${displayPath(path)} ${what}; nothing was changed`, {
    hint: 'read it again and repeat the change',
    details: { path: displayPath(path) },
  });
}

/** The new version of one entry; its bytes can be read more than once. */
interface Incoming {
  readonly entry: TreeEntry;
  readonly bytes: Iterable<Buffer>;
}

function toLoad({ entry, bytes }: Incoming): LoadEntry {
  const { sha256 } = entry;
  if (entry.size > CHUNK_BYTES) return { stat: entry, content: { chunks: bytes, sha256: () => sha256 } };
  return { stat: entry, content: { bytes: Buffer.concat([...bytes]), sha256 } };
}

/** `bytes` in chunks of at most 1 MiB. */
function pieces(bytes: Buffer): Buffer[] {
  const count = Math.ceil(bytes.length / CHUNK_BYTES);
  return Array.from({ length: count }, (_, i) => bytes.subarray(i * CHUNK_BYTES, (i + 1) * CHUNK_BYTES));
}

/**
 * Prefix of every path whose rows can depend on `path`: the SBI's directories, the journal transaction, the entry itself;
 * `''`, the whole tree, for the files that every unit may depend on.
 */
function reach(path: TreePath): string {
  const { role } = classifyPath(path);
  if (role === 'journal' || role === 'go-state' || role === 'workflow') return '';
  const directory = /^(?:specs\/sbi|journal\/[^/]+)\/[^/]+/u.exec(path)?.[0] ?? path;
  const id = directory.slice('specs/sbi/'.length, 'specs/sbi/'.length + 30);
  return directory.startsWith('specs/sbi/') && isSbiId(id) ? `specs/sbi/${id}` : directory;
}

function inScanOrder(a: TreeStat, b: TreeStat): number {
  const [left, right] = [a.path.replaceAll('/', '\0'), b.path.replaceAll('/', '\0')];
  return left < right ? -1 : left > right ? 1 : 0;
}
