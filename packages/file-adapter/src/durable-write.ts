import { randomBytes } from 'node:crypto';

import { bytesOfPath, systemCode, writeError, type WriteStage } from './file-error.js';
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
  /** Content, or the target of the symlink. */
  readonly bytes: Uint8Array;
  /** Permission bits, whatever the umask is; a symlink has none. */
  readonly mode: number;
  /** Absent: now. */
  readonly mtimeNs?: bigint | undefined;
  /** Runs directly before the rename; when it throws, nothing is changed. */
  readonly beforeRename?: () => void;
  /** How errors call the target, a byte string; default the target itself. */
  readonly name?: string;
}

/**
 * Puts a file in place so that a crash leaves the old or the new content, never a mixture, and the new one once this
 * returns: temporary file beside it, write, sync, rename, sync of the directory. The only function of this package that
 * writes content into a tree that is in use.
 *
 * Synchronous on purpose: between `beforeRename` and the rename nothing else of this process runs.
 *
 * @throws StorageError `FILE.NO_SPACE`, `FILE.PERMISSION`, `FILE.NOT_FOUND` (no directory), `FILE.WRITE_FAILED`: unchanged;
 *   `FILE.OUTCOME_UNKNOWN` when the sync or the rename failed, or anything after it
 *
 * Source: docs/adr/0002; "How To Corrupt An SQLite Database File", section 3 (sync), sqlite.org.
 */
export function writeFileDurably(file: DurableFile, system: FileSystem = realFileSystem): void {
  const name = file.name ?? bytesOfPath(file.target);
  const directory = directoryOf(file.target);
  const temporary = beside(directory);
  let stage: WriteStage = 'before';
  try {
    writeTemporary(system, temporary, { file, beforeSync: () => (stage = 'during') });
    stage = 'before';
    file.beforeRename?.();
    stage = 'during';
    system.renameSync(temporary, file.target);
    stage = 'after';
    syncDirectory(system, directory);
  } catch (error) {
    const failure = writeError(error, name, stage);
    if (stage === 'after') throw failure;
    throw withCleanup(failure, () => system.unlinkSync(temporary));
  }
}

/** Writes the temporary file to the end; `beforeSync` runs when all that is left is the sync. */
function writeTemporary(
  system: FileSystem,
  temporary: string | Buffer,
  { file, beforeSync }: { file: DurableFile; beforeSync: () => void },
): void {
  const time = file.mtimeNs === undefined ? undefined : timeInSeconds(file.mtimeNs);
  if (file.kind === 'symlink') {
    system.symlinkSync(Buffer.from(file.bytes), temporary);
    if (time !== undefined) system.lutimesSync(temporary, time, time);
    return;
  }
  const handle = system.openSync(temporary, CREATE_FLAGS, 0o600);
  try {
    writeAll(system, handle, file.bytes);
    system.fchmodSync(handle, file.mode);
    if (time !== undefined) system.futimesSync(handle, time, time);
    beforeSync();
    system.fsyncSync(handle);
  } finally {
    system.closeSync(handle);
  }
}

/** The directory of a path on disk. */
export function directoryOf(target: string | Buffer): string | Buffer {
  if (typeof target === 'string') return target.slice(0, Math.max(1, target.lastIndexOf('/')));
  return target.subarray(0, Math.max(1, target.lastIndexOf(0x2f)));
}

/** A fresh name in `directory`: ours to see, short enough beside any target, and on the list of what a scan ignores. */
function beside(directory: string | Buffer): string | Buffer {
  const name = `/.tmp-deespec-${randomBytes(12).toString('hex')}`;
  return typeof directory === 'string' ? directory + name : Buffer.concat([directory, Buffer.from(name)]);
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
