// The process of one long job: what it does keeps a thread busy for minutes, and the server answers meanwhile. It is the same use case
// that the command calls, and ends as cleanly when it is asked to, or when the server is gone.
import { isStorageError, StorageError, systemError } from '@deespec/domain';
import type { Progress } from '@deespec/storage';

import type { FromJob, ToJob } from './message.js';
import { runs, toReport } from './run.js';

process.umask(0o077);

/** Least time between two reports of progress in one phase, milliseconds. */
const EVERY_MS = 200;

const stop = new AbortController();
const interrupt = (): void =>
  stop.abort(new StorageError('INTERRUPTED', 'stopped on request', { hint: 'start it again to finish it' }));

process.on('message', (message: ToJob) => {
  if (message.type === 'stop') interrupt();
  else void run(message);
});
process.on('disconnect', interrupt);
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, interrupt);

async function run({ home, user, program, request }: ToJob & { type: 'run' }): Promise<void> {
  try {
    const report = await runs[request.kind](request, {
      home,
      user,
      signal: stop.signal,
      onProgress: throttled(),
      onStep: ({ name, about, state, ms }) =>
        say({ type: 'step', name, about, state, ...(ms === undefined ? {} : { ms }) }),
      ...(program === undefined ? {} : { program }),
    });
    say({ type: 'done', ...toReport(report) });
  } catch (thrown) {
    say(failure(thrown));
  }
  process.off('disconnect', interrupt);
  if (process.connected) process.disconnect();
}

function throttled(): (progress: Progress) => void {
  let last: { readonly phase: string; readonly atMs: number } | undefined;
  return ({ phase, doneBytes, totalBytes, doneEntries }) => {
    const nowMs = performance.now();
    if (last?.phase === phase && nowMs - last.atMs < EVERY_MS) return;
    last = { phase, atMs: nowMs };
    say({
      type: 'progress',
      phase,
      doneBytes,
      doneEntries,
      ...(totalBytes === undefined ? {} : { totalBytes }),
    });
  };
}

function failure(thrown: unknown): FromJob {
  const error = isStorageError(thrown) ? thrown : systemError(thrown);
  if (error === undefined) {
    const stack = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
    return { type: 'failed', code: 'INTERNAL', message: 'unexpected failure', details: {}, stack };
  }
  const { code, message, hint, details } = error;
  return {
    type: 'failed',
    code,
    message,
    ...(hint === undefined ? {} : { hint }),
    details: toReport(details).report,
  };
}

function say(message: FromJob): void {
  if (process.connected) process.send!(message);
}
