import {
  CHUNK_BYTES,
  DIRECTORY_SHA256,
  displayPath,
  joinPath,
  parentPath,
  StorageError,
  type Chunks,
  type EntryKind,
  type Expected,
  type LoadContent,
  type LoadEntry,
  type TreeEdit,
  type TreePath,
  type TreeVersion,
} from '@deespec/domain';
import { JOURNAL } from '@deespec/layout';
import type { Database } from 'better-sqlite3';
import { createHash, type Hash } from 'node:crypto';

import { readEntry } from './content-rows.js';
import type { EntryRow } from './entry-rows.js';
import { nextRev } from './storage-state.js';
import { notFound } from './stored-view.js';
import type { UnitWriter } from './unit-writer.js';

/** The hash of a content that may grow, ready to take what is appended to it. */
interface GrowingHash {
  readonly path: TreePath;
  readonly sha256: string;
  readonly hash: Hash;
}

/** What one change has done so far. */
export class RowChanges {
  /** In the order of the edits; a path can come twice. */
  readonly paths: TreePath[] = [];
  /** The first `journalBytes` of the journal are those from before the change. */
  isExtended = true;
  private known: number | undefined;

  /** @param journalBytes - how much of the journal must still begin as it did for `isExtended` */
  constructor(
    private readonly handle: Database,
    readonly journalBytes: number,
  ) {}

  /** Revision of the change; a change that writes no entry has none. */
  get rev(): number {
    return (this.known ??= nextRev(this.handle));
  }
}

/**
 * Makes edits on the rows of the record, each compared with the rows that the ones before it left. Index rows follow when
 * all are made. Every statement runs in the caller's transaction.
 */
export class RowEdits {
  private growing: GrowingHash | undefined;

  constructor(
    private readonly writer: UnitWriter,
    private readonly now: () => Date,
  ) {}

  /** @throws StorageError those of `TreeStore.edit` */
  make(edit: TreeEdit, changes: RowChanges): void {
    switch (edit.op) {
      case 'put':
        return this.putVersion(edit.version, edit.expected, changes);
      case 'append':
        return this.append(edit.path, edit.line, changes);
      case 'remove':
        return this.removeExpected(edit.path, edit.expected, changes);
      case 'discard':
        return this.discard(edit.path, changes);
    }
  }

  /** Puts an entry where the caller knows what stands. */
  put(load: LoadEntry, changes: RowChanges): void {
    const { path } = load.stat;
    if (path === JOURNAL) this.putJournal(load, changes);
    else this.writer.place(load, changes.rev);
    changes.paths.push(path);
  }

  /** Removes an entry that holds nothing, and the index rows that came from it. */
  remove(path: TreePath, changes: RowChanges): void {
    this.writer.remove(path);
    if (path === JOURNAL) changes.isExtended &&= changes.journalBytes === 0;
    changes.paths.push(path);
  }

  /** Gives an entry that stands there another time. */
  date(path: TreePath, mtimeNs: bigint, changes: RowChanges): void {
    const found = this.writer.entries.find(path);
    if (found === undefined) throw notFound(path);
    this.writer.entries.put({ ...found, mtimeNs }, changes.rev);
    changes.paths.push(path);
  }

  private putVersion(version: TreeVersion, expected: Expected, changes: RowChanges): void {
    const path = joinPath('', version.path);
    this.requireParent(path);
    const found = this.writer.entries.find(path);
    if (found?.sha256 !== expected) throw changed(path, 'is not what the write expected to replace');
    requireKind(path, found?.kind, version.kind);
    const { kind, mode, mtimeNs = this.nowNs() } = version;
    const isDirectory = kind === 'directory';
    const size = isDirectory ? 0 : 'open' in version.bytes ? version.bytes.size : version.bytes.length;
    const content = isDirectory ? NOTHING : contentOf(version.bytes);
    this.put({ stat: { path, kind, mode, mtimeNs, size }, content }, changes);
  }

  private append(unsafe: TreePath, line: Buffer, changes: RowChanges): void {
    const path = joinPath('', unsafe);
    this.requireParent(path);
    const old = this.writer.entries.find(path);
    if (old === undefined) {
      const stat = { path, kind: 'file', mode: 0o644, mtimeNs: this.nowNs(), size: line.length } as const;
      return this.put({ stat, content: contentOf(line) }, changes);
    }
    requireFile(path, old.kind);
    const added = this.isEnded(old) ? line : Buffer.concat([LINE_FEED, line]);
    const hash = this.hashOf(old).update(added);
    const sha256 = hash.copy().digest('hex');
    const size = old.size + added.length;
    const grown = { ...old, mtimeNs: this.nowNs(), sha256, size };
    if (old.contentId === undefined) {
      const bytes = Buffer.concat([...readEntry(this.writer.contents, old), added]);
      return this.put({ stat: grown, content: contentOf(bytes) }, changes);
    }
    this.writer.contents.append(old.contentId, added, { sha256, size });
    this.writer.entries.put(grown, changes.rev);
    this.growing = { path, sha256, hash };
    changes.paths.push(path);
  }

  private removeExpected(unsafe: TreePath, expected: string, changes: RowChanges): void {
    const path = joinPath('', unsafe);
    const found = this.writer.entries.find(path);
    if (found === undefined) throw notFound(path);
    if (found.sha256 !== expected) throw changed(path, 'is not what the removal expected');
    if (this.writer.entries.count(path) > 0) throw changed(path, 'is a directory that is not empty');
    this.remove(path, changes);
  }

  /** The rows go at once: the files, which owe the change, move theirs to the trash, and the bytes are kept there. */
  private discard(unsafe: TreePath, changes: RowChanges): void {
    const path = joinPath('', unsafe);
    const found = this.writer.entries.find(path);
    if (found === undefined) throw notFound(path);
    if (found.kind !== 'directory')
      throw changed(path, `is a ${found.kind}, which is not discarded as a whole`);
    for (const below of this.writer.entries.listBelow(path).reverse()) this.remove(below.path, changes);
    this.remove(path, changes);
  }

  /** Finds out whether the journal that is put continues the one that stands there. */
  private putJournal(load: LoadEntry, changes: RowChanges): void {
    const before = this.journalStart(changes.journalBytes);
    this.writer.place(load, changes.rev);
    changes.isExtended &&= before !== undefined && before === this.journalStart(changes.journalBytes);
  }

  /** Hash of the first bytes of the journal, `undefined` when it has fewer. */
  private journalStart(bytes: number): string | undefined {
    const row = bytes === 0 ? undefined : this.writer.entries.find(JOURNAL);
    if (row !== undefined && row.kind !== 'file') return undefined;
    return firstHash(row === undefined ? [] : readEntry(this.writer.contents, row), bytes);
  }

  private isEnded({ path, size }: EntryRow): boolean {
    if (size === 0) return true;
    const row = this.writer.entries.find(path)!;
    const { contentId } = row;
    const chunks =
      contentId === undefined
        ? readEntry(this.writer.contents, row)
        : this.writer.contents.readFrom(contentId, { offset: size - 1, size });
    return Buffer.concat([...chunks]).at(-1) === 0x0a;
  }

  /** The hash of an entry's content, to be updated: kept from the last append when nothing else was written there. */
  private hashOf(row: EntryRow): Hash {
    const known = this.growing;
    if (known?.path === row.path && known.sha256 === row.sha256) return known.hash.copy();
    const hash = createHash('sha256');
    for (const chunk of readEntry(this.writer.contents, row)) hash.update(chunk);
    return hash;
  }

  private requireParent(path: TreePath): void {
    const parent = parentPath(path);
    if (parent === '' || this.writer.entries.find(parent as TreePath)?.kind === 'directory') return;
    throw new StorageError('FILE.NOT_FOUND', `the directory of ${displayPath(path)} does not exist`, {
      hint: 'put the directory first',
      details: { path: displayPath(path) },
    });
  }

  private nowNs(): bigint {
    return BigInt(this.now().getTime()) * 1_000_000n;
  }
}

const LINE_FEED = Buffer.from('\n');

/** Content of a directory. */
const NOTHING: LoadContent = { bytes: Buffer.alloc(0), sha256: DIRECTORY_SHA256 };

/** A directory and what is none do not replace one another: what the directory holds would have no place. */
function requireKind(path: TreePath, found: EntryKind | undefined, kind: EntryKind): void {
  if (found === undefined || (found === 'directory') === (kind === 'directory')) return;
  throw changed(path, `is a ${found}, which a ${kind} does not replace`);
}

function requireFile(path: TreePath, kind: EntryKind): void {
  if (kind !== 'file') throw changed(path, `is a ${kind}, to which nothing is appended`);
}

function changed(path: TreePath, what: string): StorageError {
  return new StorageError('FILE.CHANGED', `${displayPath(path)} ${what}; nothing was changed`, {
    hint: 'read it again and repeat the change',
    details: { path: displayPath(path) },
  });
}

/** Content on its way into rows: at once up to 1 MiB, else in chunks of that size. */
function contentOf(content: Uint8Array | Chunks): LoadContent {
  if ('open' in content) {
    const { chunks, sha256 } = proven(content);
    if (content.size > CHUNK_BYTES) return { chunks, sha256 };
    return { bytes: Buffer.concat([...chunks]), sha256: sha256() };
  }
  const bytes = Buffer.from(content.buffer, content.byteOffset, content.byteLength);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  if (bytes.length <= CHUNK_BYTES) return { bytes, sha256 };
  return { chunks: piecesOf(bytes), sha256: () => sha256 };
}

/** Chunks that are hashed as they pass. The hash is refused when it is not the promised one. */
function proven({ open, sha256 }: Chunks): { chunks: Iterable<Buffer>; sha256: () => string } {
  const hash = createHash('sha256');
  const chunks = (function* () {
    for (const chunk of open()) {
      hash.update(chunk);
      yield chunk;
    }
  })();
  const check = (): string => {
    if (hash.digest('hex') === sha256) return sha256;
    throw new StorageError('FILE.UNSTABLE', 'a content is not the one that its hash was made of', {
      hint: 'a program is writing to the tree: stop it, then run the command again',
    });
  };
  return { chunks, sha256: check };
}

function* piecesOf(bytes: Buffer): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += CHUNK_BYTES) yield bytes.subarray(at, at + CHUNK_BYTES);
}

/** SHA-256 of the first bytes of a content; `undefined` when there are fewer. */
function firstHash(chunks: Iterable<Buffer>, bytes: number): string | undefined {
  const hash = createHash('sha256');
  let left = bytes;
  for (const chunk of chunks) {
    if (left === 0) break;
    const part = chunk.subarray(0, left);
    hash.update(part);
    left -= part.length;
  }
  return left === 0 ? hash.digest('hex') : undefined;
}
