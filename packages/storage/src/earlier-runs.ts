import type { TreeEntry, TreePath, TreeStore } from '@deespec/domain';
import { earlierRunPath, isStepFile } from '@deespec/layout';

/**
 * Tells where the stored bytes of a step file belong that another program overwrote in a later run: its journal says so.
 *
 * @returns a function that answers `undefined` for everything else
 */
export function earlierRuns(
  files: TreeStore,
): (path: TreePath, entry: TreeEntry) => Promise<TreePath | undefined> {
  return async (path, entry) =>
    // Looking waits for every writer: not for each file that changed.
    isStepFile(path) ? files.look((tree) => earlierRunPath(path, tree, entry)) : undefined;
}
