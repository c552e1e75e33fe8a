import { isStorageError, modeMeanings, timeFromDate } from '@deespec/domain';
import { openFileStorage, readGoLocks } from '@deespec/file-adapter';
import {
  countTables,
  latestEvidence,
  openHandle,
  toStorageError,
  type Evidence,
} from '@deespec/sqlite-adapter';

import { isBarrierHeld } from './barrier.js';
import { findDatabase, isDamaged, unfinishedRuns } from './database.js';
import { readGoState } from './go-state.js';
import { homePaths, type HomePaths } from './home.js';
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
  const { mode, setting } = await modeOf(paths);
  const isHeld = isBarrierHeld(paths);
  const holders = livingHolders(paths);
  const { database, evidence } = isHeld ? { database: busy(), evidence: undefined } : readDatabase(paths);
  const files = scan === true ? countFiles(paths) : lastScan(paths);
  const { stateLock, runLock } = readGoLocks(paths.home);
  const { wip, leaseUntil } = readGoState(paths);
  return {
    home: paths.home,
    mode,
    modeMeaning: modeMeanings[mode].meaning,
    ...(setting === undefined ? {} : { setting }),
    truth: modeMeanings[mode].reads,
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
    nextStep: nextStep(database, { isHeld, mode, setting, differences: evidence?.differences ?? 0 }),
  };
}

/** The mode asked for; for a `setting.json` that cannot be read the one in force, with what is wrong with the file. */
async function modeOf(paths: HomePaths): Promise<Pick<StatusReport, 'mode' | 'setting'>> {
  try {
    return { mode: await requestedMode(paths) };
  } catch (error) {
    if (!isStorageError(error, 'LAYOUT.MALFORMED')) throw error;
    const { code, message } = error;
    return { mode: 'file', setting: { code, message } };
  }
}

function readDatabase(paths: HomePaths): { database: DatabaseStatus; evidence: Evidence | undefined } {
  try {
    const found = findDatabase(paths);
    if (found === undefined) return { database: { state: 'absent' }, evidence: undefined };
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
      return { database, evidence: isDamaged(found) ? found.verified : latestEvidence(handle) };
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
    };
  }
}

/** While a command has the tree to itself its database is not looked at. */
function busy(): DatabaseStatus {
  return {
    state: 'refused',
    code: 'LOCK.HELD',
    message: 'a command works on the tree',
    hint: 'wait until it ends',
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

function nextStep(
  database: DatabaseStatus,
  {
    isHeld,
    mode,
    setting,
    differences,
  }: { isHeld: boolean; mode: string; setting: StatusReport['setting']; differences: number },
): string {
  if (isHeld) return 'wait: a command works on the tree';
  if (setting !== undefined) return `mend setting.json: it ${setting.message}`;
  if (mode !== 'file')
    return `set storage_mode in setting.json back to "file": this version does not grant ${mode}`;
  if (database.state === 'refused')
    return `the database was refused (${database.code}): ${database.hint ?? database.message}`;
  if (database.state === 'absent') return 'try it without changing anything: deespec migrate --dry-run';
  if (differences > 0)
    return 'the last verification found differences: deespec migrate builds the database from the files again';
  if (database.rows.quarantined > 0)
    return 'entries are kept without being interpreted: deespec quarantine list shows them and why';
  return 'keep the database in step: deespec migrate; prove it: deespec verify --check-all';
}
