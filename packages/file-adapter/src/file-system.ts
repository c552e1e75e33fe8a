import fs from 'node:fs';

/** The calls this package makes. A parameter, so that a test can make the n-th of them fail. */
export type FileSystem = Pick<
  typeof fs,
  | 'chmodSync'
  | 'closeSync'
  | 'fchmodSync'
  | 'fstatSync'
  | 'fsyncSync'
  | 'futimesSync'
  | 'linkSync'
  | 'lstatSync'
  | 'lutimesSync'
  | 'mkdirSync'
  | 'openSync'
  | 'readSync'
  | 'readdirSync'
  | 'readlinkSync'
  | 'renameSync'
  | 'rmdirSync'
  | 'symlinkSync'
  | 'unlinkSync'
  | 'utimesSync'
  | 'writeSync'
>;

/** The real one. */
export const realFileSystem: FileSystem = fs;

/** Reading without following a symlink and without waiting for a FIFO's writer. */
export const READ_FLAGS = fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW | fs.constants.O_NONBLOCK;

/** Creating a file that must not exist, not even as a symlink. */
export const CREATE_FLAGS =
  fs.constants.O_WRONLY | fs.constants.O_CREAT | fs.constants.O_EXCL | fs.constants.O_NOFOLLOW;

/** Appending to a file that exists, reading its end first. */
export const APPEND_FLAGS =
  fs.constants.O_RDWR | fs.constants.O_APPEND | fs.constants.O_NOFOLLOW | fs.constants.O_NONBLOCK;

/** Appending to a file that must not exist yet. */
export const CREATE_APPEND_FLAGS = APPEND_FLAGS | fs.constants.O_CREAT | fs.constants.O_EXCL;

/** Opening a directory in order to sync it. */
const DIRECTORY_FLAGS = fs.constants.O_RDONLY | fs.constants.O_DIRECTORY;

/** Makes the names in a directory durable. */
export function syncDirectory(system: FileSystem, directory: string | Buffer): void {
  const handle = system.openSync(directory, DIRECTORY_FLAGS);
  try {
    system.fsyncSync(handle);
  } finally {
    system.closeSync(handle);
  }
}

/** Writes every byte, however many calls it takes. */
export function writeAll(system: FileSystem, handle: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length;) {
    done += system.writeSync(handle, bytes, done, bytes.length - done);
  }
}

/**
 * Nanoseconds as the seconds that `utimes` wants, so that the file's time is right to the microsecond (rounded down). The
 * call truncates to it and a double cannot hold every microsecond, hence half of one more. Before 1970 the number goes as
 * text: Node takes a negative number for "now".
 */
export function timeInSeconds(nanoseconds: bigint): number | string {
  const rest = ((nanoseconds % 1000n) + 1000n) % 1000n;
  const microseconds = Number((nanoseconds - rest) / 1000n);
  return microseconds < 0 ? String(microseconds / 1e6 - 5e-7) : microseconds / 1e6 + 5e-7;
}
