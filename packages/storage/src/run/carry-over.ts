import { displayPath, systemCode, type TreePath } from '@deespec/domain';
import { ignoredOwner, type KindAt } from '@deespec/file-adapter';
import {
  copyFileSync,
  constants,
  linkSync,
  mkdirSync,
  unlinkSync,
  utimesSync,
  type BigIntStats,
} from 'node:fs';

import { placeAt, standing, walk } from './walk.js';

/**
 * Gives a tree that is to take the place of another one what other programs keep there beside the tree's record: their locks and
 * temporary files. Files come along as the same files, so that who has one open keeps it.
 *
 * @returns what could not come along, for display: it stays with the tree that is replaced
 */
export function carryOver(from: string, to: string): string[] {
  const left: string[] = [];
  const kindAt = kindsIn(from);
  const touched = new Map<string, BigIntStats>();
  for (const { path, stat } of walk(from, '', (directory) => directory !== '.storage')) {
    if (stat === undefined || !path.includes('/')) continue;
    const kind = kindAt(path as TreePath) ?? 'special';
    if (ignoredOwner(path as TreePath, kind, kindAt) !== 'foreign') continue;
    const parent = path.slice(0, path.lastIndexOf('/'));
    const target = standing(placeAt(to, parent));
    if (target?.isDirectory() === true && !touched.has(parent)) touched.set(parent, target);
    if (target?.isDirectory() !== true || !bring(placeAt(from, path), placeAt(to, path), stat))
      left.push(displayPath(path));
  }
  // The time of a directory is what was stored, not when this was done.
  for (const [path, { mtimeNs }] of touched) {
    const seconds = Number(mtimeNs / 1_000n) / 1e6 + 5e-7;
    utimesSync(placeAt(to, path), seconds, seconds);
  }
  return left;
}

/** Takes the second names away of what came along: the files themselves stand where they belong. */
export function dropCarried(trash: string, home: string): void {
  const kindAt = kindsIn(trash);
  for (const { path, stat } of walk(trash)) {
    if (stat === undefined || stat.isDirectory() || !path.includes('/')) continue;
    const kind = kindAt(path as TreePath) ?? 'special';
    if (ignoredOwner(path as TreePath, kind, kindAt) !== 'foreign') continue;
    const there = standing(placeAt(home, path));
    if (there?.ino === stat.ino && there.dev === stat.dev) unlinkSync(placeAt(trash, path));
  }
}

/** @returns whether it stands there now */
function bring(from: Buffer, to: Buffer, stat: BigIntStats): boolean {
  try {
    if (stat.isDirectory()) mkdirSync(to, { mode: Number(stat.mode) & 0o7777 });
    else linkOrCopy(from, to, stat);
    return true;
  } catch (error) {
    const code = systemCode(error);
    if (code === undefined) throw error;
    return code === 'EEXIST'; // by an attempt before a crash
  }
}

function linkOrCopy(from: Buffer, to: Buffer, stat: BigIntStats): void {
  try {
    linkSync(from, to);
  } catch (error) {
    const code = systemCode(error);
    if (code === undefined || code === 'EEXIST' || !stat.isFile()) throw error;
    copyFileSync(from, to, constants.COPYFILE_EXCL);
  }
}

/** What stands at paths of a tree. */
export function kindsIn(directory: string): KindAt {
  return (path) => {
    const stat = standing(placeAt(directory, path));
    if (stat === undefined) return undefined;
    if (stat.isFile()) return 'file';
    if (stat.isDirectory()) return 'directory';
    return stat.isSymbolicLink() ? 'symlink' : 'special';
  };
}
