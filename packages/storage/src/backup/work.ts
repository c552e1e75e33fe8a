// How a backup comes to its name and loses it. Both are two files in a directory that belongs to the tree, so what is to be done is
// written down durably first: whoever comes next finishes it.
import { StorageError } from '@deespec/domain';
import { removeTree, writeFileDurably } from '@deespec/file-adapter';
import { linkSync, lstatSync, readdirSync, renameSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';

import { readEpoch } from '../epoch-file.js';
import type { HomePaths } from '../home.js';
import { makeOwnDirectory } from '../own-directory.js';
import { readRegular } from '../read-regular.js';
import { syncPath } from '../sync-path.js';
import { hasDirectory, namesIn, readManifest } from './list.js';
import { fileNameOf, formatManifest, MANIFEST_END, parseName, type BackupManifest } from './manifest.js';

/** What is to become of `backups/`: file names. */
export interface Plan {
  /** Comes from the directory of the work. */
  readonly add?: string;
  /** Goes after that. */
  readonly remove?: string;
}

/** A directory of our own in which a backup is made. */
export interface WorkPlace {
  readonly directory: string;
  /** What becomes the backup. */
  readonly data: string;
}

/** Makes a directory to work in. Runs with the lock of backups. */
export function beginWork(paths: HomePaths, name: string): WorkPlace {
  const directory = join(paths.backupWork, name);
  makeOwnDirectory(paths.backupWork);
  removeTree(directory);
  makeOwnDirectory(directory);
  return { directory, data: join(directory, 'data') };
}

/** Removes the directory of a work that came to nothing; one whose plan is written stays for the next command. */
export function discardWork({ directory }: WorkPlace): void {
  if (readPlan(directory) === undefined) removeTree(directory);
}

/** Publishes the data of a work as a backup, and removes another one. The data is durable. */
export function publishBackup(
  paths: HomePaths,
  place: WorkPlace,
  { manifest, remove }: { readonly manifest: BackupManifest; readonly remove?: string },
): string {
  const name = fileNameOf(manifest);
  writeOwn(join(place.directory, 'manifest.json'), formatManifest(manifest));
  carryOut(paths, place.directory, { add: name, ...(remove === undefined ? {} : { remove }) });
  return join(paths.backups, name);
}

/** Removes a backup. */
export function removeBackup(paths: HomePaths, name: string): void {
  const { directory } = beginWork(paths, `remove-${name}`);
  carryOut(paths, directory, { remove: name });
}

/** Replaces the manifest of a backup. */
export function replaceManifest(paths: HomePaths, manifest: BackupManifest): void {
  writeOwn(join(paths.backups, fileNameOf(manifest) + MANIFEST_END), formatManifest(manifest));
}

/** Finishes what is planned, and removes what is not. Runs with the lock of backups: nobody else is at work there. */
export function finishWork(paths: HomePaths): void {
  if (lstatSync(paths.backupWork, { throwIfNoEntry: false }) === undefined) return;
  for (const name of readdirSync(paths.backupWork)) {
    const directory = join(paths.backupWork, name);
    const plan = lstatSync(directory).isDirectory() ? readPlan(directory) : undefined;
    if (plan === undefined) removeTree(directory);
    else follow(paths, directory, plan);
  }
}

/** The next number: above every one that a file in `backups/` has. */
export function nextSeq(paths: HomePaths): number {
  const names = namesIn(paths).map((name) => name.replace(new RegExp(`${MANIFEST_END}$`, 'u'), ''));
  return 1 + Math.max(0, ...names.map((name) => parseName(name)?.seq ?? 0));
}

function carryOut(paths: HomePaths, directory: string, plan: Plan): void {
  writeOwn(join(directory, PLAN), Buffer.from(`${JSON.stringify(plan)}\n`));
  follow(paths, directory, plan);
}

const PLAN = 'plan.json';

/** A tree is untrusted: a plan that it brought along can name nothing but backups. */
function readPlan(directory: string): Plan | undefined {
  try {
    const { add, remove } = JSON.parse(
      readRegular(join(directory, PLAN))?.toString('utf8') ?? 'null',
    ) as Plan;
    const names = [add, remove].filter((name) => name !== undefined);
    return names.length > 0 && names.every((name) => parseName(String(name)) !== undefined)
      ? { ...(add === undefined ? {} : { add }), ...(remove === undefined ? {} : { remove }) }
      : undefined;
  } catch {
    return undefined; // none, or none of ours: it is removed with its directory
  }
}

function follow(paths: HomePaths, directory: string, { add, remove }: Plan): void {
  if (add !== undefined) addPair(paths, directory, add);
  if (remove !== undefined) removePair(paths, remove);
  // First, so that what is left of the directory is nobody's.
  unlinkSync(join(directory, PLAN));
  removeTree(directory);
  syncPath(paths.backupWork);
}

/** The manifest first: of the two halves it is the small one, for whoever looks in between. */
function addPair(paths: HomePaths, directory: string, name: string): void {
  const pair = [
    ['manifest.json', name + MANIFEST_END],
    ['data', name],
  ] as const;
  const isFirst = !hasDirectory(paths);
  const target = isFirst ? join(directory, 'backups') : paths.backups;
  if (isFirst) {
    removeTree(target);
    makeOwnDirectory(target);
  }
  for (const [from, to] of pair) linkOwn(join(directory, from), join(target, to));
  syncPath(target);
  if (!isFirst) return;
  // The directory appears with both of them in it.
  renameSync(target, paths.backups);
  syncPath(paths.home);
}

function linkOwn(from: string, to: string): void {
  try {
    linkSync(from, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    const [one, other] = [lstatSync(from, { bigint: true }), lstatSync(to, { bigint: true })];
    if (one.ino === other.ino && one.dev === other.dev) return;
    throw new StorageError('FILE.CHANGED', `${to} appeared during the run`, {
      hint: 'another program made it: look at it, move it away, then run the command again',
      details: { path: to },
      cause: error,
    });
  }
}

/** Removes what is proven to be ours by its manifest, or by what is left of it. */
function removePair(paths: HomePaths, name: string): void {
  const names = new Set(namesIn(paths));
  const hasManifest = names.has(name + MANIFEST_END);
  if (hasManifest) {
    const manifest = readManifest(paths, name);
    if (typeof manifest === 'string' || manifest.storeId !== readEpoch(paths)?.storeId) return;
  }
  for (const one of [name, name + MANIFEST_END]) if (names.has(one)) unlinkSync(join(paths.backups, one));
  if (names.size > 0) syncPath(paths.backups);
}

function writeOwn(target: string, bytes: Buffer): void {
  writeFileDurably({ kind: 'file', target, bytes, mode: 0o600 });
}
