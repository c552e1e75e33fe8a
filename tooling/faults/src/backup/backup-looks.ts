import { openHandle } from '@deespec/sqlite-adapter';
import { digestDatabase, digestTree } from '@deespec/verifier';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';

import type { Place } from '../place.js';
import { withCopy } from '../state.js';

/** The digest of the files of a place; `undefined` when they cannot be read. */
export async function treeDigest({ home }: Place): Promise<string | undefined> {
  try {
    return (await digestTree(home)).digest;
  } catch {
    return undefined; // whoever asks compares it with what should be there
  }
}

/** The digest of the tree in the database of a place; `undefined` without one that can be read. */
export function databaseDigest(place: Place): Promise<string | undefined> {
  if (!existsSync(place.database)) return Promise.resolve(undefined);
  return withCopy(place, async (copy) => digestOfFile(copy));
}

function digestOfFile(file: string): string | undefined {
  try {
    const handle = openHandle(file, 'write');
    try {
      return digestDatabase(handle);
    } finally {
      handle.close();
    }
  } catch {
    return undefined; // whoever asks compares it with what should be there
  }
}

/** What of a manifest is looked at. */
interface Manifest {
  readonly id: string;
  readonly sha256: string;
  readonly treeDigest: string;
  readonly verifiedAt?: string;
  readonly problem?: string;
}

/**
 * The backups that are what their manifests say, and said to be verified there: digest of the tree by id, oldest first. Looks with code
 * of its own at the files as they lie there.
 */
export function soundBackups({ home }: Place): ReadonlyMap<string, string> {
  const backups = join(home, 'backups');
  const sound = new Map<string, string>();
  for (const name of namesIn(backups).filter((one) => one.endsWith(MANIFEST_END))) {
    const file = join(backups, name.slice(0, -MANIFEST_END.length));
    const { id, sha256, treeDigest: digest, ...manifest } = readManifest(join(backups, name));
    if (manifest.verifiedAt === undefined || manifest.problem !== undefined || !existsSync(file)) continue;
    const bytes = readFileSync(file);
    const content = file.endsWith('.gz') ? gunzipSync(bytes) : bytes;
    const isWhole = createHash('sha256').update(content).digest('hex') === sha256;
    if (isWhole && digestOfBytes(content) === digest) sound.set(id, digest);
  }
  return sound;
}

const MANIFEST_END = '.manifest.json';

function readManifest(file: string): Manifest {
  return JSON.parse(readFileSync(file, 'utf8')) as Manifest;
}

function digestOfBytes(content: Buffer): string | undefined {
  const directory = mkdtempSync(join(tmpdir(), 'deespec-backup-'));
  try {
    const file = join(directory, 'copy.db');
    writeFileSync(file, content);
    return digestOfFile(file);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Names in a directory, in order; none where there is none. */
export function namesIn(directory: string): readonly string[] {
  return existsSync(directory) ? readdirSync(directory).sort() : [];
}

/** What commands on backups that ended left and nobody needs, below the place. */
export function backupResidue({ home }: Place): readonly string[] {
  return namesIn(join(home, '.storage/backups')).map((name) => `.storage/backups/${name}`);
}
