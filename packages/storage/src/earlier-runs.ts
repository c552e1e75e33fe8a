import type { TreeEntry, TreePath, TreeStore, TreeView } from '@deespec/domain';
import { earlierRunPath } from '@deespec/layout';

/**
 * Tells where the stored bytes of a step file belong that another program overwrote in a later run: its journal says so.
 *
 * @returns `undefined` from the function for everything else
 */
export async function earlierRuns(
  files: TreeStore,
): Promise<(path: TreePath, entry: TreeEntry) => TreePath | undefined> {
  let view: TreeView | undefined;
  await files.edit((present) => {
    view = present;
    return { edits: [] };
  });
  return (path, entry) => (view === undefined ? undefined : earlierRunPath(path, view, entry));
}
