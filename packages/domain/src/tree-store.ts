import type { TreePath } from './tree-path.js';

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
  readonly bytes: Uint8Array;
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

/** A set of paths with bytes: the record. The file store, the SQLite store and the memory reference are three of them. */
export interface TreeStore extends TreeReader {
  /**
   * Puts `version` at its path when the present content is `expected`; durable when the promise resolves. The parent
   * directory must exist.
   *
   * @returns the entry as stored
   * @throws StorageError `FILE.CHANGED` when something else stands there; nothing is changed then
   * @throws StorageError `FILE.NOT_FOUND` when the parent directory does not exist
   */
  putIf(version: TreeVersion, expected: Expected): Promise<TreeEntry>;
  /**
   * Removes what stands at `path` when its content is `expected`; a directory must be empty. Durable when it resolves.
   *
   * @throws StorageError `FILE.CHANGED`, `FILE.NOT_FOUND`
   */
  removeIf(path: TreePath, expected: string): Promise<void>;
  /** Releases every handle. A second call does nothing. */
  close(): Promise<void>;
}
