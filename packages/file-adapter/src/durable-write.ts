import { displayPath, StorageError, type Chunks } from '@deespec/domain';
import { createHash, randomBytes } from 'node:crypto';

import { bytesOfPath, changed, systemCode, writeError, type WriteStage } from './file-error.js';
import {
  CREATE_FLAGS,
  realFileSystem,
  syncDirectory,
  timeInSeconds,
  writeAll,
  type FileSystem,
} from './file-system.js';

/** A file or symlink to put in place. */
export interface DurableFile {
  /** Where, on disk. Its directory must exist. */
  readonly target: string | Buffer;
  readonly kind: 'file' | 'symlink';
  /** Content, or the target of the symlink. Chunks are of a file, and hashed before the rename. */
  readonly bytes: Uint8Array | Chunks;
  /** Permission bits, whatever the umask is; a symlink has none. */
  readonly mode: number;
  /** Absent: now. */
  readonly mtimeNs?: bigint | undefined;
  /** Runs directly before the rename; when it throws, nothing is changed. */
  readonly beforeRename?: () => void;
  /** How errors call the target, a byte string; default the target itself. */
  readonly name?: string;
  /** Name of the temporary file, one that scans ignore; default a fresh one. */
  readonly temporaryName?: string;
  /** `nothing`: a file that came to stand at the target meanwhile is not replaced. Default `anything`. */
  readonly replaces?: 'anything' | 'nothing';
}

/**
 * Puts a file in place so that a crash leaves the old or the new content, never a mixture, and the new one once this
 * returns: temporary file beside it, write, sync, rename, sync of the directory. The only function of this package that
 * writes content into a tree that is in use.
 *
 * Synchronous on purpose: between `beforeRename` and the rename nothing else of this process runs.
 *
 * @throws StorageError `FILE.NO_SPACE`, `FILE.PERMISSION`, `FILE.NOT_FOUND` (no directory), `FILE.WRITE_FAILED`,
 *   `FILE.CHANGED` (something stands there), `TRANSFER.MISMATCH` (chunks that are not what was announced): unchanged;
 *   `FILE.OUTCOME_UNKNOWN` when the sync or the rename failed, or anything after it
 *
 * Source: docs/adr/0002; "How To Corrupt An SQLite Database File", section 3 (sync), sqlite.org.
 */
export function writeFileDurably(file: DurableFile, system: FileSystem = realFileSystem): void {
  const name = file.name ?? bytesOfPath(file.target);
  const directory = directoryOf(file.target);
  const temporary = beside(directory, file.temporaryName ?? freshTemporaryName());
  let stage: WriteStage = 'before';
  try {
    writeTemporary(system, temporary, { file, beforeSync: () => (stage = 'during') });
    stage = 'before';
    file.beforeRename?.();
    stage = 'during';
    putInPlace(system, temporary, { file, advance: () => (stage = 'after') });
    stage = 'after';
    syncDirectory(system, directory);
  } catch (error) {
    const failure = writeError(error, name, stage);
    if (stage === 'after') throw failure;
    throw withCleanup(failure, () => system.unlinkSync(temporary));
  }
}

/** Renames the temporary file, or links it where nothing may be replaced; `advance` runs once the target stands. */
function putInPlace(
  system: FileSystem,
  temporary: string | Buffer,
  { file, advance }: { file: DurableFile; advance: () => void },
): void {
  // A link to a symlink is not the same on every system.
  if (file.replaces !== 'nothing' || file.kind === 'symlink')
    return system.renameSync(temporary, file.target);
  try {
    system.linkSync(temporary, file.target);
  } catch (error) {
    const code = systemCode(error);
    if (code === 'EEXIST') {
      throw changed(file.name ?? bytesOfPath(file.target), 'another program put something there');
    }
    if (code === undefined || !withoutHardLinks.has(code)) throw error;
    return system.renameSync(temporary, file.target);
  }
  advance();
  system.unlinkSync(temporary);
}

/** What `link` fails with where there are no hard links, or not to this file. Source: link(2). */
export const withoutHardLinks: ReadonlySet<string> = new Set([
  'EPERM',
  'EOPNOTSUPP',
  'ENOTSUP',
  'ENOSYS',
  'EMLINK',
  'EXDEV',
]);

/** Writes the temporary file to the end; `beforeSync` runs when all that is left is the sync. */
function writeTemporary(
  system: FileSystem,
  temporary: string | Buffer,
  { file, beforeSync }: { file: DurableFile; beforeSync: () => void },
): void {
  const time = file.mtimeNs === undefined ? undefined : timeInSeconds(file.mtimeNs);
  if (file.kind === 'symlink') {
    system.symlinkSync(wholeOf(file.bytes), temporary);
    if (time !== undefined) system.lutimesSync(temporary, time, time);
    return;
  }
  const handle = system.openSync(temporary, CREATE_FLAGS, 0o600);
  try {
    writeContent(system, handle, file);
    system.fchmodSync(handle, file.mode);
    if (time !== undefined) system.futimesSync(handle, time, time);
    beforeSync();
    system.fsyncSync(handle);
  } finally {
    system.closeSync(handle);
  }
}

function writeContent(system: FileSystem, handle: number, file: DurableFile): void {
  const { bytes } = file;
  if (bytes instanceof Uint8Array) return writeAll(system, handle, bytes);
  const hash = createHash('sha256');
  let size = 0;
  for (const chunk of bytes.open()) {
    hash.update(chunk);
    size += chunk.length;
    writeAll(system, handle, chunk);
  }
  if (size === bytes.size && hash.digest('hex') === bytes.sha256) return;
  const shown = displayPath(file.name ?? bytesOfPath(file.target));
  throw new StorageError(
    'TRANSFER.MISMATCH',
    `the content for "${shown}" is not the one that was announced`,
    {
      hint: 'check where it comes from: "deespec verify"; nothing was changed',
      details: { path: shown, size, expectedSize: bytes.size },
    },
  );
}

function wholeOf(bytes: Uint8Array | Chunks): Buffer {
  return bytes instanceof Uint8Array ? Buffer.from(bytes) : Buffer.concat([...bytes.open()]);
}

/** The directory of a path on disk. */
export function directoryOf(target: string | Buffer): string | Buffer {
  if (typeof target === 'string') return target.slice(0, Math.max(1, target.lastIndexOf('/')));
  return target.subarray(0, Math.max(1, target.lastIndexOf(0x2f)));
}

/** Ours to see, short enough beside any target, and on the list of what a scan ignores. */
export const TEMPORARY_PREFIX = '.tmp-deespec-';

function freshTemporaryName(): string {
  return TEMPORARY_PREFIX + randomBytes(12).toString('hex');
}

/** A name of ASCII in `directory`. */
export function beside(directory: string | Buffer, name: string): string | Buffer {
  if (typeof directory === 'string') return `${directory}/${name}`;
  return Buffer.concat([directory, Buffer.from(`/${name}`)]);
}

/** Runs `cleanup`; when it fails too, the first error stays and carries the second. */
function withCleanup(error: unknown, cleanup: () => void): unknown {
  try {
    cleanup();
  } catch (second) {
    if (error instanceof Error && systemCode(second) !== 'ENOENT') {
      error.cause = new AggregateError([error.cause, second], 'the temporary file is left behind');
    }
  }
  return error;
}
