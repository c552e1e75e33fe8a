import { StorageError } from '@deespec/domain';
import { removeStopLock } from '@deespec/file-adapter';
import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, ftruncateSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { takeAlone } from '../alone.js';
import { prepareLock } from '../barrier.js';
import { homePaths, type HomePaths } from '../home.js';
import { makeOwnDirectory } from '../own-directory.js';
import { readRegular } from '../read-regular.js';
import { askService } from './ask.js';
import { logFile, openOwnFile } from './log.js';
import { livingProcesses } from './registry.js';
import { defaultSchedules, requireSchedule } from './schedule.js';
import type { Schedules } from './service-status.js';
import { removeStopped } from './stopped.js';

/**
 * Takes the stopped state away: the Go tool may write again, and so may the API. A second call does nothing, and one after a crash
 * finishes. The caller must not hold the barrier.
 *
 * @returns whether the tree was stopped
 * @throws StorageError `LOCK.HELD`, `FILE.*`
 */
export async function endStopped(paths: HomePaths): Promise<boolean> {
  const release = await takeAlone(paths, 'start');
  try {
    const wasKeptOut = removeStopLock(paths.home);
    return removeStopped(paths) || wasKeptOut;
  } finally {
    release();
  }
}

/** What {@link startService} takes. */
export interface StartServiceOptions {
  readonly home: string;
  /** How this program is run, without its arguments: the interpreter and its script. */
  readonly program: readonly [string, ...string[]];
  /** What is absent is as in `defaultSchedules`. */
  readonly schedules?: Partial<Schedules>;
  /** How long the service has to answer, milliseconds; default 30,000. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

const TIMEOUT_MS = 30_000;

/** How often it is asked, and how long an answer may take, milliseconds. */
const ASK_EVERY_MS = 50;
const ANSWER_MS = 1_000;

/**
 * Starts the background service, detached from this process and its terminal, and waits until it answers. One that runs already
 * stays as it is, and of several starts at once one service comes.
 *
 * @throws StorageError `SERVICE.FAILED` with what it said last; `USAGE.INVALID` for a schedule; `DATABASE.UNSAFE_LINK`, `FILE.*`
 */
export async function startService(
  options: StartServiceOptions,
): Promise<{ readonly pid: number; readonly isNew: boolean }> {
  const paths = homePaths(options.home);
  const schedules = { ...defaultSchedules, ...options.schedules };
  for (const [name, pattern] of Object.entries(schedules)) requireSchedule(name, pattern);
  const running = await findService(paths);
  if (running !== undefined) return { pid: running.pid, isNew: false };
  prepareLock(paths);
  const child = detached(paths, { ...options, schedules });
  const deadlineMs = performance.now() + (options.timeoutMs ?? TIMEOUT_MS);
  for (;;) {
    const service = await findService(paths);
    if (service !== undefined) return { pid: service.pid, isNew: service.pid === child.pid };
    const isOver = child.hasFailed() || performance.now() > deadlineMs;
    if (isOver) throw failedToStart(paths, child.why());
    options.signal?.throwIfAborted();
    await sleep(ASK_EVERY_MS);
  }
}

/** The service that answers. One that is in a long pass answers later, and has said who it is since it could. */
async function findService(paths: HomePaths): Promise<{ readonly pid: number } | undefined> {
  const said = livingProcesses(paths).find(({ role }) => role === 'service');
  return said ?? (await askService(paths, ANSWER_MS));
}

interface Starting {
  readonly pid: number | undefined;
  /** True when it ended for another reason than that a service runs already. */
  hasFailed(): boolean;
  why(): string;
}

/** Exit code of a service that finds another one. Source: docs/exit-codes.md. */
const BUSY = 75;

function detached(
  paths: HomePaths,
  { program, schedules }: StartServiceOptions & { readonly schedules: Schedules },
): Starting {
  const [file, ...words] = program;
  const times = Object.entries(schedules).flatMap(([name, pattern]) => [`--${name}-schedule`, pattern]);
  const errors = openErrors(paths);
  let failure: Error | undefined;
  let child: ChildProcess;
  try {
    child = spawn(file, [...words, 'serve', '--home', paths.home, ...times], {
      detached: true,
      // Not the directory of the caller, which somebody may want to remove or unmount.
      cwd: '/',
      stdio: ['ignore', 'ignore', errors],
    });
  } finally {
    closeSync(errors);
  }
  child.on('error', (error) => (failure = error)).unref();
  return {
    pid: child.pid,
    hasFailed: () => failure !== undefined || (hasExited(child) && child.exitCode !== BUSY),
    why: () => failure?.message ?? `it ${hasExited(child) ? 'ended' : 'does not answer'}`,
  };
}

function hasExited({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}

/** What the service says outside its log, when it ends in a way that it did not foresee. */
function errorFile(paths: HomePaths): string {
  return join(paths.log, 'service.err');
}

function openErrors(paths: HomePaths): number {
  makeOwnDirectory(paths.log);
  const { handle } = openOwnFile(errorFile(paths));
  ftruncateSync(handle);
  return handle;
}

function failedToStart(paths: HomePaths, why: string): StorageError {
  const said = (readRegular(errorFile(paths))?.toString('utf8') ?? '').trim().split('\n').slice(-LAST_LINES);
  const text = said.join(' ').slice(-MOST_TEXT);
  return new StorageError(
    'SERVICE.FAILED',
    `the background service did not start: ${why}${text === '' ? '' : `; it said: ${text}`}`,
    {
      hint: `look into ${logFile(paths)}; "deespec start --foreground" shows what it does`,
      details: { log: logFile(paths), said },
    },
  );
}

const LAST_LINES = 5;
const MOST_TEXT = 2_000;
