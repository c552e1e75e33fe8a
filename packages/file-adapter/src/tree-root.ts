import { pathToBytes, parentPath, type DiskStat, type EntryKind, type TreePath } from '@deespec/domain';
import type { BigIntStats } from 'node:fs';

import { systemCode } from './file-error.js';
import type { FileSystem } from './file-system.js';
import type { DiskKind } from './ignored.js';

/** The directory that holds a tree: turns paths of the tree into paths of the disk. */
export class TreeRoot {
  /** The parent found to be a directory last, and until when that is believed (ms of the process clock). */
  #believed = { parent: '', untilMs: Infinity };

  constructor(
    readonly directory: string,
    readonly system: FileSystem,
  ) {}

  /** The path on disk; the empty string is the root. A Buffer where the name is no ASCII: it may be no UTF-8 either. */
  at(path: string): string | Buffer {
    if (isAscii.test(path)) return path === '' ? this.directory : `${this.directory}/${path}`;
    return Buffer.concat([Buffer.from(`${this.directory}/`), pathToBytes(path as TreePath)]);
  }

  /** `lstat`, or `undefined` when nothing stands there. */
  stat(path: string): BigIntStats | undefined {
    try {
      return this.system.lstatSync(this.at(path), { bigint: true });
    } catch (error) {
      if (systemCode(error) === 'ENOENT') return undefined;
      throw error;
    }
  }

  /**
   * True when every component above `path` is a real directory; below a symlink or a file nothing of the tree stands.
   * An answer is believed for 100 ms, because checking each parent for each file would double the time of a scan.
   */
  parentStands(path: TreePath): boolean {
    const parent = parentPath(path);
    const nowMs = performance.now();
    if (parent === this.#believed.parent && nowMs < this.#believed.untilMs) return true;
    for (let end = parent.indexOf('/'); ; end = parent.indexOf('/', end + 1)) {
      const part = end < 0 ? parent : parent.slice(0, end);
      const stat = this.stat(part);
      if (stat === undefined || (part !== '' && kindOf(stat) !== 'directory')) return false;
      if (end < 0) break;
    }
    this.#believed = { parent, untilMs: nowMs + 100 };
    return true;
  }

  /** Forgets what {@link parentStands} believes. */
  forget(): void {
    this.#believed = { parent: '', untilMs: 0 };
  }
}

/** What kind of entry a `stat` describes. */
export function kindOf(stat: BigIntStats): DiskKind {
  return kinds[Number(stat.mode) >> 12] ?? 'special';
}

/** A `stat` as the domain's. */
export function fileStat(path: TreePath, kind: EntryKind, stat: BigIntStats): DiskStat {
  return {
    path,
    kind,
    mode: Number(stat.mode) & 0o7777,
    mtimeNs: stat.mtimeNs,
    size: kind === 'directory' ? 0 : Number(stat.size),
    ctimeNs: stat.ctimeNs,
    ino: stat.ino,
  };
}

// eslint-disable-next-line no-control-regex
const isAscii = /^[\u0001-\u007f]*$/u;
/** The file type bits of a mode. Source: inode(7). */
const kinds: Readonly<Record<number, EntryKind>> = { 0o10: 'file', 0o04: 'directory', 0o12: 'symlink' };
