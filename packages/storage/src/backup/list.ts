import { displayPath, isStorageError, StorageError } from '@deespec/domain';
import { lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

import { readEpoch } from '../epoch-file.js';
import { secondsSince } from '../health/limits.js';
import { homePaths, type HomePaths } from '../home.js';
import { readRegular } from '../read-regular.js';
import { MANIFEST_END, parseManifest, parseName, type BackupManifest } from './manifest.js';

/** A file in `backups/` that is, or claims to be, a backup. */
export interface BackupEntry {
  /** For `backup verify` and `restore`; of a refused one its file name, for display. */
  readonly id: string;
  readonly path: string;
  /** `verified`: all of it was read and was as it should be; `unverified`: not so; `refused`: none of this tree's backups, left alone. */
  readonly state: 'verified' | 'unverified' | 'refused';
  /** What lies on the disk, bytes. */
  readonly bytes: number;
  /** 0 for one from the future. Absent when there is no manifest to ask. */
  readonly ageSeconds?: number;
  /** Absent when it is refused. */
  readonly manifest?: BackupManifest;
  /** What is wrong; absent: nothing. */
  readonly problem?: string;
}

/** A backup of this tree, whole as far as its name and size tell. */
export type OwnBackup = BackupEntry & { readonly manifest: BackupManifest };

/** What {@link readBackups} says. */
export interface BackupList {
  readonly home: string;
  /** Newest first; what is refused comes last. */
  readonly backups: readonly BackupEntry[];
}

/** The backups of a tree, by what lies beside them. Reads only. @throws StorageError `TREE.NOT_FOUND` */
export async function readBackups({ home }: { readonly home: string }): Promise<BackupList> {
  const paths = homePaths(home);
  return { home: paths.home, backups: listBackups(paths) };
}

/**
 * The backups of a tree, newest first by their numbers. A bad manifest, or one that somebody else put there, is an entry that says
 * what is wrong. Their contents are not read.
 *
 * @throws StorageError `FILE.*`
 */
export function listBackups(paths: HomePaths, now = new Date()): BackupEntry[] {
  const names = namesIn(paths);
  const all = new Set(names);
  const ownStore = readEpoch(paths)?.storeId;
  const found = names.flatMap((name) => {
    if (name.endsWith(MANIFEST_END))
      return look(paths, name.slice(0, -MANIFEST_END.length), { ownStore, now });
    const isLone = parseName(name) !== undefined && !all.has(name + MANIFEST_END);
    return isLone ? [refused(paths, name, 'it has no manifest beside it')] : [];
  });
  return withoutTwins(found).sort((a, b) => seqOf(b) - seqOf(a));
}

/** The newest backup that is verified, or `undefined`. */
export function newestVerified(paths: HomePaths, now?: Date): OwnBackup | undefined {
  return listBackups(paths, now)
    .filter(isOwn)
    .find(({ state }) => state === 'verified');
}

/** True for a backup of this tree. */
export function isOwn(entry: BackupEntry): entry is OwnBackup {
  return entry.manifest !== undefined;
}

/** The backup of this id. @throws StorageError `BACKUP.NOT_FOUND`; `BACKUP.DAMAGED` when it is refused */
export function getBackup(paths: HomePaths, id: string): OwnBackup {
  const entry = listBackups(paths).find((one) => one.id === id);
  if (entry === undefined) {
    throw new StorageError('BACKUP.NOT_FOUND', `${paths.home} has no backup "${displayPath(id)}"`, {
      hint: 'deespec backup list',
      details: { id: displayPath(id) },
    });
  }
  if (isOwn(entry)) return entry;
  throw new StorageError('BACKUP.DAMAGED', `${entry.path} is refused: ${entry.problem}`, {
    hint: 'nothing was touched: look at the file, and move it away when nobody needs it',
    details: { path: entry.path, problem: entry.problem },
  });
}

/** Names in `backups/`; none when there is no such directory: what else is called so belongs to the tree. */
export function namesIn({ backups }: HomePaths): string[] {
  const isThere = lstatSync(backups, { throwIfNoEntry: false })?.isDirectory() === true;
  return isThere ? readdirSync(backups, 'latin1').sort() : [];
}

/** Whether there is a directory for backups. @throws StorageError `DATABASE.UNSAFE_LINK` when something else is called so */
export function hasDirectory({ backups }: HomePaths): boolean {
  const stat = lstatSync(backups, { throwIfNoEntry: false });
  if (stat === undefined || stat.isDirectory()) return stat !== undefined;
  throw new StorageError('DATABASE.UNSAFE_LINK', `${backups} is no directory`, {
    hint: 'look at it, move it away, then run the command again',
    details: { path: backups },
  });
}

interface Ground {
  readonly ownStore: string | undefined;
  readonly now: Date;
}

function look(paths: HomePaths, name: string, { ownStore, now }: Ground): BackupEntry {
  const manifest = readManifest(paths, name);
  if (typeof manifest === 'string') return refused(paths, name, manifest);
  const { createdAt, compressed, size, storeId, verifiedAt, problem } = manifest;
  const stat = lstatSync(join(paths.backups, name), { throwIfNoEntry: false });
  const wrong =
    ownStore !== undefined && storeId !== ownStore
      ? `it was made for another tree (store ${storeId})`
      : stat === undefined
        ? 'the file that the manifest describes is missing'
        : stat.isFile()
          ? undefined
          : 'it is not a regular file';
  if (wrong !== undefined) return refused(paths, name, wrong);
  const bytes = stat!.size;
  const expected = compressed?.size ?? size;
  const known = bytes === expected ? problem : `it has ${bytes} bytes instead of ${expected}`;
  return {
    id: manifest.id,
    path: join(paths.backups, name),
    state: known === undefined && verifiedAt !== undefined ? 'verified' : 'unverified',
    bytes,
    ageSeconds: secondsSince(createdAt, now),
    manifest,
    ...(known === undefined ? {} : { problem: known }),
  };
}

/** The manifest of a file, or what is wrong with it: it names the file, and the file is called as backups are. */
export function readManifest(paths: HomePaths, name: string): BackupManifest | string {
  const parts = parseName(name);
  if (parts === undefined) return 'no backup is called so';
  let manifest: BackupManifest | string;
  try {
    manifest = parseManifest(
      readRegular(join(paths.backups, name + MANIFEST_END))?.toString('utf8') ?? 'null',
    );
  } catch (error) {
    if (!isStorageError(error)) throw error;
    return `its manifest cannot be read (${error.code})`;
  }
  if (typeof manifest === 'string') return manifest;
  const { id, seq, compressed } = manifest;
  const isSame = id === parts.id && seq === parts.seq && (compressed !== undefined) === parts.isCompressed;
  return isSame ? manifest : 'its manifest is that of another backup';
}

function refused(paths: HomePaths, name: string, problem: string): BackupEntry {
  const path = join(paths.backups, displayPath(name));
  const bytes = lstatSync(join(paths.backups, name), { throwIfNoEntry: false })?.size ?? 0;
  return { id: displayPath(name), path, state: 'refused', bytes, problem };
}

/** Two of one number are not told apart; the two forms of one that was being compressed are one. */
function withoutTwins(entries: readonly BackupEntry[]): BackupEntry[] {
  const bySeq = new Map<number, OwnBackup[]>();
  for (const entry of entries.filter(isOwn))
    bySeq.set(entry.manifest.seq, [...(bySeq.get(entry.manifest.seq) ?? []), entry]);
  return entries.flatMap((entry): BackupEntry[] => {
    const same = isOwn(entry) ? bySeq.get(entry.manifest.seq)! : [];
    if (same.length < 2) return [entry];
    const isOne = same.every(
      ({ manifest: { id, sha256 } }) => id === same[0]!.manifest.id && sha256 === same[0]!.manifest.sha256,
    );
    if (isOne) return entry === same[0] ? [entry] : [];
    const { path, bytes, id } = entry;
    const problem = `its number is also that of ${same.filter((one) => one !== entry)[0]!.id}`;
    return [{ id, path, state: 'refused', bytes, problem }];
  });
}

function seqOf({ manifest }: BackupEntry): number {
  return manifest?.seq ?? -1;
}
