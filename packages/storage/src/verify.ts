import { isStorageError, StorageError, timeFromDate, type TreePath } from '@deespec/domain';
import {
  addEvidence,
  checkIndex,
  expectedSchema,
  inspectDatabase,
  isDrift,
  openHandle,
  readState,
  recordDigest,
  requireSchema,
  requireSmallCells,
  toStorageError,
} from '@deespec/sqlite-adapter';
import { verifyTree, type TreeVerification } from '@deespec/verifier';
import { ulid } from 'ulid';

import { takeBarrier } from './barrier.js';
import { equationOf } from './build.js';
import { differingPaths } from './changed-since.js';
import { ownLinks, requireOwnState } from './database.js';
import { changedRuns, sinceMigration } from './evidence.js';
import { homePaths, type HomePaths } from './home.js';
import { lookAgain } from './look-again.js';
import { retryBusy } from './retry-busy.js';
import type { Difference, VerifyOptions, VerifyReport } from './reports.js';
import { programVersion } from './manifest.js';
import { modeInForce } from './run/mode-in-force.js';

/** Differences that are listed; all of them are counted. */
const LISTED = 1_000;

/** How long the evidence waits for services that write, milliseconds. */
const WAIT_MS = 5_000;

/** Differences after which the stored bytes cannot be derived again. */
const structural = new Set(['schema', 'schema-script', 'integrity', 'missing-content']);

/**
 * Compares the tree on disk with the database by code that shares nothing with the migration, and adds the result to the
 * evidence. Differences are a result, not an error.
 *
 * @throws StorageError `DATABASE.NOT_FOUND`, `DATABASE.CORRUPT` when it cannot be read at all, `DATABASE.NEWER`,
 *   `DATABASE.OTHER_STORE`, `LOCK.HELD`, `MODE.REFUSED` where files are not kept, `FILE.*`, `INTERRUPTED`
 */
export async function verify(options: VerifyOptions): Promise<VerifyReport> {
  const paths = homePaths(options.home);
  if (inspectDatabase(paths.database, ownLinks(paths)) === 'absent') {
    throw new StorageError('DATABASE.NOT_FOUND', `${paths.home} has no database yet`, {
      hint: 'run "deespec migrate" first',
    });
  }
  requireFiles(paths);
  const release = takeBarrier(paths, { access: 'shared', command: 'verify' });
  try {
    return await verifyUnderBarrier(paths, options);
  } finally {
    release();
  }
}

/** Where the files are not kept they differ from the database by right. @throws StorageError `MODE.REFUSED` */
function requireFiles(paths: HomePaths): void {
  if (modeInForce(paths) !== 'sqlite_only') return;
  throw new StorageError(
    'MODE.REFUSED',
    'in mode sqlite_only the files are not kept, so there is nothing to compare',
    {
      hint: 'deespec check looks into the database; deespec backup create proves every byte of a copy',
    },
  );
}

/** A verification by a command that holds the barrier. */
export interface HeldVerification extends VerifyOptions {
  /** The database was brought into step just now: its rows are compared with no earlier record, and are on record from here. */
  readonly isRenewed?: boolean;
}

/** As {@link verify}, for whoever holds the barrier. */
export async function verifyUnderBarrier(paths: HomePaths, options: HeldVerification): Promise<VerifyReport> {
  const startedAt = Date.now();
  const compared = await compareUnderBarrier(paths, options);
  const { verified, differences, differenceCount, changedMeanwhile, isReadable } = compared;
  return report(paths, verified, {
    differences: differences.slice(0, LISTED),
    differenceCount,
    changedMeanwhile,
    evidence: isReadable
      ? await record(paths, compared, options.isRenewed === true)
      : 'not recorded: the database is damaged',
    durationMs: Date.now() - startedAt,
    checkAll: options.checkAll === true,
  });
}

/** What a comparison found. */
export interface Comparison {
  readonly verified: TreeVerification;
  /** Entries that services changed meanwhile, and that were equal when both sides were looked at together. */
  readonly changedMeanwhile: number;
  /** The first of each kind of source; all are counted. */
  readonly differences: readonly Difference[];
  readonly differenceCount: number;
  /** False when the database is so damaged that it could not be compared in every way. */
  readonly isReadable: boolean;
}

/** Compares as {@link verify} does and writes nothing, for whoever holds the barrier. */
export async function compareUnderBarrier(paths: HomePaths, options: HeldVerification): Promise<Comparison> {
  const found = checkSchema(paths, options);
  const verified = await verifyTree({
    home: paths.home,
    database: paths.database,
    expectedSchema: expectedSchema(),
    checkAll: options.checkAll === true,
    onProgress: ({ doneBytes, doneEntries }) =>
      options.onProgress?.({ phase: 'verify', doneBytes, doneEntries }),
    signal: options.signal,
  });
  // The verifier names the objects of a drift one by one; what else has drifted is named here.
  const isNamed = verified.differences.some(({ what }) => what === 'schema');
  const schema = found.filter(({ what }) => what !== 'schema' || !isNamed);
  const changed = await changedMeanwhile(paths, verified, options);
  const known = [...schema, ...verified.differences.filter((difference) => !changed.has(difference))];
  const isReadable = !known.some(({ what }) => structural.has(what));
  const isInside = options.checkAll === true && isReadable;
  const isRenewed = options.isRenewed === true;
  const inside = isInside ? await insideDifferences(paths, verified, { known, isRenewed }) : [];
  return {
    verified,
    changedMeanwhile: changed.size,
    differences: [...known, ...inside],
    differenceCount: schema.length + verified.differenceCount - changed.size + inside.length,
    isReadable,
  };
}

/** Differences that services made by writing to both stores meanwhile, which are none. */
async function changedMeanwhile(
  paths: HomePaths,
  verified: TreeVerification,
  { isRenewed, signal }: HeldVerification,
): Promise<ReadonlySet<Difference>> {
  const isFollowed = ['dual_write', 'sqlite'].includes(modeInForce(paths));
  // Of more differences than are kept most are no service's.
  if (!isFollowed || isRenewed === true || verified.differenceCount > verified.differences.length)
    return new Set();
  const left = await lookAgain(paths, differingPaths(verified), signal);
  return new Set([...verified.paths].filter(([, path]) => !left.has(path as TreePath)).map(([one]) => one));
}

/** What is wrong with the scripts and the objects of the database, as differences. */
function checkSchema(paths: HomePaths, { checkAll }: VerifyOptions): Difference[] {
  const handle = openHandle(paths.database, 'look');
  try {
    requireSchema(handle);
    requireOwnState(paths, readState(handle));
    if (checkAll === true) requireSmallCells(handle);
    return [];
  } catch (error) {
    const known = toStorageError(error, paths.database);
    if (isDrift(known)) {
      const expected = 'what the scripts of this program produce';
      return [{ what: 'schema', where: 'database', expected, actual: known.message }];
    }
    if (isStorageError(known, 'MIGRATION.CHECKSUM_MISMATCH') || isStorageError(known, 'MIGRATION.MISSING')) {
      return [
        {
          what: 'schema-script',
          where: 'schema_version',
          expected: 'the scripts of this program',
          actual: known.message,
        },
      ];
    }
    throw known;
  } finally {
    handle.close();
  }
}

/** What the database contradicts itself in; what its evidence knew otherwise only where nothing else explains it. */
async function insideDifferences(
  paths: HomePaths,
  verified: TreeVerification,
  { known, isRenewed }: { readonly known: readonly Difference[]; readonly isRenewed: boolean },
): Promise<Difference[]> {
  const handle = openHandle(paths.database, 'read');
  try {
    // One moment: between two, services make rows that the first does not know.
    handle.exec('BEGIN DEFERRED');

    const index = (await checkIndex(handle)).map(({ where, expected, actual }) => {
      return { what: 'index', where, expected, actual };
    });
    const found = [...index, ...changedRuns(handle)];
    return isRenewed || known.length + found.length > 0 ? found : sinceMigration(handle, verified);
  } catch (error) {
    const known = toStorageError(error, paths.database);
    if (!isStorageError(known, 'DATABASE.CORRUPT')) throw known;
    return [{ what: 'index', where: 'database', expected: 'rows that can be read', actual: known.message }];
  } finally {
    handle.close();
  }
}

/** Adds the result to the evidence; a database that cannot be written keeps its old evidence, and the report says so. */
async function record(paths: HomePaths, compared: Comparison, isRenewed: boolean): Promise<string> {
  try {
    await retryBusy(() => addResult(paths, compared, isRenewed), WAIT_MS);
    return 'recorded';
  } catch (error) {
    if (!isStorageError(error)) throw error;
    return `not recorded: ${error.message}`;
  }
}

function addResult(
  paths: HomePaths,
  { verified, differenceCount: differences, changedMeanwhile }: Comparison,
  isRenewed: boolean,
): void {
  // The database was seen at one moment, the files were not.
  const digest = changedMeanwhile === 0 ? verified.treeDigest : verified.databaseDigest;
  const handle = openHandle(paths.database, 'write');
  try {
    addEvidence(handle, {
      runId: ulid(),
      ...(isRenewed && differences === 0
        ? { action: 'migrate', record: recordDigest(handle) }
        : { action: 'verify' }),
      at: timeFromDate(new Date()),
      version: programVersion(),
      epoch: readState(handle)!.epoch,
      ...(digest === undefined ? {} : { digest }),
      entries: verified.storedTally.entries,
      bytes: verified.storedTally.bytes,
      ignoredEntries: verified.ignoredTally.entries,
      ignoredBytes: verified.ignoredTally.bytes,
      differences,
    });
  } catch (error) {
    throw toStorageError(error, paths.database);
  } finally {
    handle.close();
  }
}

type Result = Pick<
  VerifyReport,
  'differences' | 'differenceCount' | 'changedMeanwhile' | 'evidence' | 'durationMs' | 'checkAll'
>;

function report(paths: HomePaths, verified: TreeVerification, result: Result): VerifyReport {
  return {
    home: paths.home,
    database: paths.database,
    ok: result.differenceCount === 0,
    ...(verified.treeDigest === undefined ? {} : { treeDigest: verified.treeDigest }),
    ...(verified.databaseDigest === undefined ? {} : { databaseDigest: verified.databaseDigest }),
    equation: equationOf(verified),
    timeDifferences: verified.timeDifferences,
    quarantined: verified.quarantined,
    ...result,
  };
}
