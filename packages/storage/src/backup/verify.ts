import { isStorageError, timeFromDate } from '@deespec/domain';
import { join } from 'node:path';

import { homePaths, type HomePaths } from '../home.js';
import { requireSpace } from '../preflight.js';
import { checkCopy, damaged, differenceFrom } from './check.js';
import { getBackup, listBackups, type OwnBackup } from './list.js';
import { withBackups } from './lock.js';
import type { BackupManifest } from './manifest.js';
import { unpack } from './pack.js';
import { beginWork, discardWork, replaceManifest } from './work.js';

/** What {@link verifyBackup} takes. */
export interface VerifyBackupOptions {
  readonly home: string;
  readonly id: string;
  readonly signal?: AbortSignal;
}

/** What {@link verifyBackup} found. */
export interface BackupVerification {
  readonly id: string;
  readonly path: string;
  readonly ok: boolean;
  /** What is wrong; absent: nothing. */
  readonly problem?: string;
  readonly manifest: BackupManifest;
  readonly durationMs: number;
}

/**
 * Reads all of a backup again: the file, what it unpacks to, and everything in the database, compared with the manifest. The result
 * is written into the manifest.
 *
 * @throws StorageError `BACKUP.NOT_FOUND`; `BACKUP.DAMAGED` when it is refused and nothing of it is touched; `LOCK.HELD`, `PREFLIGHT.*`,
 *   `FILE.*`, `INTERRUPTED`
 */
export async function verifyBackup({ home, id, signal }: VerifyBackupOptions): Promise<BackupVerification> {
  const startedMs = performance.now();
  const paths = homePaths(home);
  getBackup(paths, id);
  return withBackups(paths, async () => {
    const { manifest, problem, path } = await prove(paths, getBackup(paths, id), signal);
    const result = { id, path, ok: problem === undefined, manifest };
    const durationMs = Math.round(performance.now() - startedMs);
    return { ...result, ...(problem === undefined ? {} : { problem }), durationMs };
  });
}

/** Reads all of a backup and writes the result into its manifest. Runs with the lock of backups. */
export async function prove(paths: HomePaths, entry: OwnBackup, signal?: AbortSignal): Promise<OwnBackup> {
  const problem = await problemOf(paths, entry, signal);
  // Without the last result: this one takes its place.
  const { verifiedAt: _at, problem: _problem, ...rest } = entry.manifest;
  const result = problem === undefined ? { verifiedAt: timeFromDate(new Date()) } : { problem };
  replaceManifest(paths, { ...rest, ...result });
  return listBackups(paths).find((one): one is OwnBackup => one.path === entry.path)!;
}

async function problemOf(
  paths: HomePaths,
  { path, manifest, problem, bytes }: OwnBackup,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  // By its size alone it is another file.
  if (bytes !== (manifest.compressed?.size ?? manifest.size)) return problem!.slice(0, LONGEST);
  const place = beginWork(paths, `verify-${manifest.id}`);
  try {
    const file =
      manifest.compressed === undefined
        ? path
        : await unpackVerified(paths, { path, manifest }, { to: place.data, signal });
    const facts = await checkCopy(file, { bytes: manifest.size, signal });
    const difference = differenceFrom(manifest, facts);
    if (difference !== undefined) throw damaged(path, difference);
    return undefined;
  } catch (error) {
    if (!isStorageError(error, 'BACKUP.DAMAGED') && !isStorageError(error, 'BACKUP.NEWER')) throw error;
    return error.message.replaceAll(join(place.directory, 'data'), path).slice(0, LONGEST);
  } finally {
    discardWork(place);
  }
}

const LONGEST = 1_000;

/** Unpacks a backup, no further than its manifest says. @throws StorageError `BACKUP.DAMAGED`, `PREFLIGHT.NO_SPACE` */
export async function unpackVerified(
  paths: HomePaths,
  { path, manifest }: Pick<OwnBackup, 'path' | 'manifest'>,
  { to, signal }: { readonly to: string; readonly signal: AbortSignal | undefined },
): Promise<string> {
  requireSpace(paths, manifest.size);
  const { packed, content } = await unpack(path, { to, most: manifest.size, signal });
  if (packed.sha256 !== manifest.compressed?.sha256)
    throw damaged(path, 'its bytes are not those that were compressed');
  if (content.sha256 !== manifest.sha256)
    throw damaged(path, 'what it unpacks to is not what was compressed');
  return to;
}
