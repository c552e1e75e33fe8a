// The program of the thread that reads and hashes contents beside the one that compares them.
import type { TreePath } from '@deespec/domain';
import { createHash } from 'node:crypto';
import { parentPort, workerData } from 'node:worker_threads';

import { realFileSystem } from './file-system.js';
import { readEntry } from './read-entry.js';
import { TreeRoot } from './tree-root.js';

const root = new TreeRoot(workerData as string, realFileSystem);

parentPort!.on('message', (paths: readonly TreePath[]) => parentPort!.postMessage(paths.map(hashOf)));

/** `undefined` for whatever stands in the way: who asked meets it again, and says what it is. */
function hashOf(path: TreePath): string | undefined {
  const sum = createHash('sha256');
  try {
    for (const chunk of readEntry(root, path)) sum.update(chunk);
  } catch {
    return undefined;
  }
  return sum.digest('hex');
}
