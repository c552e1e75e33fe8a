import type { TreePath, TreeStat } from '@deespec/domain';

/** Text that sorts as scans are ordered: with the separator below every other byte, a directory's content follows it directly. */
export function scanKey(path: TreePath): string {
  return path.replaceAll('/', '\0');
}

/** The entries in the order that `TreeReader.scan` promises. */
export function inScanOrder(stats: readonly TreeStat[]): readonly TreeStat[] {
  const keyed = stats.map((stat) => ({ key: scanKey(stat.path), stat }));
  return keyed.sort((a, b) => (a.key < b.key ? -1 : 1)).map(({ stat }) => stat);
}
