import { isStorageError, StorageError } from '@deespec/domain';

import type { BackupFacts, BackupManifest } from './manifest.js';
import { runInspection, type ChildLimits } from './run-child.js';

/**
 * Proves a closed database file that claims to be one of ours, in a child process.
 *
 * @throws StorageError `BACKUP.DAMAGED`, `BACKUP.NEWER`; `FILE.*` when it cannot be read, `INTERRUPTED`
 */
export async function checkCopy(
  path: string,
  limits: ChildLimits & { readonly ownLinks?: number },
): Promise<BackupFacts> {
  try {
    return await runInspection(path, limits);
  } catch (error) {
    throw isStorageError(error) ? judged(error, path) : error;
  }
}

/** What is wrong with a copy, for whoever wanted to rely on it. */
function judged(error: StorageError, path: string): StorageError {
  const { code, message, kind } = error;
  if (code === 'BACKUP.DAMAGED' || ['io', 'busy', 'internal'].includes(kind)) return error;
  const details = { ...error.details, path, found: code };
  if (code === 'DATABASE.NEWER') {
    return new StorageError('BACKUP.NEWER', message, {
      hint: error.hint ?? 'use a newer version of deespec',
      details,
      cause: error,
    });
  }
  return damaged(path, `${message} (${code})`, details);
}

/** A file that is not what a backup of ours is. */
export function damaged(
  path: string,
  why: string,
  details: Readonly<Record<string, unknown>> = {},
): StorageError {
  return new StorageError('BACKUP.DAMAGED', `${path} is no sound backup: ${why}`, {
    hint: 'use another one: deespec backup list',
    details: { path, ...details },
  });
}

/** The first fact in which a copy is not what its manifest says; `undefined` when it is. */
export function differenceFrom(manifest: BackupManifest, facts: BackupFacts): string | undefined {
  const names = Object.keys(facts) as (keyof BackupFacts)[];
  const differing = names.find((name) => !isEqual(manifest[name], facts[name]));
  return differing === undefined ? undefined : `${differing} is not what the manifest says`;
}

/** Keys come in the order in which they were written, by the same code. */
function isEqual(one: unknown, other: unknown): boolean {
  return one === other || JSON.stringify(sorted(one)) === JSON.stringify(sorted(other));
}

function sorted(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  return Object.entries(value)
    .map(([key, one]) => [key, sorted(one)] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1));
}
