import { systemCode } from '@deespec/domain';
import { createHash } from 'node:crypto';
import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
  type BigIntStats,
} from 'node:fs';

/** Something below a directory. */
export interface Found {
  /** A byte string as `TreePath`, relative to where the walk began. */
  readonly path: string;
  /** Absent for a directory that cannot be read: what is below it is not known. */
  readonly stat?: BigIntStats;
  readonly code?: string;
}

/** A place on disk: `path` is a byte string, which need not be UTF-8. */
export function placeAt(directory: string, path: string): Buffer {
  return Buffer.concat([Buffer.from(directory), Buffer.from(path === '' ? '' : `/${path}`, 'latin1')]);
}

/** `lstat` of a place, or `undefined` when nothing stands there. */
export function standing(place: Buffer): BigIntStats | undefined {
  return lstatSync(place, { bigint: true, throwIfNoEntry: false });
}

/** Names in a directory, byte strings in byte order; `[]` where there is none. */
export function namesAt(directory: string, path = ''): string[] {
  try {
    return readdirSync(placeAt(directory, path), 'latin1').sort();
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(systemCode(error) ?? '')) return [];
    throw error;
  }
}

/**
 * Everything below a directory whatever it is, parents first. Nothing is followed. Unlike a scan of the tree it stops at nothing: it is
 * for trees that may be damaged.
 *
 * @param below - where to begin, a byte string
 * @param enters - whether to look into a directory
 */
export function* walk(
  directory: string,
  below = '',
  enters: (path: string) => boolean = () => true,
): Generator<Found> {
  let names: string[];
  try {
    names = namesAt(directory, below);
  } catch (error) {
    yield { path: below, code: systemCode(error) ?? 'EIO' };
    return;
  }
  for (const name of names) {
    const path = below === '' ? name : `${below}/${name}`;
    const stat = standing(placeAt(directory, path));
    if (stat === undefined) continue;
    yield { path, stat };
    if (stat.isDirectory() && enters(path)) yield* walk(directory, path, enters);
  }
}

const CHUNK_BYTES = 1_048_576;

/**
 * SHA-256 of a file's content, or of a symlink's target, as the database has it.
 *
 * @returns `undefined` for what has none, such as a FIFO, and for what cannot be read
 */
export function hashAt(place: Buffer): string | undefined {
  const stat = standing(place);
  const hash = createHash('sha256');
  try {
    if (stat?.isSymbolicLink() === true)
      return hash.update(readlinkSync(place, { encoding: 'buffer' })).digest('hex');
    if (stat?.isFile() !== true) return undefined;
    const handle = openSync(place, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      if (!fstatSync(handle).isFile()) return undefined;
      const buffer = Buffer.allocUnsafe(CHUNK_BYTES);
      for (let read = -1; read !== 0;) {
        read = readSync(handle, buffer, 0, CHUNK_BYTES, null);
        hash.update(buffer.subarray(0, read));
      }
      return hash.digest('hex');
    } finally {
      closeSync(handle);
    }
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return undefined; // what cannot be read is proven nowhere: whoever asks keeps it
  }
}
