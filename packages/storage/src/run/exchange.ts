import { displayPath, StorageError, systemCode } from '@deespec/domain';
import { removeTree } from '@deespec/file-adapter';
import {
  chmodSync,
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  openSync,
  renameSync,
  unlinkSync,
} from 'node:fs';
import { join } from 'node:path';

import type { HomePaths } from '../home.js';
import { makeOwnDirectory } from '../own-directory.js';
import { carryOver, dropCarried } from './carry-over.js';
import {
  beginExchange,
  endExchange,
  planExchange,
  readExchange,
  type Exchange,
  type ExchangeEntry,
} from './exchange-plan.js';
import { discardRebuilt, findOnlyInTrash, rebuiltAt, type OnlyInTrash } from './rebuild.js';
import { placeAt, standing } from './walk.js';

/** What became of the files that were replaced. */
export interface Exchanged {
  /** Entries of the root that were exchanged; 0 when that was before. */
  readonly entries: number;
  /** The directory that has what stood there before. */
  readonly trash: string;
  /** Files in it whose bytes the database never had: written by other programs since. */
  readonly onlyInTrash: OnlyInTrash;
  /** Locks and temporary files of other programs that had no place in the new tree: they are in the trash too. */
  readonly left: readonly string[];
}

/**
 * Puts a tree that was built in the place of the files, an entry of the root at a time: the old one to the trash, then the new one
 * to its place, never `.deespec` itself. What is to be done is written down durably first; after a crash anywhere
 * {@link finishExchange} goes on, and one that has ended is not made again. Nothing is overwritten and nothing is removed. Runs under the exclusive barrier.
 *
 * @param id - of the run that built it
 * @throws StorageError `FILE.PERMISSION`, `PREFLIGHT.OTHER_DEVICE`, `MODE.REFUSED`: nothing was changed; `FILE.*` of the file system
 *
 * Source: docs/adr/0020.
 */
export function exchangeTree(paths: HomePaths, id: string): Exchanged {
  const begun = readExchange(paths);
  if (begun !== undefined) return carryOn(paths, begun, []);
  if (isOver(paths, id)) return whatItLeft(paths, id);
  const left = carryOver(paths.home, rebuiltAt(paths, id));
  const exchange = planExchange(paths, id);
  beginExchange(paths, exchange);
  return carryOn(paths, exchange, left);
}

/**
 * Whether an exchange has ended: its directory in the trash is made once it has begun, and what was built is removed at its end. A run that
 * was cut off before it wrote that down comes here again, and there is nothing that could take the place of the files.
 */
function isOver(paths: HomePaths, id: string): boolean {
  return existsSync(join(paths.trash, id)) || !existsSync(rebuiltAt(paths, id));
}

function whatItLeft(paths: HomePaths, id: string): Exchanged {
  const trash = join(paths.trash, id);
  const onlyInTrash = findOnlyInTrash(paths, existsSync(trash) ? trashesOf(trash) : []);
  discardRebuilt(paths, id);
  return { entries: 0, trash, onlyInTrash, left: [] };
}

/** Finishes an exchange that was cut off; without one it does nothing. Runs under the exclusive barrier. */
export function finishExchange(paths: HomePaths): void {
  const begun = readExchange(paths);
  if (begun !== undefined) carryOn(paths, begun, []);
}

function carryOn(paths: HomePaths, exchange: Exchange, left: readonly string[]): Exchanged {
  const { id, entries } = exchange;
  const trash = join(paths.trash, id);
  makeOwnDirectory(paths.trash);
  makeOwnDirectory(trash);
  for (const entry of entries) exchangeOne({ paths, built: rebuiltAt(paths, id), trash }, entry);
  dropCarried(trash, paths.home);
  const onlyInTrash = findOnlyInTrash(paths, trashesOf(trash));
  endExchange(paths);
  discardRebuilt(paths, id);
  return { entries: entries.length, trash, onlyInTrash, left };
}

/** Where entries of an exchange may lie: see {@link moveAway}. */
function trashesOf(trash: string): string[] {
  const found = [trash];
  while (existsSync(`${trash}-${found.length}`)) found.push(`${trash}-${found.length}`);
  return found;
}

interface Places {
  readonly paths: HomePaths;
  readonly built: string;
  readonly trash: string;
}

function exchangeOne({ paths: { home }, built, trash }: Places, entry: ExchangeEntry): void {
  const { name, isNew } = entry;
  const [place, fresh] = [placeAt(home, name), placeAt(built, name)];
  const [there, waiting] = [standing(place), standing(fresh)];
  if (isNew && waiting === undefined) return requireThere(place, entry);
  // It has both names already: the crash came before the first one went.
  if (there !== undefined && waiting?.ino === there.ino) return remove(fresh);
  const wasMoved = !isNew && standing(placeAt(trash, name)) !== undefined;
  if (there !== undefined && !wasMoved) moveAway(place, trash, name);
  if (isNew) putInPlace(fresh, place, entry);
}

/** The new one has left its place, so it stands where it belongs. */
function requireThere(place: Buffer, { mode }: ExchangeEntry): void {
  const stat = standing(place);
  if (stat !== undefined) {
    if (mode !== undefined && stat.isDirectory()) chmodSync(place, mode);
    return;
  }
  const path = displayPath(place.toString('latin1'));
  throw new StorageError('FILE.CHANGED', `${path} vanished while the files were exchanged`, {
    hint: 'another program removed it: put it back, or restore a backup with its tree',
    details: { path },
  });
}

/** Moves what stands at a place to the trash; what lies there under its name already stays, too. */
function moveAway(place: Buffer, trash: string, name: string): void {
  const slash = name.lastIndexOf('/');
  if (slash > 0) makeOwnDirectory(join(trash, name.slice(0, slash)));
  let target = placeAt(trash, name);
  for (let again = 1; standing(target) !== undefined; again += 1) {
    makeOwnDirectory(`${trash}-${again}`);
    if (slash > 0) makeOwnDirectory(join(`${trash}-${again}`, name.slice(0, slash)));
    target = placeAt(`${trash}-${again}`, name);
  }
  const mode = makeMovable(place);
  renameSync(place, target);
  if (mode !== undefined) chmodSync(target, mode);
  syncNames(target, place);
}

/** Never over something that came to stand there meanwhile. */
function putInPlace(fresh: Buffer, place: Buffer, { mode }: ExchangeEntry): void {
  const stat = standing(fresh);
  if (stat?.isFile() === true && tryLink(fresh, place)) {
    syncNames(place);
    remove(fresh);
    return;
  }
  if (mode !== undefined) makeMovable(fresh);
  renameSync(fresh, place);
  if (mode !== undefined) chmodSync(place, mode);
  syncNames(place, fresh);
}

/** @returns false where there are no hard links */
function tryLink(from: Buffer, to: Buffer): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    const code = systemCode(error);
    if (code === undefined || code === 'EEXIST' || code === 'ENOSPC' || code === 'EIO') throw error;
    return false;
  }
}

/** Moving a directory changes its `..`, for which it must be writable. @returns its mode when that had to be changed */
function makeMovable(place: Buffer): number | undefined {
  const stat = standing(place);
  const mode = Number(stat?.mode ?? 0) & 0o7777;
  if (stat?.isDirectory() !== true || (mode & 0o300) === 0o300) return undefined;
  chmodSync(place, mode | 0o300);
  return mode;
}

function remove(fresh: Buffer): void {
  unlinkSync(fresh);
  syncNames(fresh);
}

/** Makes the names of places durable, in this order. */
function syncNames(...places: readonly Buffer[]): void {
  for (const place of places) {
    const handle = openSync(place.subarray(0, place.lastIndexOf(0x2f)), 'r');
    try {
      fsyncSync(handle);
    } finally {
      closeSync(handle);
    }
  }
}

/** Removes trees that were built for runs that are over. Runs under the exclusive barrier, with no exchange begun. */
export function discardAllRebuilt(paths: HomePaths): void {
  removeTree(paths.rebuild);
}
