import { createHash, hash } from 'node:crypto';
import { closeSync, constants, fstatSync, lstatSync, openSync, readlinkSync, readSync } from 'node:fs';
import type { BigIntStats } from 'node:fs';
import { fileError, isGone, specialError, systemCode, unstableError } from './file-error.js';
import type { Pace } from './pace.js';
import type { Found } from './walk.js';

/** What stands on disk at a path. */
export interface DiskEntry {
  /** Byte string below the root. */
  readonly path: string;
  readonly kind: 'f' | 'd' | 'l';
  /** Permission bits, 0 to 0o7777. */
  readonly mode: number;
  /** Nanoseconds since 1970 UTC. */
  readonly mtimeNs: bigint;
  /** Bytes of a file's content or of a symlink's target; 0 for a directory. */
  readonly size: number;
  /** SHA-256 (hex) of a file's content or a symlink's target; empty for a directory, and for a file that was not read. */
  readonly sha256: string;
  /** A symlink's target; empty for everything else. */
  readonly target: Buffer;
}

/** How often a file that changes under the reader is read before the run gives up. */
const reads = 3;

/** O_NONBLOCK: a name that became a FIFO since it was listed must not hang the open. */
const readOnly = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

const empty = Buffer.alloc(0);

/** `undefined`: nothing stands there any more. */
type Outcome = DiskEntry | undefined;

/** Reads entries through one reused buffer; use one reader per run. */
export class DiskReader {
  readonly #buffer = Buffer.allocUnsafe(1 << 20);

  constructor(private readonly pace: Pace) {}

  /**
   * What stands at `found` without reading a file's content (`stat`), or with its hash (`content`): a file's size, mode and
   * hash belong to one unchanged state of it. `undefined` when nothing stands there any more. A promise only for a file
   * above 1 MiB: one for each of a hundred thousand small files would cost more than reading them.
   *
   * @throws StorageError `FILE.SPECIAL`, `FILE.PERMISSION`, `FILE.READ_FAILED`; `FILE.UNSTABLE` after 3 reads
   */
  read(found: Found, depth: 'stat' | 'content'): Outcome | Promise<Outcome> {
    if (found.kind === 'special') throw specialError(found.path);
    try {
      return found.kind === 'file' && depth === 'content' ? this.#readFile(found) : statEntry(found);
    } catch (error) {
      return goneOrThrow(error, found);
    }
  }

  #readFile(found: Found): Outcome | Promise<Outcome> {
    for (let read = 1; read <= reads; read += 1) {
      const entry = this.#readSmall(found);
      if (entry === 'large')
        return this.#readLarge(found).catch((error: unknown) => goneOrThrow(error, found));
      if (entry !== undefined) return entry;
    }
    throw unstableError(found.path);
  }

  /** One read of a file; `undefined` when it changed meanwhile or is no file any more. */
  #readSmall(found: Found): DiskEntry | 'large' | undefined {
    const descriptor = openFile(found.absolute);
    if (descriptor === undefined) return undefined;
    try {
      const before = fstatSync(descriptor, { bigint: true });
      if (!before.isFile()) return undefined;
      if (before.size > this.#buffer.length) return 'large';
      const sha256 = this.#hashSmall(descriptor, Number(before.size));
      return settle(found, sha256, [before, fstatSync(descriptor, { bigint: true })]);
    } finally {
      closeSync(descriptor);
    }
  }

  async #readLarge(found: Found): Promise<Outcome> {
    for (let read = 1; read <= reads; read += 1) {
      const descriptor = openFile(found.absolute);
      if (descriptor === undefined) continue;
      try {
        const before = fstatSync(descriptor, { bigint: true });
        const sha256 = before.isFile() ? await this.#hashLarge(descriptor, Number(before.size)) : undefined;
        const entry = settle(found, sha256, [before, fstatSync(descriptor, { bigint: true })]);
        if (entry !== undefined) return entry;
      } finally {
        closeSync(descriptor);
      }
    }
    throw unstableError(found.path);
  }

  #hashSmall(descriptor: number, size: number): string | undefined {
    let filled = 0;
    while (filled < size) {
      const bytes = readSync(descriptor, this.#buffer, filled, size - filled, null);
      if (bytes === 0) return undefined;
      filled += bytes;
    }
    this.pace.addBytes(size);
    return hash('sha256', this.#buffer.subarray(0, size));
  }

  async #hashLarge(descriptor: number, size: number): Promise<string | undefined> {
    const sum = createHash('sha256');
    for (let done = 0; done < size;) {
      const bytes = readSync(descriptor, this.#buffer, 0, this.#buffer.length, null);
      if (bytes === 0) return undefined;
      sum.update(this.#buffer.subarray(0, bytes));
      done += bytes;
      this.pace.addBytes(bytes);
      if (this.pace.due) await this.pace.turn();
    }
    return sum.digest('hex');
  }
}

/** Opens a file to read it; `undefined` when a symlink stands there now. */
function openFile(absolute: Buffer): number | undefined {
  try {
    return openSync(absolute, readOnly);
  } catch (error) {
    if (systemCode(error) === 'ELOOP') return undefined;
    throw error;
  }
}

/** The entry, provided that the file was the same before and after its content was read. */
function settle(
  found: Found,
  sha256: string | undefined,
  [before, after]: [BigIntStats, BigIntStats],
): Outcome {
  if (sha256 === undefined || after.size !== before.size) return undefined;
  if (after.mtimeNs !== before.mtimeNs || after.ctimeNs !== before.ctimeNs) return undefined;
  return { ...common(found, 'f', before), size: Number(before.size), sha256, target: empty };
}

function goneOrThrow(error: unknown, found: Found): undefined {
  if (isGone(error)) return undefined;
  throw fileError(error, found.path);
}

function statEntry(found: Found): DiskEntry {
  const stat = lstatSync(found.absolute, { bigint: true });
  if (found.kind === 'file' && stat.isFile()) {
    return { ...common(found, 'f', stat), size: Number(stat.size), sha256: '', target: empty };
  }
  if (found.kind === 'directory' && stat.isDirectory()) {
    return { ...common(found, 'd', stat), size: 0, sha256: '', target: empty };
  }
  if (found.kind === 'symlink' && stat.isSymbolicLink()) {
    const target = readlinkSync(found.absolute, { encoding: 'buffer' });
    return { ...common(found, 'l', stat), size: target.length, sha256: hash('sha256', target), target };
  }
  throw unstableError(found.path);
}

function common<K extends DiskEntry['kind']>(found: Found, kind: K, stat: BigIntStats) {
  return { path: found.path, kind, mode: Number(stat.mode) & 0o7777, mtimeNs: stat.mtimeNs };
}
