import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';

import type { BackupFacts } from './manifest.js';

/** What a file is, whatever is in it. */
export type FileFacts = Pick<BackupFacts, 'sha256' | 'size'>;

/** Hash and length of a closed file, whatever is in it. */
export async function hashFile(path: string): Promise<FileFacts> {
  const hash = createHash('sha256');
  let size = 0;
  for await (const chunk of createReadStream(path, { highWaterMark: 1_048_576 }) as AsyncIterable<Buffer>) {
    hash.update(chunk);
    size += chunk.length;
  }
  return { sha256: hash.digest('hex'), size };
}
