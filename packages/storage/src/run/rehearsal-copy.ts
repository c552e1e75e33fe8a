import { modeMeanings, StorageError } from '@deespec/domain';
import { openFileStorage, removeTree, TreeWriter } from '@deespec/file-adapter';
import { exportTree as copyTree } from '@deespec/migration-engine';
import { digestTree } from '@deespec/verifier';
import { join } from 'node:path';

import { takeBarrier } from '../barrier.js';
import { getDatabase } from '../database.js';
import { readEpoch } from '../epoch-file.js';
import { writeTree } from '../export.js';
import type { HomePaths } from '../home.js';
import { nameMode } from '../mode-setting.js';
import { makeOwnDirectory } from '../own-directory.js';
import type { RunOptions, Tally } from '../reports.js';
import { modeInForce } from './mode-in-force.js';

/** Two copies of a tree, both in mode `file`. */
export interface Copies extends Tally {
  /** Is cut over and rolled back. */
  readonly tried: string;
  /** Never leaves its files. */
  readonly kept: string;
}

type Copying = Pick<RunOptions, 'onProgress' | 'signal'>;

/** How often the tree is copied before one that keeps changing is given up. */
const ROUNDS = 3;

/**
 * Copies the tree twice, from the store that is the truth, and proves both copies. What is ignored stays behind.
 *
 * @param directory - absent; on the file system of the tree
 * @throws StorageError `TREE.UNSTABLE`, `TRANSFER.MISMATCH`, `FILE.*`, `DATABASE.*`, `LOCK.HELD`, `INTERRUPTED`
 */
export async function makeCopies(paths: HomePaths, directory: string, options: Copying): Promise<Copies> {
  const [tried, kept] = ['tried', 'kept'].map((name) => join(directory, name, '.deespec'));
  for (const copy of [directory, join(directory, 'tried'), join(directory, 'kept')]) makeOwnDirectory(copy);
  const release = takeBarrier(paths, { access: 'shared', command: 'rehearse' });
  try {
    await copyTruth(paths, tried!, options);
  } finally {
    release();
  }
  const { original } = readEpoch(paths) ?? {};
  if (original !== undefined) {
    await nameMode(openFileStorage({ home: tried! }).store, 'file', original);
    removeTree(join(tried!, '.storage'));
  }
  const written = await copyFiles(tried!, kept!, options);
  const [one, other] = [await digestTree(tried!), await digestTree(kept!)];
  if (one.digest === other.digest) return { tried: tried!, kept: kept!, ...written };
  throw new StorageError('TRANSFER.MISMATCH', 'two copies of one tree differ', {
    hint: 'check disk and memory, then run the command again',
    details: { digests: [one.digest, other.digest] },
  });
}

async function copyTruth(paths: HomePaths, to: string, options: Copying): Promise<void> {
  if (modeMeanings[modeInForce(paths)].reads === 'sqlite') {
    getDatabase(paths);
    await writeTree({ database: paths.database, original: undefined, output: to, options });
    return;
  }
  for (let round = 1; round <= ROUNDS; round += 1) {
    removeTree(to);
    await copyFiles(paths.home, to, options);
    if ((await digestTree(to)).digest === (await digestTree(paths.home)).digest) return;
  }
  throw new StorageError('TREE.UNSTABLE', 'the tree kept changing while it was copied', {
    hint: 'run it again when less is written, or stop the programs that write',
  });
}

async function copyFiles(from: string, to: string, { onProgress, signal }: Copying): Promise<Tally> {
  const sink = new TreeWriter(to);
  const copied = await copyTree({
    source: openFileStorage({ home: from }).store,
    sink,
    onProgress: ({ entries, bytes }) =>
      onProgress?.({ phase: 'write', doneEntries: entries, doneBytes: bytes }),
    ...(signal === undefined ? {} : { signal }),
  });
  await sink.sync();
  return copied;
}
