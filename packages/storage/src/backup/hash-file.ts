import { CHUNK_BYTES } from '@deespec/domain';
import { createHash } from 'node:crypto';
import { closeSync, openSync, readSync } from 'node:fs';

import type { BackupFacts } from './manifest.js';

/** What a file is, whatever is in it. */
export type FileFacts = Pick<BackupFacts, 'sha256' | 'size'>;

/** Hash and length of a closed file, whatever is in it. Blocks the thread; holds one piece of it. */
export function hashFile(path: string): FileFacts {
  const hash = createHash('sha256');
  const buffer = Buffer.allocUnsafeSlow(CHUNK_BYTES);
  const file = openSync(path, 'r');
  try {
    let size = 0;
    for (let read = readSync(file, buffer); read > 0; read = readSync(file, buffer)) {
      hash.update(buffer.subarray(0, read));
      size += read;
    }
    return { sha256: hash.digest('hex'), size };
  } finally {
    closeSync(file);
  }
}
