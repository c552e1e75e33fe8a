import { isStorageError, StorageError } from '@deespec/domain';
import { setTimeout as sleep } from 'node:timers/promises';

import { prepareLock, takeBarrier } from '../barrier.js';
import { homePaths, type HomePaths } from '../home.js';
import { livingHolders } from '../processes.js';
import { keepGoToolOut } from './go-tool.js';
import { Pursuit, type Quarry, type StopOutcome } from './pursuit.js';
import { readStopped, writeStopped, type Stopped } from './stopped.js';

/** What {@link stopTree} takes. */
export interface StopOptions {
  readonly home: string;
  /** Stops the whole tree; else only the background service ends, and the tree goes on. */
  readonly all: boolean;
  /** How long processes have to end, milliseconds; default 30,000. */
  readonly timeoutMs?: number;
  /** Who stops it, for those who are refused; default `stop --all`. */
  readonly command?: string;
  readonly signal?: AbortSignal;
  /** Told of each process that has let go of the tree. */
  readonly onProcess?: (one: StopOutcome) => void;
}

/** What a stop did. */
export interface StopReport {
  /** Whether the tree is stopped: changes are refused until `start`. */
  readonly stopped: boolean;
  /** Since when; absent when the tree is not stopped. UTC, fixed width. */
  readonly since?: string;
  /** True when it was stopped before. */
  readonly wasStopped: boolean;
  /** Each process that let go of the tree. */
  readonly processes: readonly StopOutcome[];
  /** `out`: the Go tool cannot write; `no var`: the tree has no place for its locks; absent without `all`. */
  readonly goTool?: 'out' | 'no var';
  readonly durationMs: number;
}

const TIMEOUT_MS = 30_000;

/** How often is looked who has ended, milliseconds. */
const LOOK_MS = 50;

/** They write for no caller, and hold the barrier for as long as a pass takes. */
const background: readonly Quarry[] = ['service', 'watch'];

const everybody: readonly Quarry[] = [...background, 'api', 'workflow tool'];

/**
 * Ends the background service of a tree; with `all` stops the tree: first changes are refused, durably and with none under way,
 * and the Go tool is kept out; then every process that has the tree open is asked to end, and waited for. Commands that work on
 * the tree are waited for, not asked. Nobody is killed. Can be repeated, also after a crash.
 *
 * @throws StorageError `STOP.INCOMPLETE` naming who is left and why, and whether the tree is stopped; `INTERRUPTED`;
 *   `DATABASE.UNSAFE_LINK`, `FILE.*`
 *
 * Source: docs/adr/0018.
 */
export async function stopTree(options: StopOptions): Promise<StopReport> {
  const startedMs = performance.now();
  const paths = homePaths(options.home);
  if (options.all) prepareLock(paths);
  const stop = new Stop(paths, { ...options, deadlineMs: startedMs + (options.timeoutMs ?? TIMEOUT_MS) });
  const wasStopped = readStopped(paths) !== undefined;
  const goTool = options.all ? await stop.everything() : await stop.service();
  const stopped = readStopped(paths);
  return {
    stopped: stopped !== undefined,
    ...(stopped === undefined ? {} : { since: stopped.since }),
    wasStopped,
    processes: stop.pursuit.ended,
    ...(goTool === undefined ? {} : { goTool }),
    durationMs: Math.round(performance.now() - startedMs),
  };
}

interface Limits extends Pick<StopOptions, 'command' | 'signal' | 'onProcess'> {
  readonly deadlineMs: number;
}

class Stop {
  readonly pursuit: Pursuit;

  constructor(
    private readonly paths: HomePaths,
    private readonly limits: Limits,
  ) {
    this.pursuit = new Pursuit(paths, limits.onProcess);
  }

  async service(): Promise<undefined> {
    for (;;) {
      this.pursuit.goOn(['service']);
      if (this.pursuit.left().length === 0) return;
      if (!this.pursuit.isGoingOn || this.isLate) throw this.incomplete([]);
      await this.pause();
    }
  }

  async everything(): Promise<'out' | 'no var'> {
    let [go, cause] = this.standStill();
    for (;;) {
      this.pursuit.goOn(go === undefined ? background : everybody);
      const isOut = go === 'out' || go === 'no var';
      if (isOut && this.pursuit.left().length === 0) return go as 'out' | 'no var';
      const isWaiting = this.pursuit.isGoingOn || go === undefined || go === 'held';
      if (!isWaiting || this.isLate) throw this.incomplete(stateLockOf(go), cause);
      await this.pause();
      if (!isOut) [go, cause] = this.standStill();
    }
  }

  /**
   * Refuses changes and keeps the Go tool out, when nobody works on the tree.
   *
   * @returns what became of the Go tool; else why it could not be done yet
   */
  private standStill(): [ReturnType<typeof keepGoToolOut> | undefined, StorageError | undefined] {
    const { command = 'stop --all' } = this.limits;
    let release;
    try {
      release = takeBarrier(this.paths, { access: 'exclusive', command, patienceMs: 0 });
    } catch (error) {
      if (!isStorageError(error, 'LOCK.HELD')) throw error;
      return [undefined, error];
    }
    try {
      if (readStopped(this.paths) === undefined) writeStopped(this.paths, command);
      return [keepGoToolOut(this.paths), undefined];
    } finally {
      release();
    }
  }

  private get isLate(): boolean {
    return performance.now() >= this.limits.deadlineMs;
  }

  private async pause(): Promise<void> {
    this.limits.signal?.throwIfAborted();
    await sleep(LOOK_MS);
  }

  private incomplete(others: readonly StopOutcome[], cause?: StorageError): StorageError {
    const left = [...this.pursuit.left(), ...others];
    if (cause !== undefined) left.push(...this.commands());
    const stopped = readStopped(this.paths);
    const names = left.map(
      ({ pid, role, command, outcome }) => `${command} (${role}, pid ${pid}): ${outcome}`,
    );
    const who = names.join('; ') || 'another process works on the tree';
    return new StorageError('STOP.INCOMPLETE', `${this.paths.home}: ${who}. ${stateOf(stopped)}`, {
      hint: 'end what is named, then run "deespec stop --all" again; "deespec start" lets changes in again',
      details: { left, ended: this.pursuit.ended, stopped: stopped !== undefined },
      cause,
    });
  }

  /** Commands that hold the barrier. */
  private commands(): StopOutcome[] {
    return livingHolders(this.paths)
      .filter(({ pid }) => pid !== process.pid)
      .map(({ pid, command }) => ({ pid, role: 'command', command, outcome: 'still works on the tree' }));
  }
}

function stateOf(stopped: Stopped | undefined): string {
  return stopped === undefined
    ? 'The tree is not stopped'
    : `The tree stays stopped since ${stopped.since}: changes are refused`;
}

/** The Go tool's own lock, when it is in the way. */
function stateLockOf(go: ReturnType<typeof keepGoToolOut> | undefined): StopOutcome[] {
  const one = { pid: 0, role: 'workflow tool', command: 'var/state.lock' };
  if (go === 'held') return [{ ...one, outcome: 'is held' }];
  return go === 'foreign' ? [{ ...one, outcome: 'is a directory that deespec did not make' }] : [];
}
