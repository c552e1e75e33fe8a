import { receivedError, StorageError, type SentError } from '@deespec/domain';
import { fork, type ChildProcess } from 'node:child_process';
import { on } from 'node:events';
import { fileURLToPath } from 'node:url';
import { digestDisk, type DiskDigest, type DiskReaders } from './disk-digest.js';
import type { DiskEntry } from './disk-entry.js';
import type { Pace } from './pace.js';
import type { TreeScan } from './tree-scan.js';

/** What the process says: the next entries and how many bytes it read for them, what the whole came to, or why it ends early. */
export type DiskMessage =
  | { readonly entries: readonly DiskEntry[]; readonly bytes: number }
  | DiskDigest
  | { readonly error: SentError };

/** Messages with entries that it sends before one is taken: a bound for memory, enough to go on while SQLite checks the database. */
export const MOST_MESSAGES = 32;

/** Beside this file, unless this is a source. */
const file = import.meta.url.endsWith('.ts') ? '../dist/disk-process-main.js' : './disk-process-main.js';
const program = fileURLToPath(new URL(file, import.meta.url));

/** What it makes is soon sent away: V8 is to collect it early, 42 MiB instead of 56, in the same time. */
const execArgv = ['--optimize-for-size', '--max-old-space-size=128'];

/**
 * Reads every byte of a tree on disk in a process of its own, beside whoever reads the other side: by {@link digestDisk}, which also
 * does it here where no process can be started. It begins at once. Close it.
 *
 * Source: docs/adr/0026.
 */
export class DiskProcess {
  readonly #child: ChildProcess;
  readonly #messages: AsyncIterable<unknown[]>;

  /** @param scan - what reads the tree here, should there be no process */
  constructor(
    private readonly home: string,
    private readonly scan: TreeScan,
    private readonly pace: Pace,
  ) {
    this.#child = fork(program, [home], {
      execArgv,
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    this.#messages = on(this.#child, 'message', { close: ['close'], signal: pace.signal });
  }

  /**
   * As {@link digestDisk}.
   *
   * @throws StorageError `FILE.READ_FAILED` when the process ends early; else as {@link digestDisk}
   */
  async run({ onEntry }: Pick<DiskReaders, 'onEntry'>): Promise<DiskDigest> {
    let isStarted = false;
    try {
      for await (const [message] of this.#messages as AsyncIterable<[DiskMessage]>) {
        isStarted = true;
        if ('error' in message) throw receivedError(message.error);
        if ('digest' in message) return message;
        this.#child.send('taken', () => undefined);
        await this.#handOver(message, onEntry);
      }
    } catch (error) {
      // Of a signal, or of a process that cannot be started.
      await this.pace.turn();
      if (isStarted) throw error;
    }
    if (isStarted) throw endedEarly(this.home, this.#child);
    return digestDisk(this.scan, this.pace, { onEntry });
  }

  close(): void {
    this.#child.kill('SIGKILL');
  }

  async #handOver(
    { entries, bytes }: { readonly entries: readonly DiskEntry[]; readonly bytes: number },
    onEntry: DiskReaders['onEntry'],
  ): Promise<void> {
    this.pace.addBytes(bytes);
    for (const entry of entries) {
      this.pace.addEntry();
      const work = onEntry(entry);
      if (work instanceof Promise) await work;
    }
    if (this.pace.due) await this.pace.turn();
  }
}

function endedEarly(home: string, { exitCode, signalCode }: ChildProcess): StorageError {
  const why = signalCode ?? `exit ${exitCode}`;
  return new StorageError('FILE.READ_FAILED', `the process that reads ${home} ended early (${why})`, {
    hint: 'see whether the machine is short of memory, then run the command again',
    details: { home, why },
  });
}
