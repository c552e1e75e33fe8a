import type { ContentHasher, TreeSource } from '@deespec/migration-engine';

import type { OwnDatabase } from './database.js';
import type { EpochRecord } from './epoch-file.js';
import type { HomePaths } from './home.js';
import type { MigrateOptions, Tally } from './reports.js';
import type { RunDirectory } from './runs.js';

/** One run of `migrate`. */
export interface MigrateRun {
  readonly paths: HomePaths;
  readonly options: MigrateOptions;
  readonly source: TreeSource;
  /** Hashes contents of the source in another thread; only where that is worth its start. */
  readonly hasher?: ContentHasher;
  /** Litter of other programs that the scan left out: path for display -> bytes. */
  readonly ignored: Map<string, number>;
  readonly directory: RunDirectory;
  readonly epoch: EpochRecord;
  /** The database this run works on a copy of. */
  readonly published: OwnDatabase | undefined;
  /** What the tree held when the run began, or was last migrated: for progress. */
  readonly total: Tally;
  readonly startedAt: Date;
  /** Called when everything is loaded, before it is compared: what is equal then is the tree as it was at this moment. */
  readonly beforeVerify?: () => Promise<void>;
  /** Called before the last round, when the tree changed in all others: no service changes it until what it gives is called. */
  readonly alone?: () => Promise<() => void>;
}

/** Reports progress against the tally of the preflight. */
export function progress(run: MigrateRun, phase: 'load' | 'compare' | 'verify', done: Tally): void {
  const total = phase === 'verify' ? run.total.bytes * 2 : run.total.bytes;
  run.options.onProgress?.({ phase, doneEntries: done.entries, doneBytes: done.bytes, totalBytes: total });
}
