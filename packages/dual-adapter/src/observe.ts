import {
  CHUNK_BYTES,
  DIRECTORY_SHA256,
  displayPath,
  isStorageError,
  StorageError,
  type DiskStat,
  type ErrorCode,
  type LoadContent,
  type ProjectedFiles,
  type Projection,
  type TreePath,
} from '@deespec/domain';
import { createHash } from 'node:crypto';

import { isSameStat, type DiskEntry } from './decide.js';

/** What was seen at a path: a version that stood there as a whole, because nothing changed while it was hashed. */
export interface Observation {
  readonly entry: DiskEntry;
  /** When the look began, milliseconds since 1970 UTC. */
  readonly seenAtMs: number;
  /** The content, up to 1 MiB of it. */
  readonly bytes?: Buffer;
}

/** How often a file that changes while it is read is read again. Source: docs/adr/0006. */
const ATTEMPTS = 3;

/**
 * Git's racy rule, milliseconds: a file that changed shortly before it was looked at can have changed again since without
 * a sign, as far as the clock of the file system is fine. Source: https://git-scm.com/docs/racy-git.
 */
const RACY_MS = 2_000;

/** True when a change after `seenAtMs` need not show in the stat. A directory has no content that it could hide. */
export function isRacy(stat: DiskStat, seenAtMs: number): boolean {
  if (stat.kind === 'directory') return false;
  const latest = stat.mtimeNs > stat.ctimeNs ? stat.mtimeNs : stat.ctimeNs;
  return latest >= BigInt(seenAtMs - RACY_MS) * 1_000_000n;
}

/**
 * Looks at a path and hashes what stands there; `undefined`: nothing. A file of another program that is in the middle of
 * being written is a version like any other when it holds still for the length of the look: what it becomes later is
 * another version, found by its times and, within two seconds, by its hash.
 *
 * @throws StorageError `FILE.UNSTABLE` when it changed at every look
 */
export function observe(files: ProjectedFiles, path: TreePath, now: () => Date): Observation | undefined {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    const seenAtMs = now().getTime();
    const before = files.statOf(path);
    if (before === undefined) return undefined;
    const content = hashOf(files, before);
    const after = content === undefined ? undefined : files.statOf(path);
    if (after === undefined || !isSameStat(before, after)) continue;
    return { entry: { ...before, sha256: content!.sha256 }, seenAtMs, ...bytesOf(content!.bytes) };
  }
  throw new StorageError('FILE.UNSTABLE', `"${displayPath(path)}" keeps changing while it is read`, {
    hint: 'it is looked at again at the next "deespec sync"',
    details: { path: displayPath(path) },
  });
}

/** What a look says of a path, as the database records it. */
export function projectionOf({ entry, seenAtMs }: Observation): Projection {
  return { ...entry, seenAtMs };
}

/**
 * The observed content on its way into the database: bytes, or a stream that fails at its end with `FILE.UNSTABLE` when it
 * was no longer what had been seen.
 */
export function contentOf(files: ProjectedFiles, seen: Observation): LoadContent {
  const { entry, bytes } = seen;
  if (bytes !== undefined) return { bytes, sha256: entry.sha256 };
  const chunks = verified(files.read(entry.path), entry, 'FILE.UNSTABLE');
  return { chunks, sha256: () => entry.sha256 };
}

/** The chunks of a content. @throws StorageError `code` at the end, when they were not what `sha256` says */
export function* verified(
  chunks: Iterable<Buffer>,
  { path, sha256 }: { readonly path: TreePath; readonly sha256: string },
  code: ErrorCode,
): Generator<Buffer> {
  const hash = createHash('sha256');
  let size = 0;
  for (const chunk of chunks) {
    hash.update(chunk);
    size += chunk.length;
    yield chunk;
  }
  if (sha256 === DIRECTORY_SHA256 ? size === 0 : hash.digest('hex') === sha256) return;
  throw new StorageError(code, `"${displayPath(path)}" changed while it was read`, {
    hint: 'it is looked at again',
    details: { path: displayPath(path) },
  });
}

function bytesOf(bytes: Buffer | undefined): { bytes?: Buffer } {
  return bytes === undefined ? {} : { bytes };
}

interface Hashed {
  readonly sha256: string;
  readonly bytes?: Buffer;
}

/** `undefined` when it changed or went meanwhile. */
function hashOf(files: ProjectedFiles, stat: DiskStat): Hashed | undefined {
  if (stat.kind === 'directory') return { sha256: DIRECTORY_SHA256, bytes: Buffer.alloc(0) };
  const hash = createHash('sha256');
  const kept: Buffer[] = [];
  let size = 0;
  try {
    for (const chunk of files.read(stat.path)) {
      hash.update(chunk);
      size += chunk.length;
      if (stat.size <= CHUNK_BYTES && size <= CHUNK_BYTES) kept.push(chunk);
    }
  } catch (error) {
    if (isStorageError(error, 'FILE.UNSTABLE') || isStorageError(error, 'FILE.NOT_FOUND')) return undefined;
    throw error;
  }
  if (size !== stat.size) return undefined;
  const sha256 = hash.digest('hex');
  return size > CHUNK_BYTES ? { sha256 } : { sha256, bytes: Buffer.concat(kept) };
}
