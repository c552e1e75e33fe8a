import { CHUNK_BYTES, type TreePath } from '@deespec/domain';
import type { BigIntStats } from 'node:fs';

import { notFound, readError, special, systemCode, unstable } from './file-error.js';
import { READ_FLAGS, type FileSystem } from './file-system.js';
import { kindOf, type TreeRoot } from './tree-root.js';

/** How often a small file is read again before it counts as unstable. Source: docs/adr/0006. */
const ATTEMPTS = 3;

/**
 * The content at `path` in chunks of at most 1 MiB; of a directory, nothing. Up to 1 MiB it is read at once, and again
 * when it changed meanwhile; above, it is a stream that fails when the file changed while it was read.
 *
 * @throws StorageError `FILE.NOT_FOUND`, `FILE.UNSTABLE`, `FILE.SPECIAL`, `FILE.PERMISSION`, `FILE.READ_FAILED`
 */
export function readEntry(root: TreeRoot, path: TreePath): Iterable<Buffer> {
  try {
    if (!root.parentStands(path)) throw notFound(path);
    for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
      const content = readOnce(root, path);
      if (content !== undefined) return content;
    }
  } catch (error) {
    throw readError(error, path);
  }
  throw unstable(path);
}

/** The content, or `undefined` when it changed while it was read. */
function readOnce(root: TreeRoot, path: TreePath): Iterable<Buffer> | undefined {
  const { system } = root;
  let handle: number;
  try {
    handle = system.openSync(root.at(path), READ_FLAGS);
  } catch (error) {
    return unopened(root, path, error);
  }
  try {
    const before = system.fstatSync(handle, { bigint: true });
    const kind = kindOf(before);
    if (kind === 'directory') return [];
    if (kind !== 'file') throw special(path);
    if (before.size > CHUNK_BYTES) return streamFile(root, path);
    const bytes = Buffer.allocUnsafeSlow(Number(before.size));
    const length = fill(system, handle, bytes);
    if (length !== bytes.length || !isSame(before, system.fstatSync(handle, { bigint: true })))
      return undefined;
    return length === 0 ? [] : [bytes];
  } finally {
    system.closeSync(handle);
  }
}

/** What stands at a path that could not be opened as a file. */
function unopened(root: TreeRoot, path: TreePath, error: unknown): Iterable<Buffer> {
  const code = systemCode(error);
  if (code === 'ENXIO') throw special(path); // a socket
  if (code !== 'ELOOP' && code !== 'EMLINK') throw error; // a symlink: ELOOP, on some systems EMLINK
  return [root.system.readlinkSync(root.at(path), { encoding: 'buffer' })];
}

function* streamFile(root: TreeRoot, path: TreePath): Generator<Buffer> {
  const { system } = root;
  try {
    const handle = system.openSync(root.at(path), READ_FLAGS);
    try {
      const before = system.fstatSync(handle, { bigint: true });
      if (kindOf(before) !== 'file') throw unstable(path);
      const total = yield* chunksOf(system, handle);
      const after = system.fstatSync(handle, { bigint: true });
      if (total !== Number(before.size) || !isSame(before, after)) throw unstable(path);
    } finally {
      system.closeSync(handle);
    }
  } catch (error) {
    throw readError(error, path);
  }
}

/** Yields the bytes from here to the end; returns how many they were. */
function* chunksOf(system: FileSystem, handle: number): Generator<Buffer, number> {
  for (let total = 0; ;) {
    const chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES);
    const length = fill(system, handle, chunk);
    total += length;
    if (length > 0) yield length === chunk.length ? chunk : chunk.subarray(0, length);
    if (length < chunk.length) return total;
  }
}

/** Reads until `target` is full or the file ends; returns the bytes read. */
function fill(system: FileSystem, handle: number, target: Buffer): number {
  let done = 0;
  while (done < target.length) {
    const length = system.readSync(handle, target, done, target.length - done, null);
    if (length === 0) break;
    done += length;
  }
  return done;
}

function isSame(before: BigIntStats, after: BigIntStats): boolean {
  return before.size === after.size && before.mtimeNs === after.mtimeNs && before.ctimeNs === after.ctimeNs;
}
