import { StorageError } from '@deespec/domain';
import { closeSync, constants, fstatSync, openSync, renameSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { pino, stdTimeFunctions, type Logger } from 'pino';

import type { HomePaths } from '../home.js';
import { makeOwnDirectory } from '../own-directory.js';

/** A file of the log does not grow beyond this, bytes. */
const MOST_BYTES = 5 * 1_048_576;

/** Files that are kept beside the one that is written. */
const KEPT = 5;

/** The log of the background service. It never holds content of the tree: codes, messages, counts and paths only. */
export interface ServiceLog {
  readonly to: Logger;
  /** Lines that could not be written, for want of room. */
  readonly lost: number;
  close(): void;
}

/**
 * Opens `.storage/log/service.log`: one JSON object a line, for this user alone, followed by `service.log.1` to `.5`.
 *
 * @throws StorageError `DATABASE.UNSAFE_LINK` when something else stands there; `FILE.*`
 */
export function openLog(paths: HomePaths): ServiceLog {
  makeOwnDirectory(paths.log);
  const file = new RotatingFile(logFile(paths));
  const options = { base: { pid: process.pid }, timestamp: stdTimeFunctions.isoTime };
  const to = pino({ ...options, formatters: { level: (level) => ({ level }) } }, file);
  return {
    to,
    get lost() {
      return file.lost;
    },
    close: () => file.close(),
  };
}

/** Where the service writes what it does. */
export function logFile(paths: HomePaths): string {
  return join(paths.log, 'service.log');
}

const { O_APPEND, O_CREAT, O_NOFOLLOW, O_NONBLOCK, O_WRONLY } = constants;

/**
 * Opens a file of ours at its end, made for this user alone. A tree is untrusted: neither a link of either kind is written through,
 * nor a FIFO waited for.
 *
 * @throws StorageError `DATABASE.UNSAFE_LINK`; errors of the system, such as `ELOOP` for a symbolic link
 */
export function openOwnFile(path: string): { readonly handle: number; readonly bytes: number } {
  const handle = openSync(path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK, 0o600);
  const stat = fstatSync(handle);
  if (stat.isFile() && stat.nlink === 1) return { handle, bytes: stat.size };
  closeSync(handle);
  throw new StorageError('DATABASE.UNSAFE_LINK', `${path} is not what deespec made it`, {
    hint: 'look at it, move it away, then run the command again',
    details: { path },
  });
}

class RotatingFile {
  lost = 0;
  private handle: number | undefined;
  private bytes = 0;

  constructor(private readonly path: string) {
    this.open();
  }

  /** A full disk must not end the service: the line is counted instead. */
  write(line: string): void {
    try {
      const size = Buffer.byteLength(line);
      if (this.bytes > 0 && this.bytes + size > MOST_BYTES) this.rotate();
      if (this.handle === undefined) this.open();
      writeSync(this.handle!, line);
      this.bytes += size;
    } catch {
      this.lost += 1;
    }
  }

  close(): void {
    if (this.handle !== undefined) closeSync(this.handle);
    this.handle = undefined;
  }

  private open(): void {
    const { handle, bytes } = openOwnFile(this.path);
    this.handle = handle;
    this.bytes = bytes;
  }

  private rotate(): void {
    this.close();
    for (let number = KEPT; number > 0; number -= 1) {
      const from = number === 1 ? this.path : `${this.path}.${number - 1}`;
      try {
        renameSync(from, `${this.path}.${number}`);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      }
    }
    this.open();
  }
}
