import { modeMeanings, timeFromDate, type StorageMode } from '@deespec/domain';
import { openFileStorage, readGoLocks } from '@deespec/file-adapter';
import { countTables, type Evidence, type TableCounts } from '@deespec/sqlite-adapter';

import { isOwn, listBackups } from './backup/list.js';
import { restoringFrom } from './backup/restore-journal.js';
import { isBarrierHeld } from './barrier.js';
import { unfinishedRuns } from './database.js';
import { readGoState } from './go-state.js';
import { homePaths, type HomePaths } from './home.js';
import { readModeChange } from './mode-change.js';
import { livingHolders } from './processes.js';
import type { StatusReport } from './reports.js';
import { continuation, readRun, type RunRecord } from './run/journal.js';
import { lastRehearsal, type RehearsalRecord } from './run/rehearsal-record.js';
import { lastScan, type ScanRecord } from './scan-file.js';
import { livingProcesses, type RegisteredProcess } from './service/registry.js';
import { readStopped } from './service/stopped.js';
import { debtOf, modeOf, readDatabase, type DatabaseStanding } from './standing.js';

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
  const found = isHeld ? undefined : readDatabase(paths, countTables);
  const database = databaseOf(paths, found);
  const evidence = found?.state === 'ours' ? found.evidence : undefined;
  const files = scan === true ? countFiles(paths) : lastScan(paths);
  const { stateLock, runLock } = readGoLocks(paths.home);
  const { wip, leaseUntil } = readGoState(paths);
  const own = openFileStorage({ home: paths.home }).store;
  const debt = debtOf(mode, own, found?.state === 'ours' ? found.outbox : undefined);
  const conflicts = own.listConflicts().length;
  const stopped = readStopped(paths);
  const registered = livingProcesses(paths);
  const service = await serviceOf(paths, registered);
  const run = readRun(paths);
  const rehearsal = lastRehearsal(paths);
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
    ...(stopped === undefined ? {} : { stopped }),
    ...(service === undefined ? {} : { service }),
    processes: registered.map(({ pid, host, command, since, role }) => ({ pid, host, command, since, role })),
    goTool: {
      stateLock,
      runLock: runLock !== undefined,
      ...(leaseUntil === undefined ? {} : { leaseUntil }),
      ...(wip === undefined ? {} : { wip }),
    },
    ...lastBackupOf(paths),
    unfinishedRuns: isHeld ? [] : unfinishedRuns(paths),
    ...(run === undefined ? {} : { run: runOf(run) }),
    ...(rehearsal === undefined ? {} : { rehearsal: rehearsalOf(rehearsal) }),
    nextStep: nextStep(database, {
      isHeld,
      mode,
      setting,
      requested,
      restoring: restoringFrom(paths),
      isStopped: stopped !== undefined,
      interrupted: readModeChange(paths)?.to,
      run,
      debts: debt?.count ?? 0,
      conflicts,
      differences: evidence?.differences ?? 0,
    }),
  };
}

function lastBackupOf(paths: HomePaths): Pick<StatusReport, 'lastBackup'> {
  const newest = listBackups(paths).find(isOwn);
  if (newest === undefined) return {};
  const { id, createdAt } = newest.manifest;
  return { lastBackup: { id, createdAt, verified: newest.state === 'verified' } };
}

/** How long `status` waits for the word of a service, milliseconds. */
const ANSWER_MS = 300;

async function serviceOf(
  paths: HomePaths,
  registered: readonly RegisteredProcess[],
): Promise<StatusReport['service']> {
  const service = registered.find(({ role }) => role === 'service');
  if (service === undefined) return undefined;
  const { pid, since } = service;
  // Loaded late: most trees have no service.
  const { askService } = await import('./service/ask.js');
  const said = await askService(paths, ANSWER_MS);
  if (said?.pid !== pid) return { pid, since };
  const { state, problem } = said;
  return { pid, since, state, ...(problem === undefined ? {} : { problem }) };
}

/** @param found - absent: while a command has the tree to itself its database is not looked at */
function databaseOf(paths: HomePaths, found: DatabaseStanding<TableCounts> | undefined): DatabaseStatus {
  switch (found?.state) {
    case undefined:
      return {
        state: 'refused',
        code: 'LOCK.HELD',
        message: 'a command works on the tree',
        hint: 'wait until it ends',
      };
    case 'absent':
      return { state: 'absent' };
    case 'refused': {
      const { code, message, hint } = found.error;
      return { state: 'refused', code, message, ...(hint === undefined ? {} : { hint }) };
    }
    case 'ours': {
      const { schemaVersion, storeId, epoch, bytes, more } = found;
      return { state: 'ours', path: paths.database, schemaVersion, storeId, epoch, bytes, rows: more };
    }
  }
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

function runOf({ kind, id, startedAt, done, begun }: RunRecord): NonNullable<StatusReport['run']> {
  const names = done.map(({ name }) => name);
  return { kind, id, startedAt, done: names, ...(begun === undefined ? {} : { begun }) };
}

function rehearsalOf({ at, ok, writes }: RehearsalRecord): NonNullable<StatusReport['rehearsal']> {
  return { at, ok, writes: writes.api + writes.foreign };
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
  /** What a restore that was cut off restores. */
  readonly restoring: string | undefined;
  readonly isStopped: boolean;
  readonly interrupted: StorageMode | undefined;
  readonly run: RunRecord | undefined;
  readonly debts: number;
  readonly conflicts: number;
  readonly differences: number;
}

function nextStep(database: DatabaseStatus, now: Situation): string {
  if (now.isHeld) return 'wait: a command works on the tree';
  if (now.restoring !== undefined) return `finish the restore: deespec restore ${now.restoring}`;
  if (now.run !== undefined) return continuation(now.run);
  if (now.interrupted !== undefined) return `finish the change of mode: deespec mode set ${now.interrupted}`;
  if (now.setting !== undefined) return `mend setting.json: it ${now.setting.message}`;
  if (now.requested !== undefined)
    return `setting.json asks for ${now.requested}: grant it with deespec start, or keep ${now.mode} with deespec mode set ${now.mode}`;
  if (now.isStopped) return 'the tree is stopped, and changes are refused: deespec start';
  if (database.state === 'refused')
    return `the database was refused (${database.code}): ${database.hint ?? database.message}`;
  if (database.state === 'absent') return 'try it without changing anything: deespec migrate --dry-run';
  if (now.conflicts > 0) return 'versions are kept until you choose: deespec conflict list';
  if (now.mode === 'sqlite_only')
    return 'keep what only the database has: deespec backup create; prove it: deespec check';
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
