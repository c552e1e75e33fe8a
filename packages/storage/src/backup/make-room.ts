import {
  DIRECTORY_SHA256,
  pathToBytes,
  StorageError,
  type DiskStat,
  type Projection,
  type TreeEntry,
  type TreePath,
} from '@deespec/domain';
import type { FileTreeStore } from '@deespec/file-adapter';
import { keepLog, openHandle, replaceAccount, StoredTree, toStorageError } from '@deespec/sqlite-adapter';
import { closeSync, fsyncSync, lstatSync, mkdirSync, openSync, renameSync } from 'node:fs';
import { join } from 'node:path';

import type { HomePaths } from '../home.js';
import { makeOwnDirectory } from '../own-directory.js';
import type { StandingHashes } from './standing-hashes.js';

/** What stands in the files, beside what is to stand there. */
export interface Standing {
  /** Paths that are the same, and stay. */
  readonly same: number;
  /** Paths that go. */
  readonly moved: number;
  /** Entries of the tree that is to be. */
  readonly wanted: number;
}

/** The files, and what is known of them already. */
export interface StandingFiles {
  readonly files: FileTreeStore;
  readonly hashes?: StandingHashes | undefined;
}

/** What goes, and what stays as the files hold it. */
type Seen = { readonly moves: TreePath } | { readonly stays: Omit<Projection, 'seenAtMs'> };

/**
 * Looks at every entry of the files beside the database: what differs, or is not in it, goes. A directory stays where both have one.
 * What is below one that goes is not looked at once it is gone.
 */
function* lookAtAll({ files, hashes }: StandingFiles, stored: StoredTree): Generator<Seen> {
  const hashOf = (stat: DiskStat) => hashes?.find(stat) ?? files.find(stat.path)?.sha256;
  for (const stat of files.scan()) {
    const sha256 = commonHash(stat, stored.find(stat.path), hashOf);
    yield sha256 === undefined ? { moves: stat.path } : { stays: { ...stat, sha256 } };
  }
}

/** The hash of what both hold; `undefined` when they differ. */
function commonHash(
  stat: DiskStat,
  entry: TreeEntry | undefined,
  hashOf: (stat: DiskStat) => string | undefined,
): string | undefined {
  const { kind, mode, size } = stat;
  if (entry?.kind !== kind) return undefined;
  if (kind === 'directory') return DIRECTORY_SHA256;
  if (entry.mode !== mode || (kind === 'file' && entry.size !== size)) return undefined;
  return hashOf(stat) === entry.sha256 ? entry.sha256 : undefined;
}

/** Says what {@link makeRoom} would do with the files for the tree in `database`. Changes nothing. */
export function lookAround(files: StandingFiles, database: string): Standing {
  const stored = StoredTree.openReader(database);
  try {
    const standing = { same: 0, moved: 0, wanted: 0 };
    for (const seen of lookAtAll(files, stored)) standing['moves' in seen ? 'moved' : 'same'] += 1;
    for (const _entry of stored.scan()) standing.wanted += 1;
    return standing;
  } finally {
    stored.close();
  }
}

/**
 * Moves everything in the files that is not as the database has it to `trash`, byte for byte, and begins the account of the files with
 * what is left. The database then lacks nothing that the files have, and whatever they lack is new in it: bringing both into step
 * only writes files. Can be repeated after a crash. Runs under the exclusive barrier.
 *
 * @returns how many paths were moved; a directory with all below it is one
 */
export function makeRoom(paths: HomePaths, files: StandingFiles, trash: string): number {
  const room = new Room(paths, trash);
  const handle = openHandle(paths.database, 'write');
  try {
    // Beside a rollback journal a large transaction would keep the reader out.
    keepLog(handle, 'wal');
    const stored = StoredTree.openReader(paths.database);
    try {
      replaceAccount(handle, staying(lookAtAll(files, stored), room));
    } finally {
      stored.close();
    }
    room.sync();
    return room.moved;
  } catch (error) {
    throw toStorageError(error, paths.database);
  } finally {
    handle.close();
  }
}

function* staying(all: Iterable<Seen>, room: Room): Generator<Projection> {
  for (const seen of all) {
    if ('moves' in seen) room.move(seen.moves);
    else yield { ...seen.stays, seenAtMs: Date.now() };
  }
}

/** Moves entries by their bytes of names: nothing is read and nothing unlinked. */
class Room {
  moved = 0;
  readonly #touched = new Map<string, Buffer>();

  constructor(
    private readonly paths: HomePaths,
    private readonly trash: string,
  ) {}

  move(path: TreePath): void {
    if (lstatSync(this.#at(this.paths.home, path), { throwIfNoEntry: false }) === undefined) return;
    const parts = path.split('/');
    for (const end of parts.keys()) this.#make(parts.slice(0, end).join('/'));
    const from = this.#at(this.paths.home, path);
    let to = this.#at(this.trash, path);
    // Moved before a crash, and something stands there again.
    while (lstatSync(to, { throwIfNoEntry: false }) !== undefined) to = Buffer.concat([to, Buffer.from('~')]);
    renameSync(from, to);
    this.#touch(this.#at(this.paths.home, parts.slice(0, -1).join('/')));
    this.moved += 1;
  }

  /** Makes what was moved durable in both places. */
  sync(): void {
    for (const directory of this.#touched.values()) {
      const descriptor = openSync(directory, 'r');
      try {
        fsyncSync(descriptor);
      } finally {
        closeSync(descriptor);
      }
    }
  }

  #make(path: string): void {
    const directory = this.#at(this.trash, path);
    if (this.#touched.has(directory.toString('latin1'))) return;
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    this.#touch(directory);
  }

  #touch(directory: Buffer): void {
    this.#touched.set(directory.toString('latin1'), directory);
  }

  #at(root: string, path: string): Buffer {
    const bytes =
      path === '' ? Buffer.alloc(0) : Buffer.concat([Buffer.from('/'), pathToBytes(path as TreePath)]);
    return Buffer.concat([Buffer.from(root), bytes]);
  }
}

/** The directory that gets what a restore takes the place of. */
export function trashOf(paths: HomePaths, run: string): string {
  const directory = join(paths.trash, run);
  for (const one of [paths.trash, directory, join(directory, 'tree')]) {
    makeOwnDirectory(one);
    if (lstatSync(one).isDirectory()) continue;
    throw new StorageError('DATABASE.UNSAFE_LINK', `${one} is not what deespec made it`, {
      hint: 'look at it, move it away, then run the command again',
      details: { path: one },
    });
  }
  return directory;
}
