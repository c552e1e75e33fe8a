import {
  CHUNK_BYTES,
  isStorageError,
  isText,
  searchedTitle,
  snippetOf,
  type Index,
  type SbiId,
  type SearchedParts,
  type SearchWord,
  type SnippetPart,
  type TreePath,
  type TreeStore,
  type TreeView,
} from '@deespec/domain';

type Snippet = readonly SnippetPart[] | undefined;

/**
 * See `Storage.listSnippets`. Which files are searched is taken from the index and not derived, which would cost more than the
 * search did.
 */
export async function listSnippets(
  { tree, index }: { readonly tree: TreeStore; readonly index: Index },
  ids: readonly SbiId[],
  words: readonly SearchWord[],
): Promise<readonly Snippet[]> {
  const searched = await index.listSearched(ids);
  return tree.look((view) => ids.map((id) => snippetIn(view, searched.get(id), words)));
}

function snippetIn(view: TreeView, parts: SearchedParts | undefined, words: readonly SearchWord[]): Snippet {
  if (parts === undefined) return undefined;
  for (const path of parts.files) {
    const bytes = contentAt(view, path);
    const found = isText(bytes) ? snippetOf(bytes.toString(), words) : undefined;
    if (found !== undefined) return found;
  }
  return snippetOf(searchedTitle(parts.sbi), words);
}

/** What somebody removed since the index was asked, or made too large to be searched, holds no word. */
function contentAt(view: TreeView, path: TreePath): Buffer {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for (const chunk of view.read(path)) {
      size += chunk.length;
      if (size > CHUNK_BYTES) return Buffer.alloc(0);
      chunks.push(Buffer.from(chunk));
    }
  } catch (error) {
    if (!isStorageError(error, 'FILE.NOT_FOUND')) throw error;
  }
  return Buffer.concat(chunks);
}
