import {
  isStorageError,
  modeMeanings,
  timeFromDate,
  type ProjectedFiles,
  type StorageMode,
} from '@deespec/domain';
import { openFileStorage, readGoLocks } from '@deespec/file-adapter';
import {
  countTables,
  latestEvidence,
  openHandle,
  readOutbox,
  toStorageError,
  type Evidence,
  type OutboxState,
} from '@deespec/sqlite-adapter';

import { isBarrierHeld } from './barrier.js';
import { findDatabase, isDamaged, unfinishedRuns } from './database.js';
import { readEpoch } from './epoch-file.js';
import { readGoState } from './go-state.js';
import { homePaths, type HomePaths } from './home.js';
import { readModeChange } from './mode-change.js';
import { livingHolders } from './processes.js';
import type { StatusReport } from './reports.js';
import { lastScan, type ScanRecord } from './scan-file.js';
import { requestedMode } from './setting.js';

type DatabaseStatus = StatusReport['database'];

/**
 * Says where a tree stands and what to do next. Reads the database, `.storage/` and the Go tool's locks, without TypeORM; the
 * files are only counted with `scan`. Never writes.
 *
 * @throws StorageError `TREE.NOT_FOUND`, `MODE.UNKNOWN`
 */
export async function readStatus({ home, scan }: { home: string; scan?: boolean }): Promise<StatusReport> {
  const paths = homePaths(home);
  const { mode, setting, requested } = await modeOf(paths);
  const isHeld = isBarrierHeld(paths);
  const holders = livingHolders(paths);
  const { database, evidence, outbox } = isHeld ? busy() : readDatabase(paths);
  const files = scan === true ? countFiles(paths) : lastScan(paths);
  const { stateLock, runLock } = readGoLocks(paths.home);
  const { wip, leaseUntil } = readGoState(paths);
  const own = openFileStorage({ home: paths.home }).store;
  const debt = mode === 'file' || mode === 'sqlite_only' ? undefined : debtOf(own, outbox);
  const conflicts = own.listConflicts().length;
  return {
    home: paths.home,
    mode,
    modeMeaning: modeMeanings[mode].meaning,
    ...(setting === undefined ? {} : { setting }),
    ...(requested === undefined ? {} : { requested }),
    truth: modeMeanings[mode].reads,
    ...(debt === undefined ? {} : { debt }),
    conflicts,
    database,
    ...(evidence === undefined ? {} : { evidence: evidenceOf(evidence) }),
    ...(files === undefined ? {} : { lastScan: files }),
    lock: { held: isHeld || holders.length > 0, ...(holders[0] === undefined ? {} : { holder: holders[0] }) },
    goTool: {
      stateLock,
      runLock: runLock !== undefined,
      ...(leaseUntil === undefined ? {} : { leaseUntil }),
      ...(wip === undefined ? {} : { wip }),
    },
    unfinishedRuns: isHeld ? [] : unfinishedRuns(paths),
    nextStep: nextStep(database, {
      isHeld,
      mode,
      setting,
      requested,
      interrupted: readModeChange(paths)?.to,
      debts: debt?.count ?? 0,
      conflicts,
      differences: evidence?.differences ?? 0,
    }),
  };
}

/** The mode in force, what `setting.json` asks for beside it, and what is wrong with that file. */
async function modeOf(paths: HomePaths): Promise<Pick<StatusReport, 'mode' | 'setting' | 'requested'>> {
  const mode = readEpoch(paths)?.mode ?? 'file';
  try {
    const requested = await requestedMode(paths);
    return requested === mode ? { mode } : { mode, requested };
  } catch (error) {
    if (!isStorageError(error, 'LAYOUT.MALFORMED')) throw error;
    const { code, message } = error;
    return { mode, setting: { code, message } };
  }
}

interface DatabaseLook {
  readonly database: DatabaseStatus;
  readonly evidence: Evidence | undefined;
  readonly outbox: OutboxState | undefined;
}

function readDatabase(paths: HomePaths): DatabaseLook {
  try {
    const found = findDatabase(paths);
    if (found === undefined) return { database: { state: 'absent' }, evidence: undefined, outbox: undefined };
    const handle = openHandle(paths.database, 'read');
    try {
      const pages = handle.pragma('page_count', { simple: true }) as number;
      const database: DatabaseStatus = {
        state: 'ours',
        path: paths.database,
        schemaVersion: handle.pragma('user_version', { simple: true }) as number,
        storeId: found.state.storeId,
        epoch: found.state.epoch,
        bytes: pages * (handle.pragma('page_size', { simple: true }) as number),
        rows: countTables(handle),
      };
      // A quick look does not take back what a full one found.
      const evidence = isDamaged(found) ? found.verified : latestEvidence(handle);
      return { database, evidence, outbox: readOutbox(handle) };
    } finally {
      handle.close();
    }
  } catch (error) {
    const known = toStorageError(error, paths.database);
    if (!isStorageError(known)) throw known;
    const hint = known.hint === undefined ? {} : { hint: known.hint };
    return {
      database: { state: 'refused', code: known.code, message: known.message, ...hint },
      evidence: undefined,
      outbox: undefined,
    };
  }
}

/** While a command has the tree to itself its database is not looked at. */
function busy(): DatabaseLook {
  const message = 'a command works on the tree';
  return {
    database: { state: 'refused', code: 'LOCK.HELD', message, hint: 'wait until it ends' },
    evidence: undefined,
    outbox: undefined,
  };
}

/** What either store is behind on. */
function debtOf(files: ProjectedFiles, outbox: OutboxState | undefined): NonNullable<StatusReport['debt']> {
  const owed = files.fileDebts();
  const since = [outbox?.since, owed[0] === undefined ? undefined : files.fileDebt(owed[0])?.since]
    .flatMap((time) => time ?? [])
    .sort()[0];
  return {
    count: owed.length + (outbox?.count ?? 0),
    ...(since === undefined ? {} : { since }),
    ...(outbox?.lastError === undefined ? {} : { lastError: outbox.lastError }),
  };
}

function countFiles(paths: HomePaths): ScanRecord {
  const counted = { entries: 0, bytes: 0 };
  const count = ({ size }: { readonly size: number }) => {
    counted.entries += 1;
    counted.bytes += size;
  };
  const { store } = openFileStorage({ home: paths.home, onIgnored: ({ bytes }) => count({ size: bytes }) });
  for (const stat of store.scan()) count(stat);
  return { at: timeFromDate(new Date()), ...counted };
}

function evidenceOf({
  at,
  digest,
  entries,
  bytes,
  differences,
}: Evidence): NonNullable<StatusReport['evidence']> {
  return { at, ...(digest === undefined ? {} : { digest }), entries, bytes, differences };
}

interface Situation {
  readonly isHeld: boolean;
  readonly mode: StorageMode;
  readonly setting: StatusReport['setting'];
  readonly requested: StorageMode | undefined;
  readonly interrupted: StorageMode | undefined;
  readonly debts: number;
  readonly conflicts: number;
  readonly differences: number;
}

function nextStep(database: DatabaseStatus, now: Situation): string {
  if (now.isHeld) return 'wait: a command works on the tree';
  if (now.interrupted !== undefined) return `finish the change of mode: deespec mode set ${now.interrupted}`;
  if (now.setting !== undefined) return `mend setting.json: it ${now.setting.message}`;
  if (now.requested !== undefined)
    return `setting.json asks for ${now.requested}: grant it with deespec start, or keep ${now.mode} with deespec mode set ${now.mode}`;
  if (database.state === 'refused')
    return `the database was refused (${database.code}): ${database.hint ?? database.message}`;
  if (database.state === 'absent') return 'try it without changing anything: deespec migrate --dry-run';
  if (now.conflicts > 0) return 'versions are kept until you choose: deespec conflict list';
  if (now.mode !== 'file') return nextInStep(now);
  if (now.differences > 0)
    return 'the last verification found differences: deespec migrate builds the database from the files again';
  if (database.rows.quarantined > 0)
    return 'entries are kept without being interpreted: deespec quarantine list shows them and why';
  return 'keep the database in step: deespec migrate; prove it: deespec verify --check-all';
}

function nextInStep({ debts, differences }: Situation): string {
  if (debts > 0) return 'one store is behind: deespec sync brings both into step';
  if (differences > 0)
    return 'the last verification found differences: deespec sync, then deespec verify --check-all';
  return 'keep both stores in step: deespec sync --watch; prove it: deespec verify --check-all';
}
