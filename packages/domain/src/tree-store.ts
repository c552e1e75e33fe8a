import type { AuditNote, AuditRecord } from './audit.js';
import { StorageError } from './errors.js';
import type { JournalSpool } from './journal.js';
import type { SbiId } from './sbi.js';
import { displayPath, type TreePath } from './tree-path.js';

/** What stands at a path. Anything else (FIFO, socket, device) cannot be stored and is refused. */
export type EntryKind = 'file' | 'directory' | 'symlink';

/** What `lstat` says of one entry; no content has been read. */
export interface TreeStat {
  readonly path: TreePath;
  readonly kind: EntryKind;
  /** Permission bits, 0 to 0o7777. */
  readonly mode: number;
  /** Modification time, nanoseconds since 1970 UTC. */
  readonly mtimeNs: bigint;
  /** Length in bytes: of a file its content, of a symlink its target, of a directory 0. */
  readonly size: number;
}

/** One entry of a tree with the hash of its content. */
export interface TreeEntry extends TreeStat {
  /** SHA-256 in lower-case hex of the content: a file's bytes, a symlink's target, the empty string for a directory. */
  readonly sha256: string;
}

/** A new version of an entry: what a write puts at a path. */
export interface TreeVersion {
  readonly path: TreePath;
  readonly kind: EntryKind;
  readonly mode: number;
  /** Absent: the store's present time. */
  readonly mtimeNs?: bigint;
  /** A file's bytes or a symlink's target; empty for a directory. */
  readonly bytes: Uint8Array | Chunks;
}

/** Content too large to be held at once. */
export interface Chunks {
  readonly size: number;
  /** SHA-256 in lower-case hex. */
  readonly sha256: string;
  /** The content from its beginning, at most 1 MiB at a time; can be asked for again. */
  readonly open: () => Iterable<Buffer>;
}

/**
 * The content a write expects to replace: its SHA-256 (hex), the empty string for a directory, or `undefined` for
 * "nothing stands there".
 */
export type Expected = string | undefined;

/** SHA-256 of a directory, which has no content of its own. */
export const DIRECTORY_SHA256 = '';

/** Reads a tree. Streams are synchronous because a tree has more entries than an event loop has turns to spend. */
export interface TreeReader {
  /**
   * Every entry below the root except the ignored ones, parents before children, the names of one directory in byte order
   * and each directory's content directly after it (so `a`, `a/x`, `a.b`).
   *
   * @throws StorageError `FILE.SPECIAL`, `FILE.PERMISSION`, `FILE.READ_FAILED`
   */
  scan(): Iterable<TreeStat>;
  /** What stands at `path`, content hashed now, or `undefined`. */
  find(path: TreePath): TreeEntry | undefined;
  /**
   * The content at `path` in chunks of at most 1 MiB: a file's bytes or a symlink's target. Never follows a symlink.
   *
   * @throws StorageError `FILE.NOT_FOUND`; `FILE.UNSTABLE` when the file changed while it was read
   */
  read(path: TreePath): Iterable<Buffer>;
}

/** A tree as a plan of changes sees it: nobody else writes while the plan is made. */
export interface TreeView extends TreeReader {
  /** The events of `var/journal.ndjson` as it is now. */
  readonly journal: JournalSpool;
  /** Every entry of every directory of `specs/sbi` that belongs to the id, in scan order; `[]` when there is none. */
  entriesOf(id: SbiId): readonly TreeStat[];
  /** Directories of `specs/sbi` whose names hold an id, those whose ids sort last first: at most `limit`. */
  newestSbis(limit: number): readonly TreePath[];
}

/** What a change does to one path. */
export type TreeEdit =
  /**
   * Puts a version where `expected` stands. A directory and what is none do not replace one another. A content given in
   * chunks can only be the one edit of its plan.
   */
  | {
      readonly op: 'put';
      readonly version: TreeVersion;
      readonly expected: Expected;
      /** The version is that of the other store, which counts: it is no change of the tree's own. */
      readonly isProjection?: true;
    }
  /**
   * Appends one line, ending in LF, to a journal that other programs append to; made with mode 0o644 when absent. A last
   * line without LF is ended first. Several lines in one edit are one write.
   */
  | { readonly op: 'append'; readonly path: TreePath; readonly line: Buffer }
  /** Removes an entry whose content is `expected`; a directory must be empty. */
  | { readonly op: 'remove'; readonly path: TreePath; readonly expected: string }
  /** Removes a directory with all it holds; the bytes are kept until nobody can need them. */
  | { readonly op: 'discard'; readonly path: TreePath };

/** What is to be done to a tree, and what the audit log says of it. */
export interface EditPlan {
  /** In the order in which they are made. */
  readonly edits: readonly TreeEdit[];
  readonly audit?: readonly AuditNote[];
}

/** What an edit did. */
export interface EditResult {
  /** Every path whose entry changed, came or went, in the order of the edits; below a discarded directory all of them. */
  readonly paths: readonly TreePath[];
  /** What was added to the chain of changes. */
  readonly audit: readonly AuditRecord[];
  /** Names what the files owe to the database since this edit; absent when they owe nothing. */
  readonly debt?: string;
}

/** A set of paths with bytes: the record. The file store, the SQLite store and the memory reference are three of them. */
export interface TreeStore extends TreeReader {
  /**
   * Makes a plan on the tree as it is and carries it out: all of its edits or, when one cannot be made, none. Durable when
   * the promise resolves. No other writer of this kind comes in between; `plan` is synchronous for that reason.
   *
   * Each edit is compared with the tree that the edits before it leave. The parent directory of a put must exist then.
   *
   * @param plan - may throw: nothing is changed then. May be called again when the tree changed meanwhile
   * @throws StorageError `FILE.CHANGED` when something else than expected stands there, `FILE.NOT_FOUND` when nothing does or
   *   the parent directory is missing, `TREE.PATH_UNSAFE`; nothing is changed then
   * @throws StorageError `FILE.OUTCOME_UNKNOWN` when the disk failed on the way
   */
  edit(plan: (tree: TreeView) => EditPlan): Promise<EditResult>;
  /**
   * Shows the tree at one moment. Nothing is changed; `look` is synchronous, and the view ends with it.
   *
   * @param look - may throw, and may be called again
   */
  look<T>(look: (tree: TreeView) => T): Promise<T>;
  /** Releases every handle. A second call does nothing. */
  close(): Promise<void>;
}

/** Puts one version where `expected` stands. @throws StorageError those of {@link TreeStore.edit} */
export async function putIf(store: TreeStore, version: TreeVersion, expected: Expected): Promise<TreeEntry> {
  await store.edit(() => ({ edits: [{ op: 'put', version, expected }] }));
  const stored = store.find(version.path);
  if (stored !== undefined) return stored;
  throw new StorageError('FILE.CHANGED', `"${displayPath(version.path)}" vanished after it was written`, {
    hint: 'another program works on the tree: look at it again',
    details: { path: displayPath(version.path) },
  });
}

/** Removes one entry whose content is `expected`. @throws StorageError those of {@link TreeStore.edit} */
export async function removeIf(store: TreeStore, path: TreePath, expected: string): Promise<void> {
  await store.edit(() => ({ edits: [{ op: 'remove', path, expected }] }));
}
