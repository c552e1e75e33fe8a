import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

import { bugEnvironment, type BugName } from '../seeded-bugs.js';
import { childEnvironment } from '../settings.js';

const running = new Set<ChildProcess>();
process.on('exit', () => running.forEach((child) => child.kill('SIGKILL')));

/** How a program of this package is started. */
export interface ProgramOptions {
  /** Below `src`, such as `writers/worker`. */
  readonly name: string;
  readonly argument: string;
  readonly bugs: readonly BugName[];
  readonly onMessage?: (message: unknown) => void;
}

/** A program of this package in a process of its own, which talks over a channel. */
export class Program {
  readonly pid: number;
  /** What it printed as its errors. */
  stderr = '';
  private readonly ended: Promise<unknown>;

  constructor(private readonly child: ChildProcess) {
    this.pid = child.pid!;
    child.stderr!.on('data', (text: Buffer) => (this.stderr += text.toString()));
    running.add(child);
    this.ended = once(child, 'close').then(() => running.delete(child));
  }

  get isRunning(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  send(message: object): void {
    // It may have ended meanwhile: whoever waits for an answer sees that.
    if (this.child.connected) this.child.send(message, () => undefined);
  }

  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** Kills it, and resolves when it is gone. */
  async kill(): Promise<void> {
    this.signal('SIGKILL');
    await this.ended;
  }

  /** Asks it to end, and resolves when it has. @returns what went wrong with it */
  async stop(): Promise<string | undefined> {
    this.send({ stop: true });
    return this.end();
  }

  /** Resolves when it has ended by itself. @returns what went wrong with it */
  async end(): Promise<string | undefined> {
    await this.ended;
    const { exitCode, signalCode } = this.child;
    if (exitCode === 0) return undefined;
    return `it ended with ${signalCode ?? exitCode}: ${this.stderr.trim().slice(-600)}`;
  }
}

/** Starts a program of this package. */
export function startProgram({ name, argument, bugs, onMessage }: ProgramOptions): Program {
  const file = fileURLToPath(new URL(`../${name}.js`, import.meta.url));
  const child = spawn(process.execPath, [file, argument], {
    env: childEnvironment(bugEnvironment(bugs)),
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  if (onMessage !== undefined) child.on('message', onMessage);
  return new Program(child);
}
