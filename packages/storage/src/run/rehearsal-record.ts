import { writeFileDurably } from '@deespec/file-adapter';

import type { HomePaths } from '../home.js';
import { readRegular } from '../read-regular.js';

/** A part of a rehearsal and how long it took. */
export interface RehearsalPhase {
  readonly name: string;
  readonly ms: number;
}

/** `.storage/rehearsal.json`: what the last rehearsal proved. */
export interface RehearsalRecord {
  /** ISO 8601, UTC. */
  readonly at: string;
  /** Of this program. */
  readonly version: string;
  /** True when the copy that was cut over and rolled back is the one that never left its files. */
  readonly ok: boolean;
  /** Digest of the copy that was rolled back. */
  readonly digest: string;
  /** Digest of the copy that never left its files. */
  readonly expected: string;
  /** Changes that were made through the API, and by a writer of files that knows nothing of us. */
  readonly writes: { readonly api: number; readonly foreign: number };
  /** What was rehearsed on: entries and bytes. */
  readonly entries: number;
  readonly bytes: number;
  readonly phases: readonly RehearsalPhase[];
}

/** What the last rehearsal proved; `undefined` when there is none, or its record cannot be read. */
export function lastRehearsal(paths: HomePaths): RehearsalRecord | undefined {
  try {
    const text = readRegular(paths.rehearsalRecord)?.toString('utf8');
    const record = JSON.parse(text ?? 'null') as Partial<RehearsalRecord> | null;
    const isRecord =
      record !== null &&
      typeof record.at === 'string' &&
      !Number.isNaN(Date.parse(record.at)) &&
      typeof record.ok === 'boolean' &&
      typeof record.writes?.api === 'number' &&
      typeof record.writes.foreign === 'number' &&
      Array.isArray(record.phases);
    return isRecord ? (record as RehearsalRecord) : undefined;
  } catch {
    return undefined; // it only informs: without it the rehearsal is to be made again
  }
}

/** Keeps what a rehearsal proved, durably. */
export function keepRehearsal(paths: HomePaths, record: RehearsalRecord): void {
  writeFileDurably({
    kind: 'file',
    target: paths.rehearsalRecord,
    bytes: Buffer.from(`${JSON.stringify(record, undefined, 2)}\n`),
    mode: 0o600,
  });
}
