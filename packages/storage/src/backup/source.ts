import { displayPath, StorageError } from '@deespec/domain';
import { openHandle, schemaScripts, toStorageError } from '@deespec/sqlite-adapter';
import { lstatSync } from 'node:fs';
import { basename, resolve } from 'node:path';

import type { HomePaths } from '../home.js';
import { requireSpace } from '../preflight.js';
import { readRegular } from '../read-regular.js';
import { runScripts } from '../schema/rehearse.js';
import { checkCopy, damaged, differenceFrom } from './check.js';
import { getBackup } from './list.js';
import { MANIFEST_END, parseManifest, type BackupFacts, type BackupManifest } from './manifest.js';
import { duplicate, unpack } from './pack.js';

/** A file that is to be restored. */
export interface Source {
  /** What the user named. */
  readonly name: string;
  readonly path: string;
  /** Absent for a database without one: what it holds is all that can be proven. */
  readonly manifest?: BackupManifest;
}

/** The backup of an id, or the file at a path, of whatever tree. @throws StorageError `BACKUP.NOT_FOUND`, `BACKUP.DAMAGED` */
export function findSource(paths: HomePaths, name: string): Source {
  if (/^backup_\w+$/u.test(name)) {
    const { path, manifest } = getBackup(paths, name);
    return { name, path, manifest };
  }
  const path = resolve(name);
  if (lstatSync(path, { throwIfNoEntry: false })?.isFile() !== true) {
    throw new StorageError(
      'BACKUP.NOT_FOUND',
      `"${displayPath(name)}" is neither a backup of this tree nor a file`,
      {
        hint: 'deespec backup list',
        details: { path },
      },
    );
  }
  const manifest = manifestBeside(path);
  return { name: path, path, ...(manifest === undefined ? {} : { manifest }) };
}

function manifestBeside(path: string): BackupManifest | undefined {
  const text = readRegular(path + MANIFEST_END)?.toString('utf8');
  const manifest = text === undefined ? undefined : parseManifest(text);
  if (typeof manifest === 'string') throw damaged(path, manifest);
  const isCompressed = basename(path).endsWith('.gz');
  if (isCompressed && manifest?.compressed === undefined)
    throw damaged(path, 'without its manifest nobody knows how much it may unpack to');
  return manifest;
}

/** What {@link stage} takes. */
export interface Staging {
  /** The new file. */
  readonly to: string;
  readonly signal: AbortSignal | undefined;
  /** Done while the copy is proven, which others do: until the signal, and never fails. */
  readonly meanwhile?: ((signal: AbortSignal) => Promise<void>) | undefined;
}

/**
 * Copies a backup to a file of our own, and proves the copy: what was proven is what is used. A copy of an earlier schema is brought
 * up to date.
 *
 * @throws StorageError `BACKUP.DAMAGED`, `BACKUP.NEWER`, `PREFLIGHT.NO_SPACE`, `FILE.*`, `INTERRUPTED`
 */
export async function stage(
  paths: HomePaths,
  { path, manifest }: Source,
  { to, signal, meanwhile }: Staging,
): Promise<BackupFacts> {
  const bytes = manifest?.size ?? lstatSync(path).size;
  requireSpace(paths, bytes);
  if (manifest?.compressed === undefined) await duplicate(path, to, signal);
  else {
    const { content } = await unpack(path, { to, most: bytes, signal });
    if (content.sha256 !== manifest.sha256)
      throw damaged(path, 'its bytes are not those that were backed up');
  }
  // The copy is hashed there: what the manifest says is compared with it.
  const facts = await beside(meanwhile, () => checkCopy(to, { bytes, signal }));
  const difference = manifest === undefined ? undefined : differenceFrom(manifest, facts);
  if (difference !== undefined) throw damaged(path, difference);
  bringUp(to, facts);
  return facts;
}

/** Both are over when it resolves or rejects. */
async function beside<T>(meanwhile: Staging['meanwhile'], work: () => Promise<T>): Promise<T> {
  const over = new AbortController();
  const other = meanwhile?.(over.signal);
  try {
    return await work();
  } finally {
    over.abort();
    await other;
  }
}

/** Such scripts keep the tree: its digest is compared again before it is put in place. */
function bringUp(path: string, { schemaVersion }: BackupFacts): void {
  const newest = schemaScripts().length;
  if (schemaVersion === newest) return;
  const handle = openHandle(path, 'write');
  try {
    runScripts(handle, { direction: 'up', to: newest });
  } catch (error) {
    throw toStorageError(error, path);
  } finally {
    handle.close();
  }
}
