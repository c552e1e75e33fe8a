import type { TreePath } from './tree-path.js';
import type { Expected, TreeVersion } from './tree-store.js';

/** What a change does to one path. */
export type TreeEdit =
  /**
   * Puts a version where `expected` stands. A directory and what is none do not replace one another. A content given in
   * chunks can only be the one edit of its plan.
   */
  | { readonly op: 'put'; readonly version: TreeVersion; readonly expected: Expected }
  /**
   * Appends one line, ending in LF, to a journal that other programs append to; made with mode 0o644 when absent. A last
   * line without LF is ended first. Several lines in one edit are one write.
   */
  | { readonly op: 'append'; readonly path: TreePath; readonly line: Buffer }
  /** Removes an entry whose content is `expected`; a directory must be empty. */
  | { readonly op: 'remove'; readonly path: TreePath; readonly expected: string }
  /** Removes a directory with all it holds; the bytes are kept until nobody can need them. */
  | { readonly op: 'discard'; readonly path: TreePath };
