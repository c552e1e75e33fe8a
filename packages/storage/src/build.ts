import { isStorageError, StorageError, type Finding, type TreePath } from '@deespec/domain';
import { loadTree, matchTree, type LoadReport } from '@deespec/migration-engine';
import { checkIndex, expectedSchema, openHandle, SqliteLoader, StoredTree } from '@deespec/sqlite-adapter';
import { verifyTree, type TreeVerification } from '@deespec/verifier';
import { rmSync } from 'node:fs';

import { CLOCK_TICK_MS, differingPaths, isChangedSince } from './changed-since.js';
import { copyDatabase } from './copy-database.js';
import { isDamaged } from './database.js';
import { lookAgain } from './look-again.js';
import { progress, type MigrateRun } from './migrate-run.js';
import type { ByteEquation, MigrateReport } from './reports.js';

/** A database that holds the tree, verified, not yet published. */
export interface BuiltDatabase {
  readonly digest: string;
  readonly equation: ByteEquation;
  readonly written: MigrateReport['written'];
  readonly findings: readonly Finding[];
  readonly quarantined: number;
  /** Loads that were needed until the tree held still. */
  readonly rounds: number;
}

/** Loads of a tree that keeps changing before the run gives up. */
const ROUNDS = 3;

/** A file touched this shortly before the run may have the same time again after another change. Nanoseconds. */
const RACY_NS = 2_000_000_000n;

/**
 * Builds the database of a run in its directory: load, then the independent verifier reads both sides again; while they
 * differ because the tree changed, what changed is loaded again.
 *
 * @throws StorageError `TREE.UNSTABLE` after 3 rounds; `TRANSFER.MISMATCH` when both sides differ and nobody changed the tree
 *
 * Source: docs/adr/0009.
 */
export async function buildDatabase(run: MigrateRun): Promise<BuiltDatabase> {
  const trustBeforeNs = BigInt(run.startedAt.getTime()) * 1_000_000n - RACY_NS;
  let start: Start = run.published === undefined || isDamaged(run.published) ? 'new' : 'copy';
  let built: 'new' | 'copy' = start;
  let written = nothing;
  let moving: readonly TreePath[] = [];
  for (let round = 1; round <= ROUNDS; round++) {
    const isLast = round === ROUNDS && run.alone !== undefined;
    const load = isLast
      ? await loadAlone(run, { trustBeforeNs, start, moving })
      : await loadOnce(run, trustBeforeNs, start);
    if (load === 'unstable') {
      start = built;
      continue;
    }
    if (load === 'damaged') {
      start = built = 'new';
      continue;
    }
    if (!isLast) await run.beforeVerify?.();
    written = start === 'again' ? added(written, load.written) : load.written;
    // The verifier is also the comparison that shows whether the tree changed meanwhile: it reads both sides again.
    const verified = await verifyBuilt(run);
    if (isOfMoment(run, verified, load)) {
      // What was parsed and what was stored a moment later can differ while a program writes: the journal is read first.
      if (load.touched && (await isIndexStale(run))) {
        start = 'again';
        continue;
      }
      return result(load, { written, verified, rounds: round });
    }
    moving = differingPaths(verified);
    const isOurs = await holdsStill(run, trustBeforeNs);
    if (isOurs && built === 'new') throw mismatch(verified);
    // The tree did not change, so the copy was damaged before: the files are the truth, build from them alone.
    start = isOurs ? 'new' : 'again';
    if (start === 'new') built = 'new';
  }
  throw new StorageError(
    'TREE.UNSTABLE',
    `the tree kept changing over ${ROUNDS} rounds; nothing was published`,
    {
      hint: 'stop the programs that write to it, then run the command again',
    },
  );
}

/** What a load begins with: nothing, a copy of the published database, or what the load before it left. */
type Start = 'new' | 'copy' | 'again';

const nothing = { entries: 0, bytes: 0, rows: 0, removed: 0 };

/** A load, or why there is none: the tree changed under it, or the copy has rows that no load can build upon. */
type Load = Loaded | 'unstable' | 'damaged';

interface Loaded extends LoadReport {
  /** When services could write again, milliseconds since 1970; absent where they could all the time. */
  readonly openedMs?: number;
}

interface LastRound {
  readonly trustBeforeNs: bigint;
  readonly start: Start;
  /** Paths that differed in the round before. */
  readonly moving: readonly TreePath[];
}

/**
 * Loads while no service writes, and no longer: what they change after it is told from the rest by its time. What they were seen to change
 * before is compared here, because later it is another.
 */
async function loadAlone(run: MigrateRun, { trustBeforeNs, start, moving }: LastRound): Promise<Load> {
  const open = await run.alone!();
  try {
    const load = await loadOnce(run, trustBeforeNs, start);
    if (typeof load === 'string') return load;
    await run.beforeVerify?.();
    const sides = { home: run.paths.home, database: run.directory.database };
    const left = await lookAgain(sides, moving, run.options.signal);
    return left.size === 0 ? { ...load, openedMs: Date.now() - CLOCK_TICK_MS } : 'unstable';
  } finally {
    open();
  }
}

/** True when what is stored is what the files were at one moment. */
function isOfMoment(run: MigrateRun, verified: TreeVerification, { openedMs }: Loaded): boolean {
  if (verified.differenceCount === 0 && verified.timeDifferences === 0) return true;
  return openedMs !== undefined && isChangedSince(run.paths.home, verified, openedMs);
}

async function loadOnce(run: MigrateRun, racyFromNs: bigint, start: Start): Promise<Load> {
  const { options, directory, source } = run;
  if (start !== 'again') rmSync(directory.database, { force: true });
  if (start === 'copy') copyDatabase(run.paths.database, directory.database);
  const { mode, epoch, storeId } = run.epoch;
  const state = { mode, epoch, storeId };
  const create = start === 'new' ? { create: { state, now: () => new Date() } } : {};
  const target = SqliteLoader.open({ path: directory.database, ...create });
  try {
    run.ignored.clear();
    const report = await loadTree({
      source,
      target,
      spool: target.spool,
      batchSize: options.batchSize ?? 100,
      onProgress: (done) => progress(run, 'load', done),
      touchedSinceNs: racyFromNs,
      ...(start === 'again' ? { trustBeforeNs: racyFromNs } : {}),
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    });
    target.complete();
    return report;
  } catch (error) {
    // A file that grew while it was read: what is built so far is thrown away with it.
    if (isStorageError(error, 'FILE.UNSTABLE') || isStorageError(error, 'TREE.UNSTABLE')) return 'unstable';
    if (isStorageError(error, 'DATABASE.CORRUPT') && run.published !== undefined && start !== 'new')
      return 'damaged';
    throw error;
  } finally {
    target.close();
  }
}

/** Derives the index again from the stored bytes. */
async function isIndexStale(run: MigrateRun): Promise<boolean> {
  const handle = openHandle(run.directory.database, 'read');
  try {
    return (await checkIndex(handle)).length > 0;
  } finally {
    handle.close();
  }
}

async function holdsStill(run: MigrateRun, trustBeforeNs: bigint): Promise<boolean> {
  const target = StoredTree.openReader(run.directory.database);
  try {
    const { signal } = run.options;
    const options = {
      source: run.source,
      target,
      trustBeforeNs,
      ...(signal === undefined ? {} : { signal }),
    };
    return (await matchTree(options)).same;
  } finally {
    target.close();
  }
}

function verifyBuilt(run: MigrateRun): Promise<TreeVerification> {
  return verifyTree({
    home: run.paths.home,
    database: run.directory.database,
    expectedSchema: expectedSchema(),
    checkAll: true,
    onProgress: ({ doneBytes, doneEntries }) =>
      progress(run, 'verify', { bytes: doneBytes, entries: doneEntries }),
    signal: run.options.signal,
  });
}

function result(
  load: LoadReport,
  {
    written,
    verified,
    rounds,
  }: { written: BuiltDatabase['written']; verified: TreeVerification; rounds: number },
): BuiltDatabase {
  const { findings, quarantined } = load;
  return {
    // The same, unless services wrote while the files were compared.
    digest: verified.databaseDigest!,
    equation: equationOf(verified),
    written,
    findings,
    quarantined,
    rounds,
  };
}

/** The byte equation as the verifier counted it. */
export function equationOf({ scannedTally, storedTally, ignoredTally }: TreeVerification): ByteEquation {
  const holds =
    scannedTally.entries === storedTally.entries + ignoredTally.entries &&
    scannedTally.bytes === storedTally.bytes + ignoredTally.bytes;
  return { scanned: scannedTally, stored: storedTally, ignored: ignoredTally, holds };
}

function mismatch({ differences, differenceCount }: TreeVerification): StorageError {
  return new StorageError(
    'TRANSFER.MISMATCH',
    `tree and database differ in ${differenceCount} places; nothing was published`,
    {
      hint: 'the tree was not changed; report this with the differences',
      details: { differenceCount, differences },
    },
  );
}

function added(a: MigrateReport['written'], b: MigrateReport['written']): MigrateReport['written'] {
  return {
    entries: a.entries + b.entries,
    bytes: a.bytes + b.bytes,
    rows: a.rows + b.rows,
    removed: a.removed + b.removed,
  };
}
