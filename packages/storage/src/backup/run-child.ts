import { receivedError, StorageError, type SentError } from '@deespec/domain';
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

import type { FileFacts } from './hash-file.js';
import type { DatabaseFacts } from './inspect.js';
import type { BackupFacts } from './manifest.js';

/** What the child process is to do. */
export type Job =
  | { readonly kind: 'snapshot'; readonly from: string; readonly to: string }
  | { readonly kind: 'inspect' | 'prove'; readonly path: string; readonly ownLinks: number };

/** What it answers. */
export type Answer = { readonly result: unknown } | { readonly error: SentError };

/** Beside this file, unless this is a source. */
const child = import.meta.url.endsWith('.ts') ? '../../dist/backup/child.js' : './child.js';
const program = fileURLToPath(new URL(child, import.meta.url));

/**
 * A heap of 256 MiB at most: contents are read in pieces of 1 MiB. V8 lets it grow to several times of what is in use before it collects,
 * unless it is told to care for its size: 59 MiB instead of 114 for a database of 500 MB, in the same time.
 */
const execArgv = ['--max-old-space-size=256', '--optimize-for-size'];

/** The least time that a child has, and what a disk must read at least, bytes a millisecond: 2 MB/s. */
const FLOOR_MS = 60_000;
const BYTES_PER_MS = 2_000;

/** How long, and until when. */
export interface ChildLimits {
  /** Of the file that it works on. */
  readonly bytes: number;
  readonly signal: AbortSignal | undefined;
}

/** Copies a database while others write to it, see `snapshot`. */
export async function runSnapshot(from: string, to: string, limits: ChildLimits): Promise<void> {
  await run({ kind: 'snapshot', from, to }, limits);
}

/**
 * Reads and proves all of a closed file, see `inspect`, `requireWhole` and `hashFile`: in two processes beside one another, because each
 * half takes about as long as the other. What is wrong with the pages is said rather than what comes of it.
 *
 * @throws StorageError also `BACKUP.DAMAGED` for one that no check survives
 */
export async function runInspection(
  path: string,
  { ownLinks = 0, ...limits }: ChildLimits & { readonly ownLinks?: number },
): Promise<BackupFacts> {
  const failed = new AbortController();
  const signals = limits.signal === undefined ? [failed.signal] : [limits.signal, failed.signal];
  const own = { ...limits, signal: AbortSignal.any(signals) };
  const pages = run({ kind: 'prove', path, ownLinks }, own);
  const rows = run({ kind: 'inspect', path, ownLinks }, own);
  const both = Promise.allSettled([pages, rows]);
  try {
    // In this order: rows that cannot be read are what becomes of pages that are wrong.
    const file = await pages;
    return { ...(file as FileFacts), ...((await rows) as DatabaseFacts) };
  } catch (error) {
    failed.abort();
    await both;
    throw error;
  }
}

async function run(job: Job, { bytes, signal }: ChildLimits): Promise<unknown> {
  signal?.throwIfAborted();
  const child = fork(program, {
    execArgv,
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  return new Promise((resolve, reject) => {
    const end = (settle: () => void): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
      child.kill('SIGKILL');
      settle();
    };
    const fail = (why: string) => end(() => reject(failed(job, why)));
    const timer = setTimeout(() => fail('took too long'), FLOOR_MS + bytes / BYTES_PER_MS);
    const abort = () => end(() => reject(signal!.reason as Error));
    signal?.addEventListener('abort', abort, { once: true });
    child.once('error', (error) => fail(`could not be started (${error.message})`));
    child.once('exit', (code, by) => fail(`ended without an answer (${by ?? `exit ${code}`})`));
    child.once('message', (answer: Answer) =>
      end(() => ('error' in answer ? reject(receivedError(answer.error)) : resolve(answer.result))),
    );
    child.send(job);
  });
}

function failed(job: Job, why: string): StorageError {
  const isCopy = job.kind === 'snapshot';
  return new StorageError(
    isCopy ? 'SQLITE.FAILED' : 'BACKUP.DAMAGED',
    `the process that ${isCopy ? `copies ${job.from}` : `checks ${job.path}`} ${why}`,
    { hint: 'check memory and disk, then run the command again', details: { ...job } },
  );
}
