import { joinPath, parentPath, StorageError, type TreePath, type TreeStat } from '@deespec/domain';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { promisify } from 'node:util';

import { bytesOfPath, changed, notFound, systemCode, writeError } from './file-error.js';
import {
  CREATE_FLAGS,
  realFileSystem,
  syncDirectory,
  timeInSeconds,
  writeAll,
  type FileSystem,
} from './file-system.js';
import { TreeRoot } from './tree-root.js';

const run = promisify(execFile);

/**
 * How a written tree becomes durable: `filesystem` one `syncfs` at the end (coreutils' `sync -f`), `each` one `fsync` for
 * every file and directory.
 */
export type Durability = 'filesystem' | 'each';

/** Options of a {@link TreeWriter}; the defaults are for production. */
export interface TreeWriterOptions {
  readonly durability?: Durability;
  readonly system?: FileSystem;
}

/** A directory that entries are put into. */
interface OpenDirectory {
  readonly stat: TreeStat;
  /** A symlink is to be made in it or below. */
  isAwaited: boolean;
}

/**
 * Writes a fresh tree: exact bytes, modes, times to the microsecond, symlinks. Whole after `finish`, durable after `sync`: fast because
 * nobody may rely on it before. Nothing is written through a symlink: files are created exclusively, and symlinks
 * come into being last. Entries are put in scan order, and a directory gets its mode and time when its content is behind: memory holds
 * those that are open, and those of symlinks.
 */
export class TreeWriter {
  readonly #root: TreeRoot;
  readonly #durability: Durability;
  /** Those that hold what was put last, outermost first. */
  readonly #open: OpenDirectory[] = [];
  /** Those that are behind and still await a symlink, what a directory holds before it. */
  readonly #awaited: TreeStat[] = [];
  readonly #symlinks: { readonly stat: TreeStat; readonly target: Buffer }[] = [];

  /**
   * @param directory - where the tree goes: created when absent, else it must be empty
   * @throws StorageError `EXPORT.TARGET_NOT_EMPTY`, `FILE.NOT_FOUND` (no parent directory), `FILE.PERMISSION`
   */
  constructor(directory: string, options: TreeWriterOptions = {}) {
    this.#root = new TreeRoot(directory, options.system ?? realFileSystem);
    this.#durability = options.durability ?? (hasSyncCommand() ? 'filesystem' : 'each');
    this.#prepare(directory);
  }

  /**
   * Writes one entry. Its directory must have been put before, with nothing but its content since.
   *
   * @param chunks - a file's bytes or a symlink's target; ignored for a directory
   * @throws StorageError `FILE.NOT_FOUND` (its directory was not put, or is behind), `FILE.CHANGED` (put twice), `FILE.NO_SPACE`,
   *   `FILE.PERMISSION`, `FILE.WRITE_FAILED`
   */
  put(stat: TreeStat, chunks: Iterable<Buffer>): void {
    const path = joinPath('', stat.path);
    this.#leaveTo(parentPath(path));
    this.#attempt(path, () => {
      if (stat.kind === 'file') return this.#putFile(stat, chunks);
      if (stat.kind === 'symlink') {
        this.#symlinks.push({ stat, target: Buffer.concat([...chunks]) });
        const directory = this.#open.at(-1);
        if (directory !== undefined) directory.isAwaited = true;
        return;
      }
      // Writable until the end; its own mode may forbid what is still to come.
      this.#root.system.mkdirSync(this.#root.at(path), 0o700);
      this.#open.push({ stat: { ...stat, path }, isAwaited: false });
    });
  }

  /**
   * Creates the symlinks, and gives the directories that are left their modes and times, deepest first.
   *
   * @throws StorageError as `put`
   */
  finish(): void {
    const { system } = this.#root;
    while (this.#open.length > 0) this.#leave();
    for (const { stat, target } of this.#symlinks) {
      this.#attempt(stat.path, () => {
        const place = this.#root.at(stat.path);
        system.symlinkSync(target, place);
        system.lutimesSync(place, timeInSeconds(stat.mtimeNs), timeInSeconds(stat.mtimeNs));
      });
    }
    for (const stat of this.#awaited) this.#finishDirectory(stat);
    // Not kept until everything is durable.
    this.#awaited.length = 0;
    this.#symlinks.length = 0;
  }

  /**
   * Makes everything durable; the tree may be read meanwhile. The directory's own entry in its parent is the caller's.
   *
   * @throws StorageError `FILE.OUTCOME_UNKNOWN`
   */
  async sync(): Promise<void> {
    const { directory, system } = this.#root;
    try {
      if (this.#durability === 'each') syncDirectory(system, directory);
      else await run('sync', ['-f', directory]);
    } catch (error) {
      throw new StorageError('FILE.OUTCOME_UNKNOWN', `cannot make "${directory}" durable`, {
        hint: 'check the disk, remove the directory and write it again',
        details: { path: directory },
        cause: error,
      });
    }
  }

  #prepare(directory: string): void {
    const { system } = this.#root;
    try {
      system.mkdirSync(directory, 0o700);
    } catch (error) {
      if (systemCode(error) !== 'EEXIST') throw writeError(error, bytesOfPath(directory), 'before');
      if (system.readdirSync(directory).length === 0) return;
      throw new StorageError('EXPORT.TARGET_NOT_EMPTY', `"${directory}" is not empty`, {
        hint: 'name a directory that does not exist yet',
        details: { path: directory },
      });
    }
  }

  /** Is done with the directories that do not hold what stands in `parent`. */
  #leaveTo(parent: string): void {
    if (parent !== '' && !this.#open.some(({ stat }) => stat.path === parent)) throw notFound(parent);
    while (this.#open.length > 0 && this.#open.at(-1)!.stat.path !== parent) this.#leave();
  }

  #leave(): void {
    const { stat, isAwaited } = this.#open.pop()!;
    if (!isAwaited) return this.#finishDirectory(stat);
    this.#awaited.push(stat);
    // What is above must stay open to whoever makes the symlink.
    const above = this.#open.at(-1);
    if (above !== undefined) above.isAwaited = true;
  }

  #putFile(stat: TreeStat, chunks: Iterable<Buffer>): void {
    const { system } = this.#root;
    const handle = system.openSync(this.#root.at(stat.path), CREATE_FLAGS, 0o600);
    try {
      for (const chunk of chunks) writeAll(system, handle, chunk);
      system.fchmodSync(handle, stat.mode);
      system.futimesSync(handle, timeInSeconds(stat.mtimeNs), timeInSeconds(stat.mtimeNs));
      if (this.#durability === 'each') system.fsyncSync(handle);
    } finally {
      system.closeSync(handle);
    }
  }

  #finishDirectory(stat: TreeStat): void {
    this.#attempt(stat.path, () => this.#setDirectory(stat));
  }

  #setDirectory(stat: TreeStat): void {
    const { system } = this.#root;
    const place = this.#root.at(stat.path);
    system.utimesSync(place, timeInSeconds(stat.mtimeNs), timeInSeconds(stat.mtimeNs));
    if (this.#durability === 'filesystem') return system.chmodSync(place, stat.mode);
    // Synced through a handle that was opened before the mode could forbid it.
    const handle = system.openSync(place, 'r');
    try {
      system.fchmodSync(handle, stat.mode);
      system.fsyncSync(handle);
    } finally {
      system.closeSync(handle);
    }
  }

  #attempt(path: TreePath, work: () => void): void {
    try {
      work();
    } catch (error) {
      if (systemCode(error) === 'EEXIST') {
        throw changed(path, 'it was put twice, or another program writes into the new tree');
      }
      throw writeError(error, path, 'before');
    }
  }
}

/** True where `sync -f` exists: coreutils on Linux. Source: sync(1). */
function hasSyncCommand(): boolean {
  return process.platform === 'linux' && ['/usr/bin/sync', '/bin/sync'].some((path) => existsSync(path));
}
