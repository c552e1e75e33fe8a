import { isStorageError } from '@deespec/domain';
import { isStopLock, readGoLocks } from '@deespec/file-adapter';
import { logBytes } from '@deespec/sqlite-adapter';
import { lstatSync, readdirSync, statfsSync } from 'node:fs';

import { isOwn, listBackups } from '../backup/list.js';
import { isBarrierHeld } from '../barrier.js';
import { unfinishedRuns } from '../database.js';
import { locksOn, logReaders } from '../file-locks.js';
import type { HomePaths } from '../home.js';
import { requireIdleGoTool } from '../preflight.js';
import { livingHolders, nameProcesses } from '../processes.js';
import { livingProcesses } from '../service/registry.js';
import { readStopped } from '../service/stopped.js';
import { check, ok, refused, type Found, type Made } from './check.js';
import { formatBytes, formatSpan, secondsSince, type HealthLimits } from './limits.js';
import type { Ground } from './store-checks.js';

/** Below this, bytes, the next writes fail: the log alone may take so much. */
const LAST_FREE_BYTES = 67_108_864;

/** Who has the tree, by its barrier. */
export function barrierOf(paths: HomePaths): { readonly isHeld: boolean; readonly found: Found } {
  try {
    const isHeld = isBarrierHeld(paths);
    return { isHeld, found: isHeld ? heldFound(paths) : sharedFound(paths) };
  } catch (error) {
    return { isHeld: false, found: refused(error) };
  }
}

function heldFound(paths: HomePaths): Found {
  return {
    status: 'warn',
    value: `a command has the tree to itself: ${holdersOf(paths) || 'an unknown process'}`,
    fix: 'wait until it ends; nothing else is looked at or written meanwhile',
    code: 'LOCK.HELD',
    numbers: { lock_held: 1 },
  };
}

function sharedFound(paths: HomePaths): Found {
  const stopped = readStopped(paths);
  if (stopped !== undefined) {
    return {
      status: 'warn',
      value: `stopped since ${stopped.since}, by "${stopped.command}": changes are refused`,
      fix: 'deespec start',
      code: 'STORAGE.STOPPED',
      numbers: { lock_held: 0 },
    };
  }
  const holders = holdersOf(paths);
  return ok(holders === '' ? 'free' : `shared by ${holders}`, { numbers: { lock_held: 0 } });
}

/** Those who announced themselves, and those who did not by what the kernel knows. */
function holdersOf(paths: HomePaths): string {
  const announced = livingHolders(paths);
  const known = announced.map(({ command, pid, host }) => `${command} (pid ${pid} on ${host})`);
  const pids = new Set((locksOn(paths.lock) ?? []).map(({ pid }) => pid));
  for (const { pid } of announced) pids.delete(pid);
  return [...known, ...(pids.size === 0 ? [] : [nameProcesses([...pids], [])])].join(', ');
}

/** What works on the tree, what was left behind, and the room there is. */
export async function checkWork(ground: Ground): Promise<Made[]> {
  const { paths, limits } = ground;
  return Promise.all([
    check('ready workflow-tool', () => workflowToolFound(ground)),
    check('ready leftovers', () => leftoversFound(ground)),
    ...serviceChecks(ground),
    check('ready log', () => logFound(paths, limits)),
    check('ready backup', () => backupFound(paths, ground.now)),
    check('ready disk', () => diskFound(paths.home, limits)),
  ]);
}

/** How long the background service has to answer, milliseconds. */
const ANSWER_MS = 300;

/** That none runs is no finding: nothing depends on one. */
function serviceChecks({ paths }: Ground): Promise<Made>[] {
  const service = livingProcesses(paths).find(({ role }) => role === 'service');
  if (service === undefined) return [];
  return [
    check('ready service', async () => {
      // Loaded late: most trees have no service.
      const { askService } = await import('../service/ask.js');
      const said = await askService(paths, ANSWER_MS);
      const value = `pid ${service.pid}, since ${service.since}: ${said?.state ?? 'busy, it does not answer at once'}`;
      if (said?.state !== 'failing') return ok(value);
      const { code, message } = said.problem ?? { code: 'INTERNAL', message: 'no reason given' };
      return {
        status: 'warn',
        value: `${value}: ${message}`,
        fix: 'it tries again by itself; "deespec sync" shows what stands in the way',
        code,
      };
    }),
  ];
}

/** Parts of a stop, or of a service, that a crash cut off. */
function halves(paths: HomePaths): string[] {
  const hasService = livingProcesses(paths).some(({ role }) => role === 'service');
  const isLeft = lstatSync(paths.socket, { throwIfNoEntry: false }) !== undefined && !hasService;
  const isHalf = isStopLock(paths.home) && readStopped(paths) === undefined;
  return [
    ...(isLeft ? ['the socket of a service that is gone'] : []),
    ...(isHalf ? ['var/state.lock of a stop that was cut off'] : []),
  ];
}

function workflowToolFound({ paths, now }: Ground): Found {
  try {
    requireIdleGoTool(paths, now);
  } catch (error) {
    if (isStorageError(error, 'GO_TOOL.RUNNING')) return ok(error.message);
    throw error;
  }
  const { stateLock, runLock } = readGoLocks(paths.home);
  const left = [...(stateLock ? ['var/state.lock'] : []), ...(runLock === undefined ? [] : ['var/runlock'])];
  if (left.length === 0) return ok('does not run');
  return {
    status: 'warn',
    value: `${left.join(' and ')} stands, and nobody holds it any more`,
    fix: 'run "cleanup-locks" with the workflow tool\'s own binary',
  };
}

/** How old backups may be is for those to say who make them. */
function backupFound(paths: HomePaths, now: Date): Found {
  const own = listBackups(paths, now).filter(isOwn);
  const verified = own.find(({ state }) => state === 'verified');
  const numbers =
    verified === undefined
      ? {}
      : { last_verified_backup_seconds: Date.parse(verified.manifest.createdAt) / 1_000 };
  const [newest] = own;
  if (newest === undefined) return ok('none was made');
  const age = formatSpan(newest.ageSeconds!);
  if (newest.state === 'verified') return ok(`${newest.id}, ${age} old, verified`, { numbers });
  return {
    status: 'warn',
    value: `${newest.id}, ${age} old, is not verified${newest.problem === undefined ? '' : `: ${newest.problem}`}`,
    fix: 'deespec backup create',
    numbers,
  };
}

function leftoversFound({ paths, limits, now, isHeld, files }: Ground): Found {
  const runs = isHeld ? [] : unfinishedRuns(paths);
  const temporary = isHeld ? [] : namesIn(paths.own).filter((name) => name.startsWith('.tmp-deespec-'));
  const since = files.unfinishedSince();
  const editAge = since === undefined ? 0 : secondsSince(since, now);
  const left = [
    ...(runs.length === 0 ? [] : [`${runs.length} unfinished runs (${runs.slice(0, 3).join(', ')})`]),
    ...(temporary.length === 0 ? [] : [`${temporary.length} temporary files in .storage`]),
    ...(editAge <= limits.editSeconds ? [] : [`an edit that was cut off ${formatSpan(editAge)} ago`]),
    ...(isHeld ? [] : halves(paths)),
  ];
  const numbers = { unfinished_runs: runs.length };
  if (left.length === 0) return ok('none', { numbers });
  const fix =
    editAge > limits.editSeconds
      ? '"deespec sbi list" finishes the edit or takes it back'
      : 'the next command that changes the tree removes them, such as "deespec migrate", "deespec mode set" or "deespec start"';
  return { status: 'warn', value: left.join(', '), fix, numbers };
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

function logFound(paths: HomePaths, { walBytes }: HealthLimits): Found {
  const bytes = logBytes(paths.database);
  const readers = logReaders(paths.database);
  const numbers = { wal_bytes: bytes, ...(readers === undefined ? {} : { wal_readers: readers.length }) };
  const threshold = formatBytes(walBytes);
  if (bytes <= walBytes) return ok(formatBytes(bytes), { threshold, numbers });
  const names = nameProcesses(readers ?? [], livingHolders(paths));
  const who = readers === undefined ? 'unknown' : names || 'nobody at this moment';
  return {
    status: 'warn',
    value: `${formatBytes(bytes)}; read by ${who}`,
    threshold,
    fix:
      names === ''
        ? 'the next write cuts it off, or "deespec sync"; a reader that stays keeps it from that'
        : 'end the program that reads, or let it end: the log is kept for it',
    numbers,
  };
}

/** The room on the disk of a directory. */
export function diskFound(directory: string, { diskFreeBytes }: HealthLimits): Found {
  const { bavail, bsize, files, ffree } = statfsSync(directory);
  const free = bavail * bsize;
  const numbers = { disk_free_bytes: free };
  const threshold = formatBytes(diskFreeBytes);
  // Some file systems do not count names: all zeros.
  const hasNoName = files > 0 && ffree === 0;
  const value = `${formatBytes(free)} free${hasNoName ? ', and no room for another name' : ''}`;
  if (free >= diskFreeBytes && !hasNoName) return ok(value, { threshold, numbers });
  return {
    status: hasNoName || free < LAST_FREE_BYTES ? 'fail' : 'warn',
    value,
    threshold,
    fix: `free disk space at ${directory}`,
    numbers,
  };
}
