import { statfsSync } from 'node:fs';

import type { Options } from './options.js';

/** Disk for an SBI as files, and for its rows in a database, bytes. Source: `du` of generated trees. */
const SBI_BYTES = 35_000;
const DATABASE_BYTES = 45_000;

/** Disk for an item of a grown index, bytes. */
const ITEM_BYTES = 3_000;

/** Disk that a run takes at its most, bytes. */
export function bytesNeeded({ curve, sbis, runs, items, backupBytes }: Options): number {
  // The tree, two copies and a database.
  if (curve !== undefined) return Math.max(...curve) * (3 * SBI_BYTES + DATABASE_BYTES);
  const trees = sbis * (SBI_BYTES + DATABASE_BYTES) * 2 + sbis * SBI_BYTES * 2 * runs;
  // Files, database, a backup, the database that a restore makes, and what it asks for beside that.
  return trees + items * ITEM_BYTES + 4.5 * backupBytes;
}

/** @throws Error when a run cannot end for want of disk: half an hour of measuring would be lost */
export function requireSpace(directory: string, options: Options): void {
  const { bavail, bsize } = statfsSync(directory);
  const [free, needed] = [bavail * bsize, bytesNeeded(options)];
  if (free >= needed) return;
  const [has, needs] = [free, needed].map((bytes) => `${(bytes / 1_073_741_824).toFixed(1)} GiB`);
  throw new Error(
    `it needs about ${needs}, and ${directory} has ${has}: set TMPDIR to a larger disk, or measure smaller sizes`,
  );
}
