import {
  holdsWords,
  isStorageError,
  parseSearch,
  type Sbi,
  type TreePath,
  type IndexFilter,
} from '@deespec/domain';
import { setImmediate as nextTurn } from 'node:timers/promises';

import { pageSize, sbisInOrder, type IndexRows } from './index-rows.js';

/** What is searched. */
export interface SearchSource {
  rows(): Promise<IndexRows>;
  /** The content at a path now. */
  read(path: TreePath): Iterable<Buffer>;
}

/** SBIs that are looked through before others get a turn. */
const AT_ONCE = 20;

/**
 * A page as `Index.listSbis` says, of SBIs that hold every word of `filter.search`. There is no index of words: SBIs are looked through
 * in the order of the list until the page is full.
 *
 * @throws StorageError `SBI.NOT_FOUND` for `after`, `USAGE.INVALID`; those of reading a file, but `FILE.NOT_FOUND`
 */
export async function searchSbis(
  source: SearchSource,
  filter: IndexFilter & { readonly search: string },
): Promise<Sbi[]> {
  const words = parseSearch(filter.search);
  const limit = pageSize(filter.limit);
  const rows = await source.rows();
  const read = (path: TreePath): Buffer => contentAt(source, path);
  const found: Sbi[] = [];
  for (const [at, sbi] of sbisInOrder(rows, filter).entries()) {
    if (found.length === limit) break;
    if (at % AT_ONCE === AT_ONCE - 1) await nextTurn();
    if (holdsWords(words, { sbi, files: rows.searched.get(sbi.id) ?? [], read })) found.push(sbi);
  }
  return found;
}

/** A file that somebody removed since its SBI was looked at holds no word. */
function contentAt(source: SearchSource, path: TreePath): Buffer {
  try {
    return Buffer.concat([...source.read(path)]);
  } catch (error) {
    if (isStorageError(error, 'FILE.NOT_FOUND')) return Buffer.alloc(0);
    throw error;
  }
}
