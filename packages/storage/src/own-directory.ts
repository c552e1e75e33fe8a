import { systemCode } from '@deespec/domain';
import { removeTree } from '@deespec/file-adapter';
import { mkdirSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { syncPath } from './sync-path.js';

/**
 * Makes a directory for this user alone below one that exists, durably; one that is there stays as it is. Not Node's `recursive`: on a
 * read-only file system that says that the directory is missing, which is true and no help.
 */
export function makeOwnDirectory(path: string): void {
  try {
    mkdirSync(path, { mode: 0o700 });
    // What is made in it later is synced there; its own name hangs on this.
    syncPath(dirname(path));
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw error;
  }
}

/** Removes what processes that died left half written in a directory. The caller is the only one who writes there. */
export function removeUnfinished(directory: string): void {
  for (const name of readdirSync(directory)) {
    if (name.startsWith('.tmp-deespec-')) removeTree(join(directory, name));
  }
}
