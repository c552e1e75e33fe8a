import { isStorageError, StorageError, type TreeEntry, type TreePath } from '@deespec/domain';
import { openFileStorage, type FileTreeStore } from '@deespec/file-adapter';
import { StoredTree } from '@deespec/sqlite-adapter';
import { createHash } from 'node:crypto';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';

import type { HomePaths } from './home.js';

/** How long paths are looked at again, at least, and the pause before each time, milliseconds: one store is behind the other for some 10. */
const WHOLE_MS = 1_000;
const PAUSE_MS = 20;

/** How often each path is looked at, at least: of many that differ for good more would take minutes. */
const LEAST = 2;

/** Milliseconds of work between two turns of the event loop. */
const SLICE_MS = 50;

/**
 * Looks again at paths that differed while services write to both stores. A comparison sees the database at one moment and the files at
 * later ones; here both are looked at together, until they were equal once.
 *
 * @returns the paths that never were
 * @throws StorageError those of both stores; `INTERRUPTED`
 */
export async function lookAgain(
  { home, database }: Pick<HomePaths, 'home' | 'database'>,
  differing: readonly TreePath[],
  signal?: AbortSignal,
): Promise<ReadonlySet<TreePath>> {
  const { store } = openFileStorage({ home });
  const left = new Set(differing);
  const sinceMs = performance.now();
  for (let times = 0; left.size > 0; times += 1) {
    if (times >= LEAST && performance.now() - sinceMs > WHOLE_MS) break;
    await sleep(PAUSE_MS);
    let turnAtMs = 0;
    for (const path of left) {
      if (performance.now() > turnAtMs) {
        await turn(signal);
        turnAtMs = performance.now() + SLICE_MS;
      }
      if (isEqualNow(path, store, database)) left.delete(path);
    }
  }
  return left;
}

async function turn(signal: AbortSignal | undefined): Promise<void> {
  await nextTurn();
  if (signal?.aborted !== true) return;
  throw new StorageError('INTERRUPTED', 'the check was interrupted; nothing was changed', {
    hint: 'run the command again',
  });
}

function isEqualNow(path: TreePath, files: FileTreeStore, database: string): boolean {
  const stored = StoredTree.openReader(database);
  try {
    const entry = stored.find(path);
    const file = found(files, path);
    return file !== 'moving' && isSame(file, entry) && hasItsBytes(stored, entry);
  } finally {
    stored.close();
  }
}

function found(files: FileTreeStore, path: TreePath): TreeEntry | 'moving' | undefined {
  try {
    return files.find(path);
  } catch (error) {
    if (isStorageError(error, 'FILE.UNSTABLE') || isStorageError(error, 'FILE.NOT_FOUND')) return 'moving';
    throw error;
  }
}

function isSame(one: TreeEntry | undefined, other: TreeEntry | undefined): boolean {
  if (one === undefined || other === undefined) return one === other;
  // The permission bits of a symlink mean nothing.
  const isMode = one.kind === 'symlink' || one.mode === other.mode;
  return one.kind === other.kind && isMode && one.sha256 === other.sha256;
}

function hasItsBytes(stored: StoredTree, entry: TreeEntry | undefined): boolean {
  if (entry === undefined || entry.kind === 'directory') return true;
  const sum = createHash('sha256');
  for (const chunk of stored.read(entry.path)) sum.update(chunk);
  return sum.digest('hex') === entry.sha256;
}
