import { chmodSync, lstatSync, readdirSync, rmdirSync, unlinkSync } from 'node:fs';

import { bytesOfPath, systemCode, writeError } from './file-error.js';

/**
 * Removes a directory that this product made, with everything below it: names of any bytes (which Node's own `rm` cannot
 * remove) and directories of any mode. Symlinks are removed, never followed. Nothing there is no error.
 *
 * @throws StorageError `FILE.PERMISSION`, `FILE.WRITE_FAILED`
 */
export function removeTree(directory: string): void {
  try {
    remove(Buffer.from(directory));
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw writeError(error, bytesOfPath(directory), 'before');
  }
}

function remove(path: Buffer): void {
  if (!lstatSync(path).isDirectory()) {
    unlinkSync(path);
    return;
  }
  chmodSync(path, 0o700);
  for (const name of readdirSync(path, { encoding: 'buffer' }))
    remove(Buffer.concat([path, Buffer.from('/'), name]));
  rmdirSync(path);
}
