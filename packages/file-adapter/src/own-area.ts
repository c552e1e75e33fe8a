import { StorageError, timeFromDate } from '@deespec/domain';
import { randomBytes } from 'node:crypto';

import { directoryOf } from './durable-write.js';
import { special, systemCode } from './file-error.js';
import { CREATE_FLAGS, READ_FLAGS, syncDirectory, writeAll } from './file-system.js';
import { kindOf, type TreeRoot } from './tree-root.js';

/** The directory for everything of ours beside the database. Source: docs/adr/0002. */
export const STORAGE = '.storage';

/**
 * The files that this product keeps for itself in `.storage/`. A tree comes from anywhere, so what stands there is believed
 * no more than any other file: only real directories and files are used, and nothing is followed out of the tree.
 *
 * Places are paths below the tree's root. Errors of the system are thrown as they are: the caller knows what they mean.
 */
export class OwnArea {
  constructor(readonly root: TreeRoot) {}

  /** Makes a directory with those above it, durably. @throws StorageError `TREE.PATH_UNSAFE` when something else stands there */
  ensure(place: string): void {
    for (let end = place.indexOf('/'); ; end = place.indexOf('/', end + 1)) {
      const part = end < 0 ? place : place.slice(0, end);
      if (this.#make(part) && part === STORAGE) this.#writeGitIgnore();
      if (end < 0) return;
    }
  }

  /** Names in a directory, sorted; `[]` when there is none. @throws StorageError `TREE.PATH_UNSAFE` */
  names(place: string): string[] {
    if (!this.#stands(place)) return [];
    return this.root.system.readdirSync(this.root.at(place), { encoding: 'latin1' }).sort();
  }

  /** Opens a file for reading, or `undefined` when there is none; `use` gets the handle and the size. */
  open<T>(place: string, use: (handle: number, size: number) => T): T | undefined {
    const { system } = this.root;
    if (!this.#stands(parentOf(place))) return undefined;
    let handle: number;
    try {
      handle = system.openSync(this.root.at(place), READ_FLAGS);
    } catch (error) {
      if (systemCode(error) === 'ENOENT') return undefined;
      throw systemCode(error) === 'ELOOP' ? unsafe(place) : error;
    }
    try {
      const stat = system.fstatSync(handle, { bigint: true });
      if (kindOf(stat) !== 'file') throw special(place);
      return use(handle, Number(stat.size));
    } finally {
      system.closeSync(handle);
    }
  }

  /** The whole of a file, or `undefined` when there is none or it is larger. */
  read(place: string, maxBytes: number): Buffer | undefined {
    return this.open(place, (handle, size) =>
      size > maxBytes ? undefined : readAt(this.root, handle, { start: 0, length: size }),
    );
  }

  /** Writes a new file and, unless told otherwise, syncs it; its name is durable after {@link sync}. */
  write(place: string, chunks: Iterable<Uint8Array>, durability: 'synced' | 'unsynced' = 'synced'): void {
    const { system } = this.root;
    const handle = system.openSync(this.root.at(place), CREATE_FLAGS, 0o600);
    try {
      for (const chunk of chunks) writeAll(system, handle, chunk);
      if (durability === 'synced') system.fsyncSync(handle);
    } finally {
      system.closeSync(handle);
    }
  }

  /** Makes the names in a directory durable. */
  sync(place: string): void {
    syncDirectory(this.root.system, this.root.at(place));
  }

  /** Removes a file; nothing there is no error. */
  unlink(place: string): void {
    try {
      this.root.system.unlinkSync(this.root.at(place));
    } catch (error) {
      if (systemCode(error) !== 'ENOENT') throw error;
    }
  }

  /** True when the directory is there. @throws StorageError `TREE.PATH_UNSAFE` when something else is */
  #stands(place: string): boolean {
    for (let end = place.indexOf('/'); ; end = place.indexOf('/', end + 1)) {
      const part = end < 0 ? place : place.slice(0, end);
      const stat = this.root.stat(part);
      if (stat === undefined) return false;
      if (kindOf(stat) !== 'directory') throw unsafe(part);
      if (end < 0) return true;
    }
  }

  /** @returns whether it is new */
  #make(place: string): boolean {
    const { system } = this.root;
    try {
      system.mkdirSync(this.root.at(place), 0o700);
    } catch (error) {
      if (systemCode(error) !== 'EEXIST') throw error;
      if (system.lstatSync(this.root.at(place)).isDirectory()) return false;
      throw unsafe(place);
    }
    syncDirectory(system, directoryOf(this.root.at(place)));
    return true;
  }

  #writeGitIgnore(): void {
    try {
      this.write(`${STORAGE}/.gitignore`, [Buffer.from('*\n')]);
    } catch (error) {
      if (systemCode(error) !== 'EEXIST') throw error;
    }
  }
}

/** A fresh name that sorts by time: after `after`, which is such a name, even when the clock went back. */
export function freshId(after = ''): string {
  const last = Math.max(lastMs, timeOfId(after) ?? 0);
  lastMs = Math.max(Date.now(), last + 1);
  return `${lastMs.toString(36).padStart(9, '0')}-${randomBytes(8).toString('hex')}`;
}

let lastMs = 0;

/** True for a name that {@link freshId} makes. Names in a tree come from anywhere. */
export function isId(name: string): boolean {
  return timeOfId(name) !== undefined;
}

/** When {@link freshId} made a name: UTC, fixed width. */
export function sinceOfId(id: string): string {
  return timeFromDate(new Date(timeOfId(id)!));
}

/** When {@link freshId} made a name, milliseconds since 1970 UTC; `undefined` for another name. */
export function timeOfId(name: string): number | undefined {
  return /^[0-9a-z]{9}-[0-9a-f]{16}$/u.test(name) ? Number.parseInt(name.slice(0, 9), 36) : undefined;
}

/** Reads a part of an open file; shorter when the file ends. */
export function readAt(
  root: TreeRoot,
  handle: number,
  { start, length }: { readonly start: number; readonly length: number },
): Buffer {
  const bytes = Buffer.allocUnsafeSlow(length);
  let done = 0;
  while (done < length) {
    const read = root.system.readSync(handle, bytes, done, length - done, start + done);
    if (read === 0) break;
    done += read;
  }
  return bytes.subarray(0, done);
}

function parentOf(place: string): string {
  return place.slice(0, place.lastIndexOf('/'));
}

function unsafe(place: string): StorageError {
  return new StorageError('TREE.PATH_UNSAFE', `"${place}" is not what DeeSpec Storage keeps there`, {
    hint: `move it away: DeeSpec Storage keeps its own files in ${STORAGE}/`,
    details: { path: place },
  });
}
