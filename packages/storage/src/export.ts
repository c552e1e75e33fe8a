import { StorageError } from '@deespec/domain';
import { openFileStorage, removeTree, TreeWriter } from '@deespec/file-adapter';
import { exportTree as copyTree } from '@deespec/migration-engine';
import { expectedSchema, requireSound, StoredTree } from '@deespec/sqlite-adapter';
import { digestTree, verifyTree } from '@deespec/verifier';
import { lstatSync, mkdtempSync, readdirSync, realpathSync, renameSync } from 'node:fs';
import { basename, dirname, join, resolve, sep } from 'node:path';

import { takeBarrier } from './barrier.js';
import { getDatabase } from './database.js';
import { readEpoch } from './epoch-file.js';
import { homePaths, type HomePaths } from './home.js';
import { nameMode } from './mode-setting.js';
import type { OriginalSetting } from './original-setting.js';
import { isRunning } from './processes.js';
import type { ExportOptions, ExportReport } from './reports.js';
import { syncPath } from './sync-path.js';

/**
 * Writes the stored tree to a new directory: beside it first, read back and compared with the database by the verifier, then
 * in place by one rename. The output is complete or absent. It is the tree of one moment, whatever others write meanwhile.
 *
 * @throws StorageError `EXPORT.TARGET_NOT_EMPTY`, `EXPORT.TARGET_INSIDE_TREE`; `TRANSFER.MISMATCH` when what was written
 *   is not what is stored; `DATABASE.*`, `LOCK.HELD`, `FILE.*`, `INTERRUPTED`
 *
 * Source: migration strategy, "Data Export".
 */
export async function exportTree(options: ExportOptions): Promise<ExportReport> {
  const startedAt = Date.now();
  const paths = homePaths(options.home);
  const output = requireTarget(paths, options.output);
  const release = takeBarrier(paths, { access: 'shared', command: 'export' });
  try {
    getDatabase(paths);
    const original = readEpoch(paths)?.original;
    const done = await writeTree({ database: paths.database, original, output, options });
    return { output, ...done, durationMs: Date.now() - startedAt };
  } finally {
    release();
  }
}

/** What {@link writeTree} takes. */
export interface TreeOutput {
  /** Nobody replaces it meanwhile. */
  readonly database: string;
  /** What `setting.json` is to say of the mode; absent: what it says. */
  readonly original: OriginalSetting | undefined;
  /** As {@link requireTarget} gave it. */
  readonly output: string;
  readonly options: Pick<ExportOptions, 'onProgress' | 'signal'>;
}

/** Writes the tree in a database to a new directory: complete or absent. @throws StorageError as {@link exportTree} */
export async function writeTree(to: TreeOutput): Promise<Pick<ExportReport, 'digest' | 'written'>> {
  const { output } = to;
  removeLeftovers(dirname(output));
  const working = mkdtempSync(join(dirname(output), `.deespec-export-${process.pid}-`));
  try {
    const { stored, written } = await writeProven(working, to);
    const digest = (await restoreMode(working, to)) ?? stored;
    renameSync(working, output);
    syncPath(dirname(output));
    return { digest, written };
  } catch (error) {
    removeWorking(working, error);
    throw error;
  }
}

/** Writes and compares in one read transaction of the database. */
async function writeProven(working: string, to: TreeOutput) {
  const source = StoredTree.openReader(to.database);
  try {
    const writer = new TreeWriter(working);
    const written = await copyTo(writer, source, to);
    // Both before the tree is published: the disk is waited for while everything is read again.
    const [stored] = await both(requireEqual(working, source, to), writer.sync());
    return { stored, written };
  } finally {
    source.close();
  }
}

/** Removes what exports of processes that are gone left beside their target. */
function removeLeftovers(directory: string): void {
  for (const name of readdirSync(directory)) {
    const pid = /^\.deespec-export-(\d+)-[A-Za-z0-9]{6}$/u.exec(name)?.[1];
    if (pid !== undefined && !isRunning(Number(pid))) removeTree(join(directory, name));
  }
}

/** @returns the absolute path, its parent's symbolic links resolved */
export function requireTarget(paths: HomePaths, output: string): string {
  const absolute = resolve(output);
  let parent: string;
  try {
    parent = realpathSync(dirname(absolute));
  } catch (error) {
    throw new StorageError('FILE.NOT_FOUND', `${dirname(absolute)} does not exist`, {
      hint: 'make the directory that is to hold the export first',
      cause: error,
    });
  }
  if (!lstatSync(parent).isDirectory()) {
    throw new StorageError('FILE.NOT_FOUND', `${parent} is not a directory`, {
      hint: 'name a directory that is to hold the export',
      details: { path: parent },
    });
  }
  const target = join(parent, basename(absolute));
  if (
    `${target}${sep}`.startsWith(`${paths.home}${sep}`) ||
    `${paths.home}${sep}`.startsWith(`${target}${sep}`)
  ) {
    throw new StorageError('EXPORT.TARGET_INSIDE_TREE', `${target} and ${paths.home} hold one another`, {
      hint: 'name a new directory beside the tree with --output <dir>',
    });
  }
  requireEmpty(target);
  return target;
}

/** A symlink counts as something that stands there: nothing is written through it. */
function requireEmpty(target: string): void {
  try {
    const stat = lstatSync(target, { throwIfNoEntry: false });
    if (stat === undefined || (stat.isDirectory() && readdirSync(target).length === 0)) return;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new StorageError('FILE.READ_FAILED', `cannot look into ${target} (${code})`, {
      hint: 'name another --output, nearer to the root directory or on another disk',
      details: { output: target },
      cause: error,
    });
  }
  throw new StorageError('EXPORT.TARGET_NOT_EMPTY', `${target} is not an empty directory`, {
    hint: 'name a directory that does not exist yet, or is empty',
    details: { output: target },
  });
}

async function copyTo(sink: TreeWriter, source: StoredTree, { options: { onProgress, signal } }: TreeOutput) {
  requireSound(source.handle);
  return copyTree({
    source,
    sink,
    onProgress: ({ entries, bytes }) =>
      onProgress?.({ phase: 'write', doneEntries: entries, doneBytes: bytes }),
    ...(signal === undefined ? {} : { signal }),
  });
}

/** Waits for both, whatever happens to one. */
async function both<A, B>(one: Promise<A>, other: Promise<B>): Promise<[A, B]> {
  await Promise.allSettled([one, other]);
  return [await one, await other];
}

async function requireEqual(
  directory: string,
  { handle }: StoredTree,
  { database, options: { onProgress, signal } }: TreeOutput,
): Promise<string> {
  const { treeDigest, differenceCount, differences } = await verifyTree({
    home: directory,
    database,
    connection: handle,
    expectedSchema: expectedSchema(),
    checkAll: true,
    onProgress: ({ doneBytes, doneEntries }) => onProgress?.({ phase: 'verify', doneBytes, doneEntries }),
    signal,
  });
  if (differenceCount === 0) return treeDigest!;
  throw new StorageError(
    'TRANSFER.MISMATCH',
    `${differenceCount} differences between the database and what was exported`,
    {
      hint: 'nothing was left behind; run "deespec verify --check-all" to see whether the database is damaged',
      details: { differenceCount, differences },
    },
  );
}

/**
 * Where the mode is another one than `file`, the exported `setting.json` says again what it said before.
 *
 * @returns the digest of the tree then; `undefined` when nothing had to be done
 */
async function restoreMode(
  directory: string,
  { original, options: { signal } }: TreeOutput,
): Promise<string | undefined> {
  if (original === undefined) return undefined;
  await nameMode(openFileStorage({ home: directory }).store, 'file', original);
  removeTree(join(directory, '.storage'));
  return (await digestTree(directory, signal === undefined ? {} : { signal })).digest;
}

/** What cannot be removed is named; the first error stays in the details. */
function removeWorking(working: string, first: unknown): void {
  try {
    removeTree(working);
  } catch (error) {
    throw new StorageError('FILE.WRITE_FAILED', `${working} was left behind by an export that failed`, {
      hint: 'remove it by hand, mend the first error, then run the command again',
      details: { first: first instanceof Error ? first.message : String(first) },
      cause: error,
    });
  }
}
