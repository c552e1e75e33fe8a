import {
  chmodSync,
  closeSync,
  existsSync,
  fchmodSync,
  futimesSync,
  linkSync,
  lutimesSync,
  mkdirSync,
  openSync,
  readdirSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeSync,
} from 'node:fs';

import { joinPath, parentPath, pathToBytes, type TreePath } from '@deespec/domain';

/** What was written, the root directory not counted. */
export interface TreeCounts {
  readonly files: number;
  readonly directories: number;
  readonly symlinks: number;
  /** Contents of files and targets of symlinks; a hard-linked content counts once per name. */
  readonly bytes: number;
}

/** Mode and time of an entry. */
export interface Stamp {
  /** Permission bits. */
  readonly mode: number;
  /** Modification time, microseconds since 1970 UTC. */
  readonly mtimeUs: number;
}

/** Content of a file: whole, or in chunks when it may be large. */
export type Content = string | Uint8Array | Iterable<string | Uint8Array>;

/**
 * Writes entries below one directory and counts them. Paths are bytes, so every name a file system can hold can be made.
 * Directories get their mode and time in {@link finish}, because writing into them changes the time.
 */
export class TreeWriter {
  readonly #root: Buffer;
  readonly #directories = new Map<TreePath, Stamp>();
  #files = 0;
  #symlinks = 0;
  #bytes = 0;

  /** @param root - directory to create; may exist when it is empty */
  constructor(root: string) {
    if (existsSync(root) && readdirSync(root).length > 0) throw new Error(`directory is not empty: ${root}`);
    mkdirSync(root, { recursive: true });
    this.#root = Buffer.from(`${root}/`);
  }

  /** Creates a directory. Its parents, where missing, get the same stamp, so that no time comes from the machine. */
  directory(path: TreePath, stamp: Stamp): void {
    if (this.#directories.has(path)) return;
    this.makeParents(path, stamp.mtimeUs);
    mkdirSync(this.absolute(path));
    this.#directories.set(path, stamp);
  }

  /** Creates a file and its missing parents. */
  file(path: TreePath, content: Content, stamp: Stamp): void {
    this.makeParents(path, stamp.mtimeUs);
    const descriptor = openSync(this.absolute(path), 'wx');
    let size = 0;
    try {
      const chunks = typeof content === 'string' || content instanceof Uint8Array ? [content] : content;
      for (const chunk of chunks) size += writeWhole(descriptor, chunk);
      fchmodSync(descriptor, stamp.mode);
      futimesSync(descriptor, seconds(stamp.mtimeUs), seconds(stamp.mtimeUs));
    } finally {
      closeSync(descriptor);
    }
    this.#files += 1;
    this.#bytes += size;
  }

  /** A second name for a file that this writer wrote. */
  hardLink(existing: TreePath, path: TreePath): void {
    linkSync(this.absolute(existing), this.absolute(path));
    this.#files += 1;
    this.#bytes += statSync(this.absolute(path)).size;
  }

  /** Creates a symlink with exactly these target bytes, wherever they point. */
  symlink(path: TreePath, target: Buffer, mtimeUs: number): void {
    this.makeParents(path, mtimeUs);
    symlinkSync(target, this.absolute(path));
    lutimesSync(this.absolute(path), seconds(mtimeUs), seconds(mtimeUs));
    this.#symlinks += 1;
    this.#bytes += target.length;
  }

  /** Stamps every directory, children before parents. Nothing may be written afterwards. */
  finish(): TreeCounts {
    for (const [path, stamp] of [...this.#directories].reverse()) {
      utimesSync(this.absolute(path), seconds(stamp.mtimeUs), seconds(stamp.mtimeUs));
      chmodSync(this.absolute(path), stamp.mode);
    }
    const directories = this.#directories.size;
    return { files: this.#files, directories, symlinks: this.#symlinks, bytes: this.#bytes };
  }

  private makeParents(path: TreePath, mtimeUs: number): void {
    const parent = parentPath(path);
    if (parent !== '') this.directory(joinPath('', parent), { mode: 0o755, mtimeUs });
  }

  private absolute(path: TreePath): Buffer {
    return Buffer.concat([this.#root, pathToBytes(path)]);
  }
}

function writeWhole(descriptor: number, chunk: string | Uint8Array): number {
  const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
  let written = 0;
  while (written < bytes.length) written += writeSync(descriptor, bytes, written);
  return written;
}

/** Seconds for `utimes`. The 0.2 us keep a microsecond whose double lies just below it from being rounded away. */
function seconds(us: number): number {
  return (us + 0.2) / 1_000_000;
}
