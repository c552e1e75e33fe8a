import { displayPath, StorageError } from '@deespec/domain';
import {
  addEvidence,
  latestEvidence,
  loadConsistency,
  openHandle,
  readRevision,
  readState,
  recordDigest,
  requireSound,
  toStorageError,
  type Consistency,
  type Inconsistency,
  type Look,
  type Repairs,
} from '@deespec/sqlite-adapter';
import { digestDatabase } from '@deespec/verifier';
import { ulid } from 'ulid';

import { AN_INSTANT_MS, takeAlone } from './alone.js';
import { takeBarrier } from './barrier.js';
import { checkRules } from './check-rules.js';
import { getDatabase } from './database.js';
import { homePaths, type HomePaths } from './home.js';
import { requireOwner, requireSpace } from './preflight.js';
import { formatPlan, planOf, requireSamePlan, requireSameState, type RepairPlan } from './repair-plan.js';
import { beginRun, type RunDirectory } from './runs.js';
import { copyVerified, databaseBytes, keepCopy } from './verified-copy.js';
import { programVersion } from './manifest.js';

/** What {@link planRepair} came to. */
export interface PlanReport {
  readonly home: string;
  readonly database: string;
  readonly plan: RepairPlan;
  /** The plan as it is to be written into a file. */
  readonly text: string;
}

/** What {@link applyRepair} takes. */
export interface ApplyOptions {
  readonly home: string;
  /** The text that {@link planRepair} gave. */
  readonly plan: string;
}

/** What {@link applyRepair} did. */
export interface RepairReport {
  readonly home: string;
  readonly database: string;
  /** `nothing`: the plan names no row. */
  readonly outcome: 'repaired' | 'nothing';
  /** Rows that were rebuilt or removed. */
  readonly rows: number;
  /** Rows that the plan left for the next one. */
  readonly more: number;
  /** Digest of the tree in the database, before and after. */
  readonly digest: string;
  /** The verified copy of the database as it was; absent when nothing was done. */
  readonly backup?: string;
  readonly durationMs: number;
}

type Handle = ReturnType<typeof openHandle>;

/** Rules whose findings keep rows from being derived. */
const preventing = checkRules.filter(({ repair }) => repair === 'prevents');

/**
 * Says which derived rows are not what the stored bytes say, and would be rebuilt. Reads only; the plan is that of one moment.
 *
 * @throws StorageError `REPAIR.BLOCKED` when stored bytes are damaged; `DATABASE.*`, `SCHEMA.*`, `LOCK.HELD`
 *
 * Source: docs/adr/0015.
 */
export async function planRepair({ home }: { readonly home: string }): Promise<PlanReport> {
  const paths = homePaths(home);
  const release = takeBarrier(paths, { access: 'shared', command: 'repair --plan' });
  try {
    getDatabase(paths);
    const consistency = await loadConsistency();
    const handle = openHandle(paths.database, 'look');
    try {
      handle.exec('BEGIN DEFERRED');
      const { plan } = makePlan(handle, consistency);
      return { home: paths.home, database: paths.database, plan, text: formatPlan(plan) };
    } catch (error) {
      throw toStorageError(error, paths.database);
    } finally {
      handle.close();
    }
  } finally {
    release();
  }
}

/**
 * Rebuilds the rows that a plan names, alone on the tree, after a verified copy of the database: in one transaction that is
 * committed only when the plan is the one that would be made now, each row is what the stored bytes say, and the tree has the
 * digest that it had. Killed at any point, the database is as before or repaired.
 *
 * @throws StorageError `REPAIR.PLAN_INVALID`, `REPAIR.PLAN_STALE`, `REPAIR.BLOCKED`, `REPAIR.FAILED`: nothing was changed;
 *   `SQLITE.BUSY` when another program writes to the database; `DATABASE.*`, `SCHEMA.*`, `LOCK.HELD`, `PREFLIGHT.*`, `FILE.*`
 *
 * Source: docs/adr/0015.
 */
export async function applyRepair({ home, plan }: ApplyOptions): Promise<RepairReport> {
  const startedAt = Date.now();
  const paths = homePaths(home);
  requireOwner(paths);
  const consistency = await loadConsistency();
  const release = await takeAlone(paths, 'repair --apply', AN_INSTANT_MS);
  let directory: RunDirectory | undefined;
  try {
    getDatabase(paths);
    // First, so that what a killed run left goes, whatever becomes of this one.
    directory = beginRun(paths, ulid());
    requireState(paths, plan);
    requireSpace(paths, databaseBytes(paths.database));
    copyVerified(paths, directory.database);
    const { made, backup } = repair(paths, { plan, consistency, copy: directory.database });
    return {
      home: paths.home,
      database: paths.database,
      outcome: backup === undefined ? 'nothing' : 'repaired',
      rows: made.rows.length,
      more: made.more,
      digest: made.state.digest,
      ...(backup === undefined ? {} : { backup }),
      durationMs: Date.now() - startedAt,
    };
  } finally {
    try {
      directory?.remove();
    } finally {
      release();
    }
  }
}

/** Refuses what can be refused at once. @throws StorageError `REPAIR.PLAN_INVALID`, `REPAIR.PLAN_STALE` */
function requireState(paths: HomePaths, plan: string): void {
  const handle = openHandle(paths.database, 'look');
  try {
    handle.exec('BEGIN DEFERRED');
    requireSameState(plan, stateOf(handle));
  } catch (error) {
    throw toStorageError(error, paths.database);
  } finally {
    handle.close();
  }
}

interface Repairing {
  readonly plan: string;
  readonly consistency: Consistency;
  /** The verified copy of the database. */
  readonly copy: string;
}

/** Does it in one transaction. The copy is kept once it is certain that there is something to commit. */
function repair(
  paths: HomePaths,
  { plan, consistency, copy }: Repairing,
): { readonly made: RepairPlan; readonly backup?: string } {
  const handle = openHandle(paths.database, 'write');
  try {
    return handle
      .transaction(() => {
        const now = makePlan(handle, consistency);
        const { plan: made } = now;
        requireSamePlan(plan, made);
        if (made.rows.length === 0) return { made };
        rebuild(handle, now, consistency);
        return { made, backup: keepCopy(paths, copy, { name: 'repair', now: new Date() }) };
      })
      .immediate();
  } catch (error) {
    throw toStorageError(error, paths.database);
  } finally {
    handle.close();
  }
}

interface MadePlan {
  readonly plan: RepairPlan;
  readonly repairs: Repairs;
}

/** The plan of what the connection sees. @throws StorageError `REPAIR.BLOCKED`, `DATABASE.CORRUPT` */
function makePlan(handle: Handle, { look, findRepairs }: Consistency): MadePlan {
  requireSound(handle);
  const blocking = [...blockers(look(handle, preventing))];
  if (blocking.length > 0) throw blocked(blocking);
  const repairs = findRepairs(handle);
  const state = { ...stateOf(handle), digest: digestDatabase(handle) };
  return { plan: planOf(state, repairs, (path) => displayPath(path)), repairs };
}

function stateOf(handle: Handle): Omit<RepairPlan['state'], 'digest'> {
  const { storeId, epoch } = readState(handle)!;
  return { storeId, epoch, revision: readRevision(handle) };
}

/** Rebuilds the rows, and proves it before anything is committed. @throws StorageError `REPAIR.FAILED` */
function rebuild(
  handle: Handle,
  { plan, repairs }: MadePlan,
  { rebuildRows, findRepairs }: Consistency,
): void {
  rebuildRows(handle, repairs.rows);
  if (digestDatabase(handle) !== plan.state.digest) throw failed('the stored tree would be another one');
  const left = findRepairs(handle);
  const keys = new Set(plan.rows.map(({ table, key }) => `${table} ${key}`));
  const isLeft = left.rows.some(({ table, key }) => keys.has(`${table} ${key}`));
  if (isLeft || left.rows.length + left.more > plan.more)
    throw failed('rows would not be what the bytes say');
  const [broken] = handle.pragma('foreign_key_check') as { readonly table: string }[];
  if (broken !== undefined) throw failed(`a row of ${broken.table} would refer to nothing`);
  renewEvidence(handle, plan.state.digest);
}

/**
 * In mode `file` evidence has a hash of all rows, which are others now. The bytes are proven to be those that were migrated: the
 * new row says so, of the same time.
 */
function renewEvidence(handle: Handle, digest: string): void {
  const state = readState(handle);
  const migrated = latestEvidence(handle, 'migrate');
  const isSame = migrated?.digest === digest && migrated.epoch === state?.epoch;
  if (migrated === undefined || !isSame || state.mode !== 'file') return;
  const runId = ulid();
  addEvidence(handle, { ...migrated, runId, version: programVersion(), record: recordDigest(handle) });
}

/** Findings that keep rows from being derived; the first of each rule. */
function* blockers(looks: Iterable<Look>): Generator<Inconsistency> {
  const seen = new Set<string>();
  for (const look of looks) {
    if (look === undefined || !('found' in look) || seen.has(look.rule)) continue;
    seen.add(look.rule);
    yield look;
  }
}

function blocked(found: readonly Inconsistency[]): StorageError {
  const rules = found.map(({ rule }) => rule).join(', ');
  const fix = preventing.find(({ rule }) => rule === found[0]!.rule)!.fix;
  return new StorageError(
    'REPAIR.BLOCKED',
    `stored bytes are damaged (${rules}): no row can be derived from them`,
    {
      hint: `nothing was changed; ${fix}`,
      details: { found },
    },
  );
}

function failed(why: string): StorageError {
  return new StorageError('REPAIR.FAILED', `the repair was taken back: ${why}`, {
    hint: 'nothing was changed; report this, and build the database anew from the files: "deespec mode set file", move deespec.db away, "deespec migrate"',
    details: { why },
  });
}
