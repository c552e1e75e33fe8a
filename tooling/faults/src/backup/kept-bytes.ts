import { openHandle } from '@deespec/sqlite-adapter';
import { existsSync, lstatSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { sha256, takeSnapshot } from '../dual/tree-snapshot.js';
import type { Place } from '../place.js';
import { withCopy } from '../state.js';
import { namesIn } from './backup-looks.js';

/** Hashes of every content that is kept in a place: files, trash, conflicts, and the databases there, replaced ones too. */
export async function keptBytes(place: Place): Promise<ReadonlySet<string>> {
  const own = join(place.home, '.storage');
  // What was replaced on purpose stays a while only.
  const beside = ['trash', 'conflicts']
    .flatMap((name) => filesBelow(join(own, name)))
    .filter((file) => !file.includes('/conflicts/replaced/'));
  const databases = [
    place.database,
    join(own, 'restore.db'),
    ...beside.filter((file) => file.endsWith('.db')),
  ];
  const stored: string[] = [];
  for (const database of databases) stored.push(...(await hashesIn({ ...place, database })));
  // The result of a check is written into a manifest.
  const files = [...takeSnapshot(place.home)].filter(([path]) => !path.startsWith('backups/'));
  return new Set([
    ...files.map(([, entry]) => entry.sha256),
    ...stored,
    ...beside.map((file) => sha256(readFileSync(file))),
  ]);
}

function filesBelow(path: string): readonly string[] {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat?.isDirectory() === true) return namesIn(path).flatMap((name) => filesBelow(join(path, name)));
  return stat?.isFile() === true ? [path] : [];
}

async function hashesIn(place: Place): Promise<readonly string[]> {
  if (!existsSync(place.database)) return [];
  return withCopy(place, async (copy) => {
    try {
      const handle = openHandle(copy, 'write');
      try {
        return handle.prepare(`SELECT sha256 FROM tree_entry WHERE kind <> 'd'`).pluck().all() as string[];
      } finally {
        handle.close();
      }
    } catch {
      return []; // damaged, before the restore that replaces it
    }
  });
}
