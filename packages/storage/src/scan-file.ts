import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import type { HomePaths } from './home.js';
import { readRegular } from './read-regular.js';
import type { Tally } from './reports.js';

/** The last scan of the files: what was counted, and when (UTC, fixed width). */
export type ScanRecord = Tally & { readonly at: string };

/** Remembers a scan for `status`, which does not scan. Informational: nothing relies on it. */
export function rememberScan(paths: HomePaths, scan: ScanRecord): void {
  const target = join(paths.own, 'last-scan');
  writeFileSync(`${target}.new`, `${JSON.stringify(scan)}\n`, { mode: 0o600 });
  renameSync(`${target}.new`, target);
}

/** The last scan, or `undefined` when there is no readable record of one. */
export function lastScan(paths: HomePaths): ScanRecord | undefined {
  try {
    const bytes = readRegular(join(paths.own, 'last-scan'));
    return bytes === undefined ? undefined : (JSON.parse(bytes.toString('utf8')) as ScanRecord);
  } catch {
    return undefined;
  }
}
