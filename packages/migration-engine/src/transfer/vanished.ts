import type { TreeLoader, TreePath, TreeReader } from '@deespec/domain';

/**
 * Removes from `target` every entry that `source` no longer has: both scans are in the same order, so they are walked side
 * by side.
 *
 * @returns how many entries were removed
 */
export function removeVanished(source: TreeReader, target: TreeLoader): number {
  const vanished: TreePath[] = [];
  const live = source.scan()[Symbol.iterator]();
  let next = live.next();
  for (const { path } of target.scan()) {
    while (next.done !== true && order(next.value.path) < order(path)) next = live.next();
    if (next.done === true || next.value.path !== path) vanished.push(path);
  }
  target.batch(() => vanished.forEach((path) => target.removeEntry(path)));
  return vanished.length;
}

/** With `/` below every other byte, a directory's content comes directly after it. */
function order(path: TreePath): string {
  return path.replaceAll('/', '\0');
}
