import { isStorageError, timeFromDate } from '@deespec/domain';
import { inspectDatabase } from '@deespec/sqlite-adapter';

import { verifyAudit } from '../audit.js';
import { takeBarrier } from '../barrier.js';
import { ownLinks } from '../database.js';
import { readEpoch } from '../epoch-file.js';
import type { HomePaths } from '../home.js';
import type { Difference, RunOptions } from '../reports.js';
import { compareUnderBarrier, type Comparison } from '../verify.js';
import { check, ok, refused, worst, type CheckStatus, type Found, type Made } from './check.js';
import { rememberDeep } from './deep-record.js';

/** What a deep check needs. */
export interface DeepOptions extends Pick<RunOptions, 'onProgress' | 'signal'> {
  readonly paths: HomePaths;
  readonly now: Date;
}

/**
 * Reads every byte of both stores, the index and the chain of changes, as "verify --check-all" and "audit verify" do, and keeps
 * the result in `.storage/`. Writes neither to the tree nor to the database. Runs under the shared barrier.
 *
 * @returns why it could not be made; `undefined` when it was
 * @throws StorageError `INTERRUPTED`
 */
export async function makeDeepCheck({ paths, now, ...options }: DeepOptions): Promise<Found | undefined> {
  const startedMs = performance.now();
  let release;
  try {
    release = takeBarrier(paths, { access: 'shared', command: 'health --deep' });
  } catch (error) {
    return refused(error);
  }
  try {
    const compared = await comparisonOf(paths, options);
    const made = await Promise.all([
      ...checksOf(paths, compared),
      check('deep audit', () => auditFound(paths)),
    ]);
    const checks = made.map((one) => one.check);
    const durationMs = Math.round(performance.now() - startedMs);
    rememberDeep(paths, { at: timeFromDate(now), durationMs, status: worst(checks), checks });
    return undefined;
  } catch (error) {
    if (isStorageError(error, 'INTERRUPTED')) throw error;
    return refused(error);
  } finally {
    release();
  }
}

async function comparisonOf(
  paths: HomePaths,
  options: Pick<RunOptions, 'onProgress' | 'signal'>,
): Promise<Comparison | Found> {
  try {
    if (inspectDatabase(paths.database, ownLinks(paths)) === 'absent') return ok('there is no database');
    return await compareUnderBarrier(paths, { ...options, home: paths.home, checkAll: true });
  } catch (error) {
    if (isStorageError(error, 'INTERRUPTED')) throw error;
    return refused(error);
  }
}

/** What each deep check is about: kinds of differences, what to do, and how bad they are. */
interface Aspect {
  readonly name: `deep ${string}`;
  readonly kinds: ReadonlySet<string>;
  readonly fix: string;
}

const aspects: readonly Aspect[] = [
  {
    name: 'deep integrity',
    kinds: new Set(['integrity', 'foreign-key', 'schema', 'schema-script']),
    fix: 'see the log of the system for disk errors; then restore a backup, or, where the files are the truth, move deespec.db away and run "deespec migrate"',
  },
  {
    name: 'deep content',
    kinds: new Set(['missing-content', 'stored-content', 'unreferenced-content']),
    fix: 'restore a backup; where the files are the truth "deespec migrate" builds the database from them again',
  },
  {
    name: 'deep index',
    kinds: new Set(['index']),
    fix: 'deespec migrate in mode file; in the other modes restore a backup',
  },
  {
    name: 'deep record',
    kinds: new Set(['evidence']),
    fix: 'somebody changed the database by hand: deespec migrate builds it from the files again',
  },
];

/** Everything else is a difference between tree and database. */
const inside = new Set(aspects.flatMap(({ kinds }) => [...kinds]));

function checksOf(paths: HomePaths, compared: Comparison | Found): Promise<Made>[] {
  if ('status' in compared) {
    const isOfFiles = /^(?:FILE|TREE|PREFLIGHT)\./u.test(compared.code ?? '');
    return [check(isOfFiles ? 'deep files' : 'deep integrity', () => compared)];
  }
  const { differences } = compared;
  const isCut = compared.differenceCount > differences.length;
  const count = (found: readonly Difference[]): string => `${found.length}${isCut ? ' or more' : ''}`;
  const about = ({ name, kinds, fix }: Aspect): Promise<Made> => {
    const found = differences.filter(({ what }) => kinds.has(what));
    return check(name, () => foundOf(found, { count, fix, status: 'fail' }));
  };
  const files = differences.filter(({ what }) => !inside.has(what));
  const ofFiles =
    readEpoch(paths)?.mode === 'sqlite_only'
      ? ok('not kept in mode sqlite_only')
      : foundOf(files, { count, ...filesFix(paths) });
  return [...aspects.map(about), check('deep files', () => ofFiles)];
}

interface Naming {
  readonly count: (found: readonly Difference[]) => string;
  readonly fix: string;
  readonly status: CheckStatus;
}

function foundOf(found: readonly Difference[], { count, fix, status }: Naming): Found {
  const [first] = found;
  if (first === undefined) return ok('no difference');
  const { what, where, expected, actual } = first;
  return { status, value: `${count(found)}: ${what}: ${where}: expected ${expected}, found ${actual}`, fix };
}

/** Files change without the database, and the next pass brings that into step: no failure. */
function filesFix(paths: HomePaths): Pick<Naming, 'fix' | 'status'> {
  const isFile = (readEpoch(paths)?.mode ?? 'file') === 'file';
  return {
    status: 'warn',
    fix: isFile
      ? 'deespec migrate, which takes over what changed'
      : 'deespec sync, then deespec health --deep',
  };
}

async function auditFound(paths: HomePaths): Promise<Found> {
  const { ok: isWhole, records, problems } = await verifyAudit({ home: paths.home });
  const [first] = problems;
  if (isWhole || first === undefined) return ok(`${records.outside} records outside the database, whole`);
  return {
    status: 'fail',
    value: `${first.where}, record ${first.seq}: ${first.message}`,
    fix: 'deespec audit verify; compare with the last backup',
    code: 'AUDIT.BROKEN',
  };
}
