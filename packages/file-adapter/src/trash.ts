import { baseName, joinPath, StorageError, type TreePath } from '@deespec/domain';
import { randomBytes } from 'node:crypto';

import { directoryOf, writeFileDurably } from './durable-write.js';
import { systemCode, writeError, type WriteStage } from './file-error.js';
import { syncDirectory } from './file-system.js';
import type { TreeRoot } from './tree-root.js';

/** The directory for everything of ours beside the database. Source: docs/adr/0002. */
const STORAGE = '.storage';

/**
 * Moves a file or symlink to `.storage/trash/<id>/<name>`, durably in both places. Its content stays until somebody empties
 * the trash on purpose.
 *
 * @throws StorageError as `writeFileDurably`
 */
export function moveToTrash(root: TreeRoot, path: TreePath): void {
  const place = makeTrash(root, path);
  const source = root.at(path);
  let stage: WriteStage = 'during';
  try {
    root.system.renameSync(source, root.at(joinPath(place, baseName(path))));
    stage = 'after';
    syncDirectory(root.system, root.at(place));
    syncDirectory(root.system, directoryOf(source));
  } catch (error) {
    throw writeError(error, path, stage);
  }
}

/** A fresh directory in the trash; its name sorts by time. */
function makeTrash(root: TreeRoot, path: TreePath): string {
  const id = `${Date.now().toString(36).padStart(9, '0')}-${randomBytes(8).toString('hex')}`;
  const place = `${STORAGE}/trash/${id}`;
  try {
    if (makeDirectory(root, STORAGE)) writeGitIgnore(root);
    makeDirectory(root, `${STORAGE}/trash`);
    makeDirectory(root, place);
  } catch (error) {
    throw writeError(error, path, 'before');
  }
  return place;
}

/** Creates a directory of ours. @returns whether it is new */
function makeDirectory(root: TreeRoot, place: string): boolean {
  try {
    root.system.mkdirSync(root.at(place), 0o700);
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw error;
    if (root.system.lstatSync(root.at(place)).isDirectory()) return false;
    throw new StorageError('TREE.PATH_UNSAFE', `"${place}" is not a directory`, {
      hint: `move it away: DeeSpec Storage keeps its own files in ${STORAGE}/`,
    });
  }
  syncDirectory(root.system, directoryOf(root.at(place)));
  return true;
}

function writeGitIgnore(root: TreeRoot): void {
  writeFileDurably(
    { target: root.at(`${STORAGE}/.gitignore`), kind: 'file', bytes: Buffer.from('*\n'), mode: 0o644 },
    root.system,
  );
}
