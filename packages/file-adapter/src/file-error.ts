import { displayPath, limitHint, StorageError, systemCode, type ErrorCode } from '@deespec/domain';

export { systemCode };

/** A path of the disk as a byte string, for messages. */
export function bytesOfPath(path: string | Buffer): string {
  return (typeof path === 'string' ? Buffer.from(path) : path).toString('latin1');
}

/** A failed read as a StorageError, classified by code. An error that is not the system's is returned as it is. */
export function readError(error: unknown, path: string): unknown {
  const code = systemCode(error);
  if (code === undefined) return error;
  if (code === 'ENOENT') return notFound(path);
  if (code === 'EACCES' || code === 'EPERM') {
    return failure('FILE.PERMISSION', `no permission to read ${shown(path)}`, {
      hint: 'run as the user who owns the tree, or give that user access',
      path,
      cause: error,
    });
  }
  return failure('FILE.READ_FAILED', `cannot read ${shown(path)} (${code})`, {
    hint: limitHint(code) ?? 'check the disk and the mount, then try again',
    path,
    cause: error,
  });
}

/**
 * How far a write had come when it failed: `before` nothing of the target is changed; `during` the system may have
 * changed it (sync, rename); `after` it is changed, but perhaps not durable.
 */
export type WriteStage = 'before' | 'during' | 'after';

/** A failed write as a StorageError. An error that is not the system's is returned as it is. */
export function writeError(error: unknown, path: string, stage: WriteStage): unknown {
  const code = systemCode(error);
  if (code === undefined) return error;
  if (stage !== 'after') {
    const certain = certainWriteError(code, path, error);
    if (certain !== undefined) return certain;
  }
  if (stage === 'before') {
    return failure('FILE.WRITE_FAILED', `cannot write ${shown(path)} (${code}); it is unchanged`, {
      hint: limitHint(code) ?? 'check the disk and the mount, then try again',
      path,
      cause: error,
    });
  }
  return failure('FILE.OUTCOME_UNKNOWN', `writing ${shown(path)} failed (${code}); it may be old or new`, {
    hint: 'read it again before you write it again',
    path,
    cause: error,
  });
}

/** Nothing stands at `path`. */
export function notFound(path: string): StorageError {
  return failure('FILE.NOT_FOUND', `nothing stands at ${shown(path)}`, {
    hint: 'check the path; another program may have removed it',
    path,
  });
}

/** Something else stands at `path` than a write expected. */
export function changed(path: string, found: string): StorageError {
  return failure('FILE.CHANGED', `${shown(path)} is not what was expected: ${found}`, {
    hint: 'read it again and repeat the change on what stands there now',
    path,
  });
}

/** `path` is a FIFO, socket or device. */
export function special(path: string): StorageError {
  return failure('FILE.SPECIAL', `${shown(path)} is a FIFO, socket or device, which cannot be stored`, {
    hint: 'move it out of .deespec',
    path,
  });
}

/** Another file system is mounted at `path`. */
export function otherDevice(path: string): StorageError {
  return failure('PREFLIGHT.OTHER_DEVICE', `another file system is mounted at ${shown(path)}`, {
    hint: 'unmount it, or put what it holds into .deespec itself; links to it are stored as links',
    path,
  });
}

/** `path` was changed every time it was read. */
export function unstable(path: string): StorageError {
  return failure('FILE.UNSTABLE', `${shown(path)} was changed while it was read`, {
    hint: 'stop the program that writes it, then try again',
    path,
  });
}

interface Failure {
  readonly hint: string;
  readonly path: string;
  readonly cause?: unknown;
}

function failure(code: ErrorCode, message: string, { hint, path, cause }: Failure): StorageError {
  return new StorageError(code, message, { hint, details: { path: displayPath(path) }, cause });
}

function certainWriteError(code: string, path: string, cause: unknown): StorageError | undefined {
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return failure('FILE.NO_SPACE', `no space left to write ${shown(path)}; it is unchanged`, {
      hint: 'free space or raise the quota, then try again',
      path,
      cause,
    });
  }
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') {
    return failure('FILE.PERMISSION', `no permission to write ${shown(path)}; it is unchanged`, {
      hint: 'run as the user who owns the tree, or give that user access',
      path,
      cause,
    });
  }
  return code === 'ENOENT' ? notFound(path) : undefined;
}

function shown(path: string): string {
  return `"${displayPath(path)}"`;
}
