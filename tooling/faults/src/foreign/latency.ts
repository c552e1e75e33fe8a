import Database from 'better-sqlite3';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import type { Place } from '../place.js';
import { contentOf } from '../writers/content.js';
import { GoFiles } from './go-files.js';

/** A write that is not there by then is called lost. */
const PATIENCE_MS = 60_000;

/** How long a foreign write takes into the database of a tree that is watched, and otherwise quiet: milliseconds, sorted. */
export async function latencies(place: Place, item: string, samples: number): Promise<number[]> {
  const files = new GoFiles(place.home, join(place.directory, 'latency.ndjson'));
  const handle = new Database(place.database, { readonly: true, fileMustExist: true, timeout: 5_000 });
  const find = handle.prepare('SELECT sha256 FROM tree_entry WHERE path = ?').pluck();
  const taken: number[] = [];
  try {
    // The first one waits for the watcher to start.
    for (let n = 0; n <= samples; n += 1) {
      const path = `specs/sbi/${item}/latency_${n}.md`;
      const bytes = contentOf(`latency ${n}`);
      const wanted = createHash('sha256').update(bytes).digest('hex');
      files.replace(path, bytes);
      const started = performance.now();
      while (find.get(Buffer.from(path)) !== wanted && performance.now() - started < PATIENCE_MS)
        await sleep(5);
      if (n > 0) taken.push(Math.round(performance.now() - started));
      await sleep(137);
    }
  } finally {
    handle.close();
  }
  return taken.sort((a, b) => a - b);
}
