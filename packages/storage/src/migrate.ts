import { displayPath, isStorageError, StorageError, systemCode, timeFromDate } from '@deespec/domain';
import { ContentHasher, openFileStorage } from '@deespec/file-adapter';
import { matchTree, type TreeSource } from '@deespec/migration-engine';
import {
  addEvidence,
  countStored,
  countTables,
  latestEvidence,
  openHandle,
  recordDigest,
  StoredTree,
  toStorageError,
} from '@deespec/sqlite-adapter';
import { ulid } from 'ulid';

import { AN_INSTANT_MS, takeAlone } from './alone.js';
import { buildDatabase, type BuiltDatabase } from './build.js';
import { findDatabase, isDamaged } from './database.js';
import { ensureEpoch } from './epoch-file.js';
import { homePaths, type HomePaths } from './home.js';
import { progress, type MigrateRun } from './migrate-run.js';
import { requireFit, requireIdleGoTool, requireSpace, unsafeDirectories } from './preflight.js';
import { publish } from './publish.js';
import type { ByteEquation, MigrateOptions, MigrateReport, RowCounts, Tally } from './reports.js';
import { beginRun, type RunDirectory } from './runs.js';
import { rememberScan } from './scan-file.js';
import { requireMode } from './setting.js';
import { programVersion } from './manifest.js';

/**
 * Copies the tree into its database: scan, parse, derive, validate, load, compare, verify, evidence, publish. The tree is
 * only read. Nothing is visible before the last step; a crash leaves the old state and files that the next run removes.
 *
 * @throws StorageError `TREE.INVALID` with `details.findings` when an entry breaks a rule and `quarantine` is not set;
 *   `TREE.UNSTABLE` when the tree kept changing; `TRANSFER.MISMATCH` when both sides differ after all; `LOCK.HELD`,
 *   `GO_TOOL.RUNNING`, `PREFLIGHT.*`, `MODE.*`, `DATABASE.*`, `FILE.*`, `INTERRUPTED`
 *
 * Source: migration strategy, "Phase 2: Data Migration Tools".
 */
export async function migrate(options: MigrateOptions): Promise<MigrateReport> {
  return runMigration(options, { command: 'migrate' });
}

/** What another use case does with a migration: it cannot change what the migration does. */
export interface MigrateWitness {
  /** Words of the command, for those who wait for the barrier. */
  readonly command: string;
  /** Called before anything is built; what it throws ends the run. */
  readonly onBegin?: (run: MigrateRun) => void;
  /** Called when the new database is complete and verified, beside the published one, before it replaces that. */
  readonly onBuilt?: (run: MigrateRun) => void;
}

/** {@link migrate}, watched. */
export async function runMigration(options: MigrateOptions, witness: MigrateWitness): Promise<MigrateReport> {
  const startedAt = new Date();
  const paths = homePaths(options.home);
  const { command } = witness;
  requireFit(paths);
  const release = await takeAlone(paths, options.dryRun ? `${command} --dry-run` : command, AN_INSTANT_MS);
  const runId = ulid(startedAt.getTime());
  let directory: RunDirectory | undefined;
  let hasher: ContentHasher | undefined;
  try {
    await requireFileMode(paths);
    requireIdleGoTool(paths, startedAt);
    directory = beginRun(paths, runId);
    const published = findDatabase(paths, { older: 'allowed' });
    const ignored = new Map<string, number>();
    const { store: source } = openFileStorage({
      home: paths.home,
      onIgnored: ({ path, bytes }) => ignored.set(displayPath(path), bytes),
    });
    const total = published?.evidence ?? tally(source);
    const epoch = ensureEpoch(paths);
    if (published !== undefined && isLarge(total)) hasher = new ContentHasher(source.root.directory);
    const run: MigrateRun = {
      paths,
      options,
      source,
      ...(hasher === undefined ? {} : { hasher }),
      ignored,
      directory,
      epoch,
      published,
      total,
      startedAt,
    };
    witness.onBegin?.(run);
    const report = (await unchanged(run, runId)) ?? (await rebuild(run, runId, witness));
    removeFinished(directory, report);
    return report;
  } catch (error) {
    throw afterRemoval(error, directory);
  } finally {
    await hasher?.close();
    release();
  }
}

/** A tree that takes long enough for a thread that reads a part of it: its start takes 50 ms of a processor. */
function isLarge({ entries, bytes }: Tally): boolean {
  return entries >= 3_000 || bytes >= 67_108_864;
}

/** The work is done by then: when the run's directory cannot be removed, the error says what stands, and the next run removes it. */
function removeFinished(directory: RunDirectory, { outcome, dryRun }: MigrateReport): void {
  try {
    directory.remove();
  } catch (cause) {
    const isPublished = !dryRun && outcome !== 'unchanged';
    const done = isPublished ? 'the database is published' : 'the run ended well';
    throw new StorageError(
      'FILE.WRITE_FAILED',
      `${done}, but its working directory cannot be removed (${systemCode(cause)})`,
      {
        hint: 'see the cause; the next "deespec migrate" removes the directory',
        details: { database: directory.database, outcome },
        cause,
      },
    );
  }
}

/** Removes the run's directory after a failure; when that fails too, the first error stays and carries the second. */
function afterRemoval(error: unknown, directory: RunDirectory | undefined): unknown {
  try {
    directory?.remove();
  } catch (second) {
    if (error instanceof Error && error !== second) {
      error.cause = new AggregateError([error.cause, second], 'the directory of the run is left behind');
    }
  }
  return error;
}

/**
 * In other modes the database follows or leads: it is not built anew. A mode is never guessed; a `setting.json` that cannot be
 * read is a finding of the load, which lists all of them.
 */
async function requireFileMode(paths: HomePaths): Promise<void> {
  try {
    await requireMode(paths, ['file'], {
      command: 'migrate',
      hint: 'bring both stores into step: deespec sync',
    });
  } catch (error) {
    if (!isStorageError(error, 'LAYOUT.MALFORMED')) throw error;
  }
}

/** What a tree holds. */
export function tally(source: TreeSource): Tally {
  const total = { entries: 0, bytes: 0 };
  for (const { size } of source.scan()) {
    total.entries += 1;
    total.bytes += size;
  }
  return total;
}

/** The report of a run that finds nothing to do; `undefined` when there is something. */
async function unchanged(run: MigrateRun, runId: string): Promise<MigrateReport | undefined> {
  if (run.published === undefined || run.published.isOlder) return undefined;
  const stored = StoredTree.openReader(run.paths.database);
  try {
    const rows = countTables(stored.handle);
    // Quarantined entries are refused or counted again on every run: their findings are made by the load.
    if (rows.quarantined > 0 || isDamaged(run.published)) return undefined;
    const match = await matchTree({
      source: run.source,
      target: stored,
      ...(run.hasher === undefined ? {} : { hasher: run.hasher }),
      onProgress: (done) => progress(run, 'compare', done),
      ...(run.options.signal === undefined ? {} : { signal: run.options.signal }),
    });
    if (!match.same) return undefined;
    const equation = equationOf(run, match.scanned, countStored(stored.handle));
    const { evidence } = run.published;
    const isProven = evidence.entries === equation.stored.entries && evidence.bytes === equation.stored.bytes;
    if (!equation.holds || !isProven) return undefined;
    return report(run, runId, {
      outcome: 'unchanged',
      digest: evidence.digest!,
      equation,
      written: { entries: 0, bytes: 0, rows: 0, removed: 0 },
      rows,
      findings: [],
      quarantined: 0,
      rounds: 1,
      databaseBytes: databaseBytes(stored.handle),
    });
  } finally {
    stored.close();
  }
}

async function rebuild(run: MigrateRun, runId: string, witness: MigrateWitness): Promise<MigrateReport> {
  requireSpace(run.paths, run.published === undefined ? run.total.bytes : tally(run.source).bytes);
  const built = await buildDatabase(run);
  refuseInvalid(run, built);
  witness.onBuilt?.(run);
  const isSame = run.published?.isOlder === false && isNothing(built.written);
  const { rows, bytes } = writeEvidence(run, runId, built);
  requireEvidence(run.directory.database, runId);
  if (run.options.dryRun !== true && !isSame) {
    run.options.onProgress?.({
      phase: 'publish',
      doneEntries: run.total.entries,
      doneBytes: run.total.bytes,
    });
    rememberScan(run.paths, { at: timeFromDate(new Date()), ...built.equation.scanned });
    publish(run.paths, run.directory.database, run.published === undefined ? 'first' : 'replace');
  }
  const outcome = run.published === undefined ? 'created' : isSame ? 'unchanged' : 'updated';
  return report(run, runId, { ...built, outcome, rows, databaseBytes: bytes });
}

/** Writes what was verified into the unpublished database; says what it holds. */
export function writeEvidence(
  run: MigrateRun,
  runId: string,
  built: BuiltDatabase,
): { rows: RowCounts; bytes: number } {
  const handle = openHandle(run.directory.database, 'write');
  try {
    const { stored, ignored } = built.equation;
    addEvidence(handle, {
      runId,
      action: 'migrate',
      at: timeFromDate(new Date()),
      version: programVersion(),
      epoch: run.epoch.epoch,
      digest: built.digest,
      record: recordDigest(handle),
      entries: stored.entries,
      bytes: stored.bytes,
      ignoredEntries: ignored.entries,
      ignoredBytes: ignored.bytes,
      differences: 0,
    });
    return { rows: countTables(handle), bytes: databaseBytes(handle) };
  } catch (error) {
    throw toStorageError(error, run.directory.database);
  } finally {
    handle.close();
  }
}

/**
 * Proves on a fresh connection that the evidence, written after everything was verified, is there and can be found.
 *
 * @throws StorageError `TRANSFER.MISMATCH`
 */
export function requireEvidence(database: string, runId: string): void {
  const handle = openHandle(database, 'read');
  try {
    const check = handle.pragma(`integrity_check('evidence')`, { simple: true });
    if (check === 'ok' && latestEvidence(handle, 'migrate')?.runId === runId) return;
  } finally {
    handle.close();
  }
  throw new StorageError(
    'TRANSFER.MISMATCH',
    'the evidence that was written cannot be read; nothing was published',
    {
      hint: 'check disk and memory, then run the command again',
      details: { database, runId },
    },
  );
}

function countOf(entries: number): string {
  return entries === 1 ? '1 entry breaks' : `${entries} entries break`;
}

function isNothing({ entries, rows, removed }: MigrateReport['written']): boolean {
  return entries === 0 && rows === 0 && removed === 0;
}

/** @throws StorageError `TREE.INVALID` */
function refuseInvalid(run: MigrateRun, built: BuiltDatabase): void {
  const errors = built.findings.filter(({ severity }) => severity === 'error');
  if (run.options.quarantine === true || (errors.length === 0 && built.quarantined === 0)) return;
  throw new StorageError('TREE.INVALID', `${countOf(built.quarantined)} a rule; nothing was published`, {
    hint: 'mend them, or run "deespec migrate --quarantine" to keep their bytes without interpreting them',
    details: {
      errors: errors.length,
      warnings: built.findings.length - errors.length,
      quarantined: built.quarantined,
      findings: built.findings,
    },
  });
}

type Outcome = BuiltDatabase & Pick<MigrateReport, 'outcome' | 'rows' | 'databaseBytes'>;

function report(run: MigrateRun, runId: string, outcome: Outcome): MigrateReport {
  return {
    runId,
    dryRun: run.options.dryRun === true,
    home: run.paths.home,
    database: run.paths.database,
    ...outcome,
    ignored: [...run.ignored.keys()].sort(),
    unsafeDirectories: unsafeDirectories(run.paths),
    durationMs: Date.now() - run.startedAt.getTime(),
  };
}

/** The byte equation of three independent counts: the walk, the rows, and what the walk left out. */
function equationOf(run: MigrateRun, taken: Tally, stored: Tally): ByteEquation {
  const ignored = {
    entries: run.ignored.size,
    bytes: [...run.ignored.values()].reduce((sum, size) => sum + size, 0),
  };
  const scanned = { entries: taken.entries + ignored.entries, bytes: taken.bytes + ignored.bytes };
  return {
    scanned,
    stored,
    ignored,
    holds: taken.entries === stored.entries && taken.bytes === stored.bytes,
  };
}

function databaseBytes(handle: { pragma(text: string, options: { simple: true }): unknown }): number {
  const pages = handle.pragma('page_count', { simple: true }) as number;
  return pages * (handle.pragma('page_size', { simple: true }) as number);
}
