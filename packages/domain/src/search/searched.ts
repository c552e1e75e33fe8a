import { isUtf8 } from 'node:buffer';

import type { Sbi } from '../sbi.js';
import { CHUNK_BYTES } from '../tree-loader.js';
import type { TreePath } from '../tree-path.js';
import type { TreeStat } from '../tree-store.js';
import { WordSearch, type SearchWord } from './words.js';

/** So much of one SBI is searched, bytes: its words are indexed anew whenever one of its files changes. */
const MOST_BYTES = 4 * CHUNK_BYTES;

/** An SBI's directory with what it means, as far as a search needs it. */
export interface SearchedUnit {
  readonly path: TreePath;
  /** In scan order. */
  readonly entries: readonly TreeStat[];
  readonly executions: readonly { readonly contentPath?: TreePath }[];
}

/**
 * The files of an SBI that are searched: `spec.md`, then the contents of its executions in scan order; each of at most 1 MiB, and
 * as many as are 4 MiB together.
 */
export function searchedFiles(unit: SearchedUnit): readonly TreeStat[] {
  const contents = new Set(unit.executions.map(({ contentPath }) => contentPath));
  const files = unit.entries.filter(({ kind, size }) => kind === 'file' && size <= CHUNK_BYTES);
  const specs = files.filter(({ path }) => path === `${unit.path}/spec.md`);
  let left = MOST_BYTES;
  return [...specs, ...files.filter(({ path }) => contents.has(path))].filter(({ size }) => {
    const fits = size <= left;
    if (fits) left -= size;
    return fits;
  });
}

/** The title as it is searched; empty when there is none. */
export function searchedTitle({ metadata }: Pick<Sbi, 'metadata'>): string {
  const { title } = metadata;
  return typeof title === 'string' ? title : '';
}

/** True for bytes that are text: well-formed UTF-8 without NUL. Others are kept and not searched. */
export function isText(bytes: Buffer): boolean {
  return isUtf8(bytes) && !bytes.includes(0);
}

/** Where words of an SBI can stand. */
export interface SearchedParts {
  readonly sbi: Pick<Sbi, 'metadata'>;
  /** As {@link searchedFiles} has them. */
  readonly files: readonly TreePath[];
}

/** An SBI to look through. */
export interface SearchedSbi extends SearchedParts {
  /** The content of one of them, whole. */
  readonly read: (path: TreePath) => Buffer;
}

/** Whether every word occurs in an SBI: in its title or one of its files. Reads no more files than it takes to know. */
export function holdsWords(words: readonly SearchWord[], { sbi, files, read }: SearchedSbi): boolean {
  const search = new WordSearch(words);
  search.take(searchedTitle(sbi));
  for (const path of files) {
    if (search.isComplete) break;
    const bytes = read(path);
    if (isText(bytes)) search.take(bytes.toString());
  }
  return search.isComplete;
}
