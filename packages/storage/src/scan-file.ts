import { parseTime } from '@deespec/domain';
import { writeFileDurably } from '@deespec/file-adapter';
import { join } from 'node:path';

import type { HomePaths } from './home.js';
import { readRegular } from './read-regular.js';
import type { Tally } from './reports.js';

/** The last scan of the files: what was counted, and when (UTC, fixed width). */
export type ScanRecord = Tally & { readonly at: string };

/** Remembers a scan for `status`, which does not scan. Informational: nothing relies on it. */
export function rememberScan(paths: HomePaths, scan: ScanRecord): void {
  const bytes = Buffer.from(`${JSON.stringify(scan)}\n`);
  writeFileDurably({ kind: 'file', target: join(paths.own, 'last-scan'), bytes, mode: 0o600 });
}

/** The last scan, or `undefined` when there is no readable record of one. */
export function lastScan(paths: HomePaths): ScanRecord | undefined {
  try {
    const value: unknown = JSON.parse(readRegular(join(paths.own, 'last-scan'))?.toString('utf8') ?? 'null');
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is ScanRecord {
  if (typeof value !== 'object' || value === null) return false;
  const { at, entries, bytes } = value as Record<string, unknown>;
  return (
    typeof at === 'string' &&
    parseTime(at) === at &&
    Number.isSafeInteger(entries) &&
    Number.isSafeInteger(bytes)
  );
}
