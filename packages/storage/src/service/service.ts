import { isStorageError, StorageError, timeFromDate, type StorageMode } from '@deespec/domain';
import { openHandle, toStorageError } from '@deespec/sqlite-adapter';
import { setTimeout as sleep } from 'node:timers/promises';

import { prepareLock } from '../barrier.js';
import { readHealth } from '../health/health.js';
import { homePaths, type HomePaths } from '../home.js';
import { grantedMode } from '../setting.js';
import type { SyncResult } from '../sync.js';
import { keepWatching, type WatchOptions } from '../watch.js';
import { openControl } from './control.js';
import { runJob } from './jobs.js';
import { openLog, type ServiceLog } from './log.js';
import { livingProcesses, register } from './registry.js';
import { defaultSchedules, requireSchedule, Scheduler } from './schedule.js';
import type { Schedules, ServiceStatus } from './service-status.js';
import { readStopped } from './stopped.js';

/** What {@link runService} takes. */
export interface RunServiceOptions extends Pick<WatchOptions, 'onPass' | 'onProblem'> {
  readonly home: string;
  /** What is absent is as in `defaultSchedules`. */
  readonly schedules?: Partial<Schedules>;
  /** Ends it. */
  readonly signal: AbortSignal;
}

/** Modes in which two stores have to be kept in step. */
const followed: readonly StorageMode[] = ['dual_write', 'sqlite'];

/** How often is looked whether there is something to keep in step, and first wait after a failure, milliseconds. */
const LOOK_MS = 1_000;

/** Longest wait after a failure, milliseconds. */
const LONGEST_MS = 60_000;

/**
 * Runs the background service of a tree in this process until `signal` is aborted or its control socket is told to stop: keeps both
 * stores in step where the mode has two, follows changes of the mode, and does by the clock what `schedules` says. What fails is
 * logged, shown in its status and tried again.
 *
 * @throws StorageError `LOCK.HELD` when the tree has one already; `USAGE.INVALID` for a schedule; `DATABASE.UNSAFE_LINK`, `FILE.*`
 */
export async function runService(options: RunServiceOptions): Promise<void> {
  const paths = homePaths(options.home);
  const schedules = { ...defaultSchedules, ...options.schedules };
  for (const [name, pattern] of Object.entries(schedules)) requireSchedule(name, pattern);
  const unlock = takeServiceLock(paths);
  try {
    const log = openLog(paths);
    try {
      await new Service(paths, log, { ...options, schedules }).run();
    } finally {
      log.close();
    }
  } finally {
    unlock();
  }
}

/** The lock of the one service, which the kernel drops when its holder dies. @throws StorageError `LOCK.HELD` */
function takeServiceLock(paths: HomePaths): () => void {
  prepareLock(paths, paths.serviceLock);
  let handle;
  try {
    handle = openHandle(paths.serviceLock, 'lock');
    handle.exec('BEGIN EXCLUSIVE');
    const held = handle;
    return () => held.close();
  } catch (error) {
    handle?.close();
    const known = toStorageError(error, paths.serviceLock);
    if (!isStorageError(known, 'SQLITE.BUSY')) throw known;
    const [service] = livingProcesses(paths).filter(({ role }) => role === 'service');
    const who = service === undefined ? '' : ` (pid ${service.pid}, since ${service.since})`;
    throw new StorageError('LOCK.HELD', `${paths.home} has a background service already${who}`, {
      hint: 'deespec stop ends it',
      cause: known,
    });
  }
}

class Service {
  private readonly since = timeFromDate(new Date());
  private readonly stop = new AbortController();
  private readonly scheduler: Scheduler;
  private state: ServiceStatus['state'] = 'waiting';
  private mode: StorageMode | undefined;
  private lastPass: ServiceStatus['lastPass'];
  private problem: ServiceStatus['problem'];
  private waitMs = LOOK_MS;

  constructor(
    private readonly paths: HomePaths,
    private readonly log: ServiceLog,
    private readonly options: RunServiceOptions & { readonly schedules: Schedules },
  ) {
    const { signal } = this.stop;
    this.scheduler = new Scheduler(
      options.schedules,
      (name) => runJob(paths.home, name, signal),
      (name, result) =>
        this.log.to[result.ok ? 'info' : 'error']({ job: name, ...result }, 'a scheduled run'),
    );
  }

  async run(): Promise<void> {
    const { signal } = this.options;
    const end = (): void => this.stop.abort(signal.reason);
    signal.addEventListener('abort', end, { once: true });
    if (signal.aborted) end();
    const control = await openControl(this.paths, {
      status: () => this.status(),
      health: () => readHealth({ home: this.paths.home }),
      stop: () => this.stop.abort(),
    });
    // Whoever waits for the service to run looks for the note: from here on it answers.
    const withdraw = register(this.paths, 'service', 'start');
    this.log.to.info({ home: this.paths.home, schedules: this.options.schedules }, 'begins');
    this.scheduler.begin();
    try {
      while (!this.stop.signal.aborted) await this.turn();
    } finally {
      signal.removeEventListener('abort', end);
      await control.close();
      await this.scheduler.close();
      withdraw();
      this.log.to.info('ends');
    }
  }

  private status(): ServiceStatus {
    const { since, state, mode, lastPass, problem } = this;
    return {
      pid: process.pid,
      since,
      state,
      ...(mode === undefined ? {} : { mode }),
      ...(lastPass === undefined ? {} : { lastPass }),
      ...(problem === undefined ? {} : { problem }),
      schedules: this.scheduler.status(),
      lostLogLines: this.log.lost,
    };
  }

  /** Keeps the stores in step for as long as that goes well, or waits. */
  private async turn(): Promise<void> {
    try {
      this.mode = await grantedMode(this.paths);
      const hasTwo = followed.includes(this.mode) && readStopped(this.paths) === undefined;
      if (hasTwo) await keepWatching(this.watching());
      else this.become('waiting');
      this.waitMs = LOOK_MS;
    } catch (error) {
      this.failed(error);
    }
    await this.pause();
  }

  private watching(): WatchOptions {
    return {
      home: this.paths.home,
      signal: this.stop.signal,
      onPass: (pass) => this.passed(pass),
      onProblem: (problem) => this.note(problem),
    };
  }

  private passed(pass: SyncResult): void {
    const { wrote, debts, failed, conflicts } = pass;
    this.lastPass = { at: timeFromDate(new Date()), wrote, debts };
    this.become('watching');
    this.waitMs = LOOK_MS;
    const counts = { wrote, debts, failed: failed.length, conflicts: conflicts.length };
    this.log.to.info(counts, 'a pass');
    this.options.onPass?.(pass);
  }

  /** A mode that nobody granted yet, or that went to one store, is looked at again soon; what else fails, less and less often. */
  private failed(thrown: unknown): void {
    const error = isStorageError(thrown) ? thrown : bug(thrown);
    const isPassing = /^(?:MODE|STORAGE)\.|^LOCK\.HELD$/u.test(error.code);
    if (isStorageError(error, 'MODE.REFUSED') || isStorageError(error, 'STORAGE.STOPPED')) return;
    this.become('failing');
    this.note(error);
    this.waitMs = isPassing ? LOOK_MS : Math.min(this.waitMs * 2, LONGEST_MS);
  }

  private become(state: ServiceStatus['state']): void {
    if (state === this.state) return;
    this.state = state;
    this.log.to.info({ mode: this.mode }, state);
  }

  private note(error: StorageError): void {
    const { code, message } = error;
    const isNew = this.problem?.code !== code || this.problem.message !== message;
    this.problem = { at: timeFromDate(new Date()), code, message };
    if (isNew) this.log.to.warn({ code }, message);
    this.options.onProblem?.(error);
  }

  private async pause(): Promise<void> {
    try {
      await sleep(this.waitMs, undefined, { signal: this.stop.signal });
    } catch {
      // Asked to stop: the loop sees it.
    }
  }
}

function bug(error: unknown): StorageError {
  return new StorageError('INTERNAL', `the background service failed: ${String(error)}`, {
    hint: 'it is tried again; report this',
    cause: error,
  });
}
