import { hostname } from 'node:os';

import type { HomePaths } from '../home.js';
import { bornOf, ownerOf } from '../process-facts.js';
import { isRunning } from '../processes.js';
import { goRun, type GoRun } from './go-tool.js';
import { byRole, livingProcesses, type ProcessRole, type RegisteredProcess } from './registry.js';

/** One process, and what became of it. */
export interface StopOutcome {
  /** 0 when it is not known. */
  readonly pid: number;
  /** What it has the tree open for: `service`, `watch`, `api`; `workflow tool`; `command` for one that holds the barrier. */
  readonly role: string;
  readonly command: string;
  /** `ended`, or why it is still there, in words. */
  readonly outcome: string;
}

/** A process that is to let go of the tree. */
interface Chased {
  readonly process: Omit<StopOutcome, 'outcome'>;
  /** Why it was not signalled; absent when it was. */
  readonly refusal: string | undefined;
}

/** Whom a {@link Pursuit} is for. The workflow tool is the run that holds `var/runlock`. */
export type Quarry = ProcessRole | 'workflow tool';

/**
 * Asks the processes that have a tree open to end, each once, and sees who does. None is killed, and none is signalled that is not
 * proven to be the one that is meant: a process id that was used again is nobody's.
 */
export class Pursuit {
  private readonly chased = new Map<string, Chased>();
  private readonly asked = new Set<string>();
  private readonly done: StopOutcome[] = [];

  constructor(
    private readonly paths: HomePaths,
    private readonly onProcess: (one: StopOutcome) => void = () => undefined,
  ) {}

  /** Processes that have let go of the tree, in the order in which they did: they ended, or closed it. */
  get ended(): readonly StopOutcome[] {
    return this.done;
  }

  /** Those who are still there, with why. */
  left(): StopOutcome[] {
    return [...this.chased.values()].map(({ process, refusal }) => ({
      ...process,
      outcome: refusal ?? 'ignored the signal',
    }));
  }

  /** True while somebody who was asked to end has not. */
  get isGoingOn(): boolean {
    return [...this.chased.values()].some(({ refusal }) => refusal === undefined);
  }

  /** Asks those to end who have not been asked, and notes who has ended. */
  goOn(quarry: readonly Quarry[]): void {
    const present = this.present();
    for (const [key, { process, ask }] of present) {
      if (this.chased.has(key) || !quarry.some((role) => role === process.role)) continue;
      this.chased.set(key, { process, refusal: this.asked.has(key) ? undefined : ask() });
      this.asked.add(key);
    }
    for (const [key, { process, refusal }] of this.chased) {
      if (present.has(key)) continue;
      this.chased.delete(key);
      const one = { ...process, outcome: refusal === undefined ? 'ended' : 'ended by itself' };
      this.done.push(one);
      this.onProcess(one);
    }
  }

  /** Those who have the tree open, each once, however many notes it left. */
  private present(): Map<string, Present> {
    const found = new Map<string, Present>();
    for (const one of livingProcesses(this.paths).sort(byRole)) {
      const { pid, role, command, host, born = '' } = one;
      const key = `${host} ${pid} ${born}`;
      if (pid === process.pid || found.has(key)) continue;
      found.set(key, { process: { pid, role, command }, ask: () => doubtOf(one) ?? signal(pid) });
    }
    const run = goRun(this.paths);
    if (run !== undefined) found.set(`run ${run.pid}`, presentRun(run));
    return found;
  }
}

interface Present extends Pick<Chased, 'process'> {
  /** Asks it to end. @returns why it was not asked */
  readonly ask: () => string | undefined;
}

function presentRun({ pid, doubt }: GoRun): Present {
  const ask = (): string | undefined => (doubt === undefined ? signal(pid) : `not signalled: ${doubt}`);
  return { process: { pid, role: 'workflow tool', command: 'var/runlock' }, ask };
}

function doubtOf({ pid, host, born }: RegisteredProcess): string | undefined {
  if (host !== hostname()) return `not signalled: it runs on ${host}`;
  if (born === undefined || born !== bornOf(pid))
    return 'not signalled: it cannot be proven to be the one that has the tree open';
  return ownerOf(pid) === process.getuid?.() ? undefined : 'not signalled: it belongs to another user';
}

/** @returns why it could not be signalled */
function signal(pid: number): string | undefined {
  try {
    process.kill(pid, 'SIGTERM');
    return undefined;
  } catch (error) {
    if (!isRunning(pid)) return undefined;
    return `not signalled: ${(error as NodeJS.ErrnoException).code ?? 'unknown reason'}`;
  }
}
