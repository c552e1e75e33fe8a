import { displayPath } from '@deespec/domain';
import { removeTree } from '@deespec/file-adapter';
import { countStored, openHandle, toStorageError } from '@deespec/sqlite-adapter';
import { join } from 'node:path';

import { getDatabase } from '../database.js';
import { writeTree } from '../export.js';
import type { HomePaths } from '../home.js';
import { makeOwnDirectory } from '../own-directory.js';
import { requireSpace } from '../preflight.js';
import type { RunOptions, Tally } from '../reports.js';
import { removeHeld } from './held-bytes.js';
import { hashAt, placeAt, walk } from './walk.js';

/** A tree that was built to take the place of the files. */
export interface RebuiltTree extends Tally {
  /** Of what was written, by the verifier. */
  readonly digest: string;
}

/** Where the tree of a run is built: on the file system of the files. */
export function rebuiltAt(paths: HomePaths, id: string): string {
  return join(paths.rebuild, id, 'tree');
}

/**
 * Writes the tree of the database beside the files, durably, reads it back and compares it with the database. What an earlier attempt
 * left is written anew. Runs under the exclusive barrier.
 *
 * @param id - of the run: a ULID
 * @throws StorageError `TRANSFER.MISMATCH`, `PREFLIGHT.NO_SPACE`, `DATABASE.*`, `FILE.*`, `INTERRUPTED`
 */
export async function rebuildTree(
  paths: HomePaths,
  id: string,
  options: Pick<RunOptions, 'onProgress' | 'signal'>,
): Promise<RebuiltTree> {
  getDatabase(paths);
  requireSpace(paths, storedBytes(paths));
  makeOwnDirectory(paths.rebuild);
  discardRebuilt(paths, id);
  makeOwnDirectory(join(paths.rebuild, id));
  const { database } = paths;
  const { written, digest } = await writeTree({
    database,
    original: undefined,
    output: rebuiltAt(paths, id),
    options,
  });
  return { ...written, digest };
}

/** Removes what was built for a run, and is not needed any more. */
export function discardRebuilt(paths: HomePaths, id: string): void {
  removeTree(join(paths.rebuild, id));
}

function storedBytes(paths: HomePaths): number {
  const handle = openHandle(paths.database, 'look');
  try {
    return countStored(handle).bytes;
  } catch (error) {
    throw toStorageError(error, paths.database);
  } finally {
    handle.close();
  }
}

/** What lies in the trash and the database never had: other programs wrote it since both stores were last in step. */
export interface OnlyInTrash {
  readonly count: number;
  /** The first 1,000, for display. */
  readonly paths: readonly string[];
}

/** Names that are listed; all are counted. */
const LISTED = 1_000;

/** Looks which files in directories of the trash have bytes that the database has not and had not. Reads all of them. */
export function findOnlyInTrash(paths: HomePaths, directories: readonly string[]): OnlyInTrash {
  const found = new Map<string, string | undefined>();
  for (const directory of directories) {
    for (const { path, stat } of walk(directory)) {
      if (stat?.isDirectory() !== true) found.set(path, hashAt(placeAt(directory, path)));
    }
  }
  const missing = new Set([...found.values()].filter((sha256) => sha256 !== undefined));
  removeHeld(missing, paths.database, 'known');
  const only = [...found].filter(([, sha256]) => sha256 === undefined || missing.has(sha256));
  return { count: only.length, paths: only.slice(0, LISTED).map(([path]) => displayPath(path)) };
}
