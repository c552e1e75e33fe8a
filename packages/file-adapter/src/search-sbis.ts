import {
  holdsWords,
  isStorageError,
  parseSearch,
  sbiComparer,
  type IndexFilter,
  type Sbi,
  type TreePath,
} from '@deespec/domain';
import { setImmediate as nextTurn } from 'node:timers/promises';

import { FirstOf } from './first-of.js';
import { pageSize, sbisOf, type UnitRows } from './index-rows.js';

/** What is searched. */
export interface SearchSource {
  readonly units: Iterable<UnitRows>;
  /** The content at a path now. */
  read(path: TreePath): Iterable<Buffer>;
}

/** SBIs that are passed before others get a turn. */
const AT_ONCE = 20;

/**
 * A page as `Index.listSbis` says, of SBIs that hold every word of `filter.search`. There is no index of words: each SBI that could
 * stand on the page, from what was found before it, is looked through.
 *
 * @param after - the SBI that `filter.after` names
 * @throws StorageError `USAGE.INVALID`; those of reading a file, but `FILE.NOT_FOUND`
 */
export async function searchSbis(
  source: SearchSource,
  filter: IndexFilter & { readonly search: string },
  after: Sbi | undefined,
): Promise<Sbi[]> {
  const words = parseSearch(filter.search);
  const page = new FirstOf<Sbi>(sbiComparer(filter), pageSize(filter.limit));
  const read = (path: TreePath): Buffer => contentAt(source, path);
  let passed = 0;
  for (const { sbi, searched } of sbisOf(source.units, filter, after)) {
    passed += 1;
    if (passed % AT_ONCE === 0) await nextTurn();
    if (page.wants(sbi) && holdsWords(words, { sbi, files: searched, read })) page.offer(sbi);
  }
  return [...page.inOrder];
}

/** A file that somebody removed since its SBI was looked at holds no word. */
function contentAt(source: SearchSource, path: TreePath): Buffer {
  try {
    const chunks = [...source.read(path)];
    return chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks);
  } catch (error) {
    if (isStorageError(error, 'FILE.NOT_FOUND')) return Buffer.alloc(0);
    throw error;
  }
}
