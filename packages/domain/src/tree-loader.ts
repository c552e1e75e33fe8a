import type { DerivedUnit } from './derived.js';
import type { TreePath } from './tree-path.js';
import type { TreeEntry, TreeReader, TreeStat } from './tree-store.js';

/** Content of an entry on its way into a store. */
export type LoadContent =
  /** At most {@link CHUNK_BYTES}; hashed by the caller. */
  | { readonly bytes: Buffer; readonly sha256: string }
  /** Larger: chunks to consume once; the hash is known after the last. */
  | { readonly chunks: Iterable<Buffer>; readonly sha256: () => string };

/** An entry to write, with its content; a directory has empty bytes. */
export interface LoadEntry {
  readonly stat: TreeStat;
  readonly content: LoadContent;
}

/** What a write of one unit changed. */
export interface UnitChange {
  readonly entries: number;
  readonly bytes: number;
  readonly rows: number;
}

/** Contents above this size are stored, and streamed, as rows of this size: 1 MiB. Source: docs/adr/0006. */
export const CHUNK_BYTES = 1_048_576;

/**
 * Bulk writing into a database that nobody else can reach: a new one, or the copy of a published one. Nothing is durable
 * before the database is published.
 */
export interface TreeLoader extends TreeReader {
  /** The stored entry without reading its content, or `undefined`. */
  lookup(path: TreePath): TreeEntry | undefined;
  /** How many entries are stored, below `path` when one is given. */
  count(path?: TreePath): number;
  /**
   * Writes the rows of one unit that differ from what is stored: the given entries, the unit's index rows, and the state
   * of every entry of the unit. Index rows of this unit that are no longer derived are removed.
   *
   * @param entries - those whose bytes, mode or time are to be written, in scan order; may be consumed lazily
   */
  writeUnit(unit: DerivedUnit, entries: Iterable<LoadEntry>): UnitChange;
  /** Removes an entry that is no longer in the source, and the index rows that came from it. */
  removeEntry(path: TreePath): void;
  /** Runs `work` in one transaction. `work` is synchronous. */
  batch<T>(work: () => T): T;
}
