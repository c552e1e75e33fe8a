import {
  isStorageError,
  modeMeanings,
  type ErrorCode,
  type StorageError,
  type StorageMode,
} from '@deespec/domain';
import type { FileTreeStore } from '@deespec/file-adapter';
import { setTimeout as sleep } from 'node:timers/promises';

import { requireEvidence } from '../database.js';
import type { EpochRecord } from '../epoch-file.js';
import type { HomePaths } from '../home.js';
import { readModeChange } from '../mode-change.js';
import { debtOf, modeOf, readDatabase, type DatabaseStanding, type OwnStanding } from '../standing.js';
import { check, failed, ok, refused, type Found, type Made } from './check.js';
import type { DeepRecord } from './deep-record.js';
import { formatSpan, secondsSince, SECONDS_OF_DAY, type HealthLimits } from './limits.js';
import { hasJournal } from './journal.js';

/** What the checks of a tree work on. */
export interface Ground {
  readonly paths: HomePaths;
  readonly limits: HealthLimits;
  readonly now: Date;
  /** True while a command has the tree to itself: its database is not looked at. */
  readonly isHeld: boolean;
  readonly files: FileTreeStore;
  /** `.storage/epoch`, or why it cannot be read. */
  readonly record: EpochRecord | StorageError | undefined;
  /** The mode in force; absent when that cannot be read. */
  readonly mode: StorageMode | undefined;
  /** The last deep check on record. */
  readonly deep: DeepRecord | undefined;
}

type Database = DatabaseStanding<undefined> | { readonly state: 'busy' | 'unrecovered' };

/** The mode, the database and what stands between both stores. */
export async function checkStores(ground: Ground): Promise<Made[]> {
  const { paths, isHeld, files, record, mode } = ground;
  const database = await databaseOf(paths, isHeld);
  const place = database.state === 'refused' ? placeOf(database.error.code, record) : undefined;
  const at = (name: Place): Found | undefined =>
    database.state === 'refused' && place === name ? failed(database.error) : undefined;
  const own = database.state === 'ours' ? database : undefined;
  return Promise.all([
    check('live database', () => at('database') ?? databaseFound(database, mode)),
    check('ready mode', () => modeFound(ground, mode)),
    check('ready epoch', () =>
      isStorageError(record) ? failed(record) : epochFound(database, record, at('epoch')),
    ),
    ...only(at('schema') ?? (own && schemaFound(own)), 'ready schema'),
    ...only(at('evidence') ?? (own && mode && evidenceFound(ground, mode, own)), 'ready evidence'),
    ...(mode === undefined ? [] : [check('ready debt', () => debtFound(ground, mode, own))]),
    check('ready conflicts', () => conflictsFound(files)),
  ]);
}

function only(found: Found | undefined, name: `ready ${string}`): Promise<Made>[] {
  return found === undefined ? [] : [check(name, () => found)];
}

async function databaseOf(paths: HomePaths, isHeld: boolean): Promise<Database> {
  if (isHeld) return { state: 'busy' };
  if (await hasJournal(paths.database)) return { state: 'unrecovered' };
  for (let tries = 1; ; tries += 1) {
    const found = readDatabase(paths, () => undefined);
    const isBusy = found.state === 'refused' && found.error.kind === 'busy';
    // Others are kept out for the instant of a commit.
    if (!isBusy || tries === BUSY_TRIES) return found;
    await sleep(BUSY_PAUSE_MS);
  }
}

const BUSY_TRIES = 10;
const BUSY_PAUSE_MS = 20;

type Place = 'database' | 'schema' | 'epoch' | 'evidence';

/** Which check a refusal belongs to. */
function placeOf(code: ErrorCode, record: EpochRecord | StorageError | undefined): Place {
  if (isStorageError(record, code)) return 'epoch';
  if (code === 'DATABASE.OTHER_STORE' || code === 'DATABASE.STALE') return 'epoch';
  if (code === 'DATABASE.NO_EVIDENCE') return 'evidence';
  return /^(?:SCHEMA|MIGRATION)\.|^DATABASE\.NEWER$/u.test(code) ? 'schema' : 'database';
}

function databaseFound(database: Database, mode: StorageMode | undefined): Found {
  switch (database.state) {
    case 'busy':
      return {
        status: 'warn',
        value: 'not looked at: a command works on the tree',
        fix: 'wait until it ends, then look again',
      };
    case 'unrecovered':
      return {
        status: 'warn',
        value:
          'not looked at: deespec.db-journal lies beside it, from a program that writes or from one that was cut off',
        fix: '"deespec status" takes back what was cut off',
      };
    case 'absent':
      if (mode === undefined || mode === 'file') return ok('none: the files are the truth');
      return {
        status: 'fail',
        value: `there is none, and mode ${mode} needs it`,
        fix: 'put deespec.db back from where it was moved, or from a backup',
        code: 'DATABASE.NOT_FOUND',
      };
    case 'ours':
      return ok(`store ${database.storeId}`, { numbers: { database_bytes: database.bytes } });
    case 'refused':
      return ok('a database of DeeSpec Storage');
  }
}

async function modeFound({ paths, isHeld }: Ground, mode: StorageMode | undefined): Promise<Found> {
  if (mode === undefined) return unknownMode;
  const inForce = `${mode} (${modeMeanings[mode].meaning})`;
  // A command that changes the mode is at work, or was cut off; the next look tells.
  if (isHeld) return ok(inForce);
  const interrupted = readModeChange(paths)?.to;
  if (interrupted !== undefined) {
    return notGranted(`a change of mode to ${interrupted} was cut off`, `deespec mode set ${interrupted}`);
  }
  const { setting, requested } = await modeOf(paths);
  if (setting !== undefined) {
    const fix = 'mend setting.json: a mode is never guessed';
    return { status: 'fail', value: `setting.json ${setting.message}`, fix, code: setting.code };
  }
  if (requested === undefined) return ok(inForce);
  return notGranted(
    `setting.json asks for ${requested}; ${mode} is in force`,
    `grant it with "deespec start", or keep what is with "deespec mode set ${mode}"`,
  );
}

const unknownMode: Found = {
  status: 'fail',
  value: 'unknown: the record of it cannot be read',
  fix: 'see the check "epoch"',
};

function notGranted(value: string, fix: string): Found {
  return { status: 'fail', value, fix, code: 'MODE.NOT_GRANTED' };
}

function epochFound(database: Database, record: EpochRecord | undefined, problem: Found | undefined): Found {
  if (record !== undefined) {
    return problem ?? ok(`${record.epoch} of store ${record.storeId}`, { numbers: { epoch: record.epoch } });
  }
  if (database.state === 'absent' || database.state === 'busy')
    return ok('none yet', { numbers: { epoch: 0 } });
  return {
    status: 'fail',
    value:
      '.storage/epoch is missing: nothing says that this database belongs to this tree, or in which mode',
    fix: 'put it back from a backup; where the files are the truth move deespec.db away and run "deespec migrate"',
    code: 'DATABASE.OTHER_STORE',
  };
}

function schemaFound({ schemaVersion }: OwnStanding<undefined>): Found {
  return ok(`version ${schemaVersion}`, { numbers: { schema_version: schemaVersion } });
}

function evidenceFound({ now, limits, deep }: Ground, mode: StorageMode, own: OwnStanding<undefined>): Found {
  const { evidence, verified, epoch } = own;
  const provenAt = [verified.at, deep?.status === 'ok' ? deep.at : ''].sort().at(-1)!;
  const age = secondsSince(verified.at, now);
  const numbers = {
    last_verification_seconds: now.getTime() / 1_000 - age,
    verification_differences: evidence.differences,
  };
  if (modeMeanings[mode].reads === 'sqlite') {
    try {
      requireEvidence({ state: { epoch }, verified });
    } catch (error) {
      return { ...refused(error), numbers };
    }
  }
  if (evidence.differences > 0) return { ...differing(mode, evidence.differences), numbers };
  const provenAge = secondsSince(provenAt, now);
  const threshold = `${limits.evidenceDays} days`;
  const value = `every byte was proven ${formatSpan(provenAge)} ago`;
  if (provenAge <= limits.evidenceDays * SECONDS_OF_DAY) return ok(value, { threshold, numbers });
  return { status: 'warn', value, threshold, fix: 'deespec verify --check-all', numbers };
}

function differing(mode: StorageMode, differences: number): Found {
  const fix =
    mode === 'file'
      ? 'deespec migrate, which builds the database from the files again'
      : 'deespec sync, then deespec verify --check-all';
  return {
    status: modeMeanings[mode].reads === 'sqlite' ? 'fail' : 'warn',
    value: `the last verification found ${differences} differences`,
    fix,
  };
}

function debtFound(
  { files, limits, now }: Ground,
  mode: StorageMode,
  own: OwnStanding<undefined> | undefined,
): Found {
  const debt = debtOf(mode, files, own?.outbox);
  if (debt === undefined)
    return ok('none: there is one store', { numbers: { debt_rows: 0, debt_oldest_seconds: 0 } });
  const age = debt.since === undefined ? 0 : secondsSince(debt.since, now);
  // What the files are owed stands in the database: without it the number is not known.
  const numbers = own === undefined ? {} : { debt_rows: debt.count, debt_oldest_seconds: age };
  const threshold = `${limits.debtSeconds} s`;
  const since = debt.count === 0 ? '' : `, the oldest for ${formatSpan(age)}`;
  const why = debt.lastError === undefined ? '' : `; the last try failed: ${debt.lastError}`;
  const value = `${debt.count} changes are owed to the other store${since}${why}`;
  if (age <= limits.debtSeconds && debt.lastError === undefined) return ok(value, { threshold, numbers });
  return { status: 'warn', value, threshold, fix: 'deespec sync', numbers };
}

function conflictsFound(files: FileTreeStore): Found {
  const count = files.listConflicts().length;
  const numbers = { conflicts: count };
  if (count === 0) return ok('none', { numbers });
  return {
    status: 'warn',
    value: `${count} versions are kept until somebody chooses`,
    fix: 'deespec conflict list, then deespec conflict resolve <id> --take file|db',
    numbers,
  };
}
