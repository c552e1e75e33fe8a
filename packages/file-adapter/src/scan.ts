import {
  baseName,
  displayPath,
  parentPath,
  StorageError,
  type DiskStat,
  type TreePath,
} from '@deespec/domain';
import type { BigIntStats } from 'node:fs';

import { bytesOfPath, otherDevice, readError, special, systemCode } from './file-error.js';
import { holdsOnlyBackups, ignoredOwner, type DiskKind, type IgnoredEntry, type KindAt } from './ignored.js';
import { fileStat, kindOf, type TreeRoot } from './tree-root.js';

/** One directory on the way down. */
interface Level {
  readonly prefix: string;
  /** Names still to visit, in byte order. */
  readonly names: readonly string[];
  next: number;
  /** Everything below is another program's: reported, not yielded. */
  readonly isForeign: boolean;
}

/**
 * Every entry below the root in the order of `TreeReader.scan`, ignored ones left out; when `below` is given, that entry and
 * what is below it, where the directories above it are known to be real ones. Holds the names of the directories
 * on the way down, nothing else. An entry that vanishes between its directory's listing and its `lstat` is not there.
 *
 * @throws StorageError `FILE.SPECIAL`, `FILE.PERMISSION`, `FILE.READ_FAILED`, `TREE.NOT_FOUND`; `PREFLIGHT.OTHER_DEVICE` at a
 *   directory of the tree where another file system is mounted
 */
export function* scanTree(
  root: TreeRoot,
  onIgnored: (entry: IgnoredEntry) => void,
  below?: TreePath,
): Generator<DiskStat> {
  const kindAt: KindAt = (path) => {
    const stat = guarded(path, () => root.stat(path));
    return stat === undefined ? undefined : kindOf(stat);
  };
  const device = guarded('', () => root.stat(''))?.dev;
  const levels: Level[] = [below === undefined ? level(rootNames(root), '', false) : levelOf(below)];
  for (let current = levels.at(-1); current !== undefined; current = levels.at(-1)) {
    const name = current.names[current.next++];
    if (name === undefined) {
      levels.pop();
      continue;
    }
    const path = `${current.prefix}${name}` as TreePath;
    const stat = guarded(path, () => root.stat(path));
    if (stat === undefined) continue;
    const kind = kindOf(stat);
    const owner = current.isForeign ? 'foreign' : ignoredOwner(path, kind, kindAt);
    if (owner === 'ours') continue;
    // Only directories: on overlay file systems other entries can have the device of a layer.
    if (owner === undefined && kind === 'directory' && stat.dev !== device) throw otherDevice(path);
    const names = kind === 'directory' ? namesIn(root, path) : [];
    if (names === undefined) continue;
    const isOnlyOurs = path === 'backups' && kind === 'directory' && holdsOnlyBackups(names, kindAt);
    if (owner === 'foreign') onIgnored({ path, kind, bytes: bytesOf(kind, stat) });
    else if (kind === 'special') throw special(path);
    else if (!isOnlyOurs) yield fileStat(path, kind, stat);
    if (names.length > 0) levels.push(level(names, `${path}/`, owner === 'foreign'));
  }
}

function level(names: string[], prefix: string, isForeign: boolean): Level {
  return { prefix, names: names.sort(), next: 0, isForeign };
}

/** The level on which one entry stands alone. */
function levelOf(path: TreePath): Level {
  const parent = parentPath(path);
  return level([baseName(path)], parent === '' ? '' : `${parent}/`, false);
}

/** The names in a directory as byte strings, or `undefined` when it is gone. */
function namesIn(root: TreeRoot, path: string): string[] | undefined {
  try {
    return root.system.readdirSync(root.at(path), { encoding: 'latin1' });
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw readError(error, path);
  }
}

function rootNames(root: TreeRoot): string[] {
  const names = namesIn(root, '');
  if (names !== undefined) return names;
  throw new StorageError(
    'TREE.NOT_FOUND',
    `no tree at "${displayPath(bytesOfPath(root.directory))}" any more`,
    {
      hint: 'check --home',
    },
  );
}

function guarded<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw readError(error, path);
  }
}

function bytesOf(kind: DiskKind, stat: BigIntStats): number {
  return kind === 'file' || kind === 'symlink' ? Number(stat.size) : 0;
}
