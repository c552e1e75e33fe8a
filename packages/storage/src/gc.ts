import { displayPath, StorageError, systemCode } from '@deespec/domain';
import { openFileStorage } from '@deespec/file-adapter';
import { chmodSync, closeSync, constants, openSync, readSync, rmdirSync, unlinkSync } from 'node:fs';
import { basename, join } from 'node:path';

import { takeAlone } from './alone.js';
import { isOwn, listBackups } from './backup/list.js';
import { withBackups } from './backup/lock.js';
import { prove } from './backup/verify.js';
import { homePaths, type HomePaths } from './home.js';
import { readModeChange } from './mode-change.js';
import type { Tally } from './reports.js';
import { readExchange } from './run/exchange-plan.js';
import { removeHeld } from './run/held-bytes.js';
import { requireNoRun } from './run/journal.js';
import { takeRunLock } from './run/lock.js';
import { modeInForce } from './run/mode-in-force.js';
import { hashAt, namesAt, placeAt, standing, walk } from './run/walk.js';
import { syncPath } from './sync-path.js';

/** What {@link collectGarbage} takes. */
export interface GcOptions {
  readonly home: string;
  /** Looks and drops nothing. */
  readonly dryRun?: boolean;
  readonly signal?: AbortSignal;
}

/** A file that stays, and why. */
export interface KeptFile {
  /** Below `.storage`, for display. */
  readonly path: string;
  readonly bytes: number;
  readonly why: string;
}

/** What {@link collectGarbage} did, or would do. */
export interface GcReport {
  readonly home: string;
  readonly dryRun: boolean;
  /** Files that were dropped. */
  readonly dropped: Tally;
  readonly kept: Tally;
  /** The first 1,000 of those that stay. */
  readonly keptFiles: readonly KeptFile[];
  /** Backups that were read and proven, because only they have some of the bytes. */
  readonly backups: readonly string[];
  readonly durationMs: number;
}

/** A file that may go, below `.storage`. */
interface Candidate {
  readonly path: string;
  readonly bytes: number;
  readonly mtimeMs: number;
  /**
   * When it may go. `bytes`: when they are elsewhere; `database`: when a backup is newer; `note`: with the content beside it;
   * `record`: at once, it is about what is over, or a copy that was made to be tried on.
   */
  readonly rule: 'bytes' | 'database' | 'note' | 'record';
  readonly sha256?: string | undefined;
}

/** Files that are listed; all are counted. */
const LISTED = 1_000;

/** Backups that are read at most, the newest first: each is proven from its first byte to its last. */
const BACKUPS = 3;

/** Reports of runs that stay. */
const REPORTS = 20;

/**
 * Drops what is kept in `.storage` and is needed by nobody: what was replaced or removed, trees that were built and not used, copies of
 * the database, rehearsals, old reports. Each file is read first, and goes only when the store that is the truth, or a backup that
 * was proven just now, has the same bytes; a copy of the database only when a verified backup is newer. Follows nothing, leaves `.storage` never.
 *
 * @throws StorageError `RUN.UNFINISHED` while something is half done, `LOCK.HELD`, `DATABASE.*`, `FILE.*`
 *
 * Source: docs/adr/0020.
 */
export async function collectGarbage(options: GcOptions): Promise<GcReport> {
  const startedMs = performance.now();
  const paths = homePaths(options.home);
  const releaseRun = takeRunLock(paths);
  try {
    const release = await takeAlone(paths, 'gc');
    try {
      requireNothingHalfDone(paths);
      return await withBackups(paths, () => collectAlone(paths, options, startedMs));
    } finally {
      release();
    }
  } finally {
    releaseRun();
  }
}

function requireNothingHalfDone(paths: HomePaths): void {
  requireNoRun(paths, 'gc');
  if (readExchange(paths) === undefined && readModeChange(paths) === undefined) return;
  throw new StorageError('RUN.UNFINISHED', 'gc has to wait: a change of mode is not over', {
    hint: 'see how to finish it: deespec status',
  });
}

async function collectAlone(
  paths: HomePaths,
  { dryRun = false, signal }: GcOptions,
  startedMs: number,
): Promise<GcReport> {
  const found = [...candidates(paths)];
  const missing = new Set(found.flatMap(({ rule, sha256 }) => (rule === 'bytes' ? (sha256 ?? []) : [])));
  removeTruth(missing, paths);
  const backups = await removeBackedUp(missing, paths, signal);
  const reasons = reasonsToKeep(found, {
    missing,
    newest: newestBackupMs(paths),
    newestCopy: found.filter(({ path }) => path.startsWith('copies/')).at(-1)?.path,
  });
  const dropped = found.filter(({ path }) => !reasons.has(path));
  const kept = found.filter(({ path }) => reasons.has(path));
  if (!dryRun) for (const { path } of dropped) drop(placeAt(paths.own, path));
  if (!dryRun) removeEmpty(paths);
  const durationMs = Math.round(performance.now() - startedMs);
  const keptFiles = kept.slice(0, LISTED).map(({ path, bytes }) => {
    return { path: displayPath(path), bytes, why: reasons.get(path)! };
  });
  const { home } = paths;
  return { home, dryRun, dropped: tally(dropped), kept: tally(kept), keptFiles, backups, durationMs };
}

function tally(files: readonly Candidate[]): Tally {
  return { entries: files.length, bytes: files.reduce((sum, { bytes }) => sum + bytes, 0) };
}

interface Known {
  readonly missing: ReadonlySet<string>;
  /** When the newest verified backup was made, milliseconds since 1970. */
  readonly newest: number;
  /** Copies are called by their time. */
  readonly newestCopy: string | undefined;
}

/** Why each file that stays does. */
function reasonsToKeep(found: readonly Candidate[], known: Known): ReadonlyMap<string, string> {
  const reasons = new Map<string, string>();
  for (const one of found) {
    const why = reasonToKeep(one, known);
    if (why !== undefined) reasons.set(one.path, why);
  }
  for (const { path, rule } of found) {
    if (rule === 'note' && reasons.has(contentOf(path)))
      reasons.set(path, 'it says where the content beside it is from');
  }
  return reasons;
}

function reasonToKeep(one: Candidate, { missing, newest, newestCopy }: Known): string | undefined {
  if (one.rule === 'record' || one.rule === 'note') return undefined;
  if (one.path === newestCopy) return 'the newest copy of the database';
  if (one.rule === 'database')
    return newest > one.mtimeMs ? undefined : 'no verified backup is newer than this database';
  if (one.sha256 === undefined) return 'it cannot be read, or is no file';
  return missing.has(one.sha256) ? 'its bytes are nowhere else' : undefined;
}

/** Where files are looked for, with the directories below them. */
const areas = ['trash', 'copies', 'rebuild', 'rehearsal', 'reports'] as const;

function* candidates(paths: HomePaths): Generator<Candidate> {
  for (const area of areas) {
    // Only a directory: what a link leads to is nobody's here.
    if (standing(placeAt(paths.own, area))?.isDirectory() !== true) continue;
    const names = new Set(namesAt(paths.own, area).slice(-REPORTS));
    for (const { path, stat } of walk(paths.own, area)) {
      if (stat === undefined || stat.isDirectory()) continue;
      if (area === 'reports' && names.has(basename(path))) continue;
      const [bytes, mtimeMs] = [Number(stat.size), Number(stat.mtimeMs)];
      const rule = area === 'reports' || area === 'rehearsal' ? 'record' : ruleOf(paths, path);
      const sha256 = rule === 'bytes' ? hashAt(placeAt(paths.own, path)) : undefined;
      yield { path, bytes, mtimeMs, rule, sha256 };
    }
  }
}

/**
 * Only copies that were made before a change of the database are compared by their age, and of these only the beginning is read. A
 * database in the trash is what a restore replaced, or a file of the tree: a newer backup need not have what is in it.
 */
function ruleOf(paths: HomePaths, path: string): Candidate['rule'] {
  if (NOTE.test(path)) return 'note';
  return path.startsWith('copies/') && isDatabase(placeAt(paths.own, path)) ? 'database' : 'bytes';
}

/** What is written beside a content in the trash. */
const NOTE = /^trash\/(?:conflict-)?[0-9a-z]{9}-[0-9a-f]{16}\/(?:about\.json|path)$/u;

function contentOf(note: string): string {
  return `${note.slice(0, note.lastIndexOf('/'))}/content`;
}

const MAGIC = Buffer.from('SQLite format 3\0', 'latin1');

function isDatabase(place: Buffer): boolean {
  if (standing(place)?.isFile() !== true) return false;
  try {
    const handle = openSync(place, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      const start = Buffer.alloc(MAGIC.length);
      readSync(handle, start, 0, start.length, 0);
      return start.equals(MAGIC);
    } finally {
      closeSync(handle);
    }
  } catch {
    return false; // it is kept then: its bytes cannot be read either
  }
}

/** Takes out what the store has that is the truth now. */
function removeTruth(missing: Set<string>, paths: HomePaths): void {
  if (missing.size === 0) return;
  if (['sqlite', 'sqlite_only'].includes(modeInForce(paths))) return removeHeld(missing, paths.database);
  const { store } = openFileStorage({ home: paths.home });
  for (const { path, kind } of store.scan()) {
    if (kind === 'directory') continue;
    const entry = store.find(path);
    if (entry !== undefined) missing.delete(entry.sha256);
  }
}

/** Takes out what verified backups have; each that is relied on is proven first. @returns their ids */
async function removeBackedUp(
  missing: Set<string>,
  paths: HomePaths,
  signal: AbortSignal | undefined,
): Promise<string[]> {
  const used: string[] = [];
  const known = listBackups(paths)
    .filter(isOwn)
    .filter(({ state, manifest }) => state === 'verified' && manifest.compressed === undefined);
  for (const entry of known.slice(0, BACKUPS)) {
    if (missing.size === 0) break;
    if ((await prove(paths, entry, signal)).state !== 'verified') continue;
    removeHeld(missing, entry.path);
    used.push(entry.id);
  }
  return used;
}

function newestBackupMs(paths: HomePaths): number {
  const made = listBackups(paths)
    .filter(isOwn)
    .filter(({ state }) => state === 'verified')
    .map(({ manifest }) => Date.parse(manifest.createdAt));
  return Math.max(Number.NEGATIVE_INFINITY, ...made);
}

/** A directory in the trash may forbid it. */
function drop(place: Buffer): void {
  try {
    unlinkSync(place);
  } catch (error) {
    if (systemCode(error) !== 'EACCES') throw error;
    chmodSync(place.subarray(0, place.lastIndexOf(0x2f)), 0o700);
    unlinkSync(place);
  }
}

/** Removes the directories that are empty now, the deepest first. */
function removeEmpty(paths: HomePaths): void {
  for (const area of areas) {
    if (standing(placeAt(paths.own, area))?.isDirectory() !== true) continue;
    const directories = [...walk(paths.own, area)].filter(({ stat }) => stat?.isDirectory() === true);
    for (const { path } of directories.reverse()) removeIfEmpty(placeAt(paths.own, path));
    syncPath(join(paths.own, area));
  }
}

function removeIfEmpty(place: Buffer): void {
  try {
    rmdirSync(place);
  } catch (error) {
    if (!['ENOTEMPTY', 'EEXIST', 'EACCES'].includes(systemCode(error) ?? '')) throw error;
  }
}
