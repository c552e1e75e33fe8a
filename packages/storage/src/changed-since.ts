import { parentPath, type TreePath } from '@deespec/domain';
import { openFileStorage } from '@deespec/file-adapter';
import type { TreeVerification } from '@deespec/verifier';

/** The times of files are taken from a clock that is behind by as much, milliseconds. Source: man 2 clock_getres, CLOCK_REALTIME_COARSE. */
export const CLOCK_TICK_MS = 10;

type FileStore = ReturnType<typeof openFileStorage>['store'];

/**
 * True when all that a comparison found was changed in the files after a moment: at that moment both sides were the same, as far as it
 * goes. Of what is gone the directory counts that it is gone from.
 *
 * @param sinceMs - milliseconds since 1970
 * @throws StorageError `FILE.SPECIAL`, `FILE.PERMISSION`, `FILE.READ_FAILED`
 */
export function isChangedSince(home: string, found: TreeVerification, sinceMs: number): boolean {
  const isAllNamed =
    found.paths.size === found.differenceCount && found.otherTimes.length === found.timeDifferences;
  if (!isAllNamed) return false;
  const { store } = openFileStorage({ home });
  const sinceNs = BigInt(Math.trunc(sinceMs)) * 1_000_000n;
  const paths = [...found.paths.values(), ...found.otherTimes] as TreePath[];
  return paths.every((path) => changedAtNs(store, path) >= sinceNs);
}

/** Paths in which the two sides differ. */
export function differingPaths(found: TreeVerification): TreePath[] {
  return [...new Set(found.paths.values())] as TreePath[];
}

function changedAtNs(files: FileStore, path: string): bigint {
  // Below what is no directory any more nothing stands.
  const stat = path === '' ? files.root.stat(path) : files.statOf(path as TreePath);
  if (stat !== undefined) return stat.ctimeNs;
  return path === '' ? 0n : changedAtNs(files, parentPath(path as TreePath));
}
