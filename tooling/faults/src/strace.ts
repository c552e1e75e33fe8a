import { existsSync, readFileSync, rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

import { mutatingCalls } from './trace.js';

/** What is done to one call: `when` counts the calls of this name and thread from 1; `5+` is every one from the fifth on. */
export interface Injection {
  readonly call: string;
  readonly when: string;
  /** strace's words, such as `signal=SIGKILL` or `error=ENOSPC`. */
  readonly fault: string;
}

/**
 * A wrapper that runs a command under strace, its calls and the stops by SIGSTOP written to `file`. An older trace there is
 * removed: one that is read too early would tell of faults that did not happen.
 *
 * @param calls - what is traced beside the calls injected into
 */
export function traced(
  file: string,
  injections: readonly Injection[] = [],
  calls: readonly string[] = mutatingCalls,
): readonly string[] {
  rmSync(file, { force: true });
  const names = new Set([...calls, ...injections.map(({ call }) => call)]);
  return [
    // Without --seccomp-bpf, which would be faster: strace 6.1 then traces, and injects nothing.
    ...['strace', '-f', '-qq', '-y', '-s', '0', '-o', file],
    ...['-e', `trace=${[...names].join(',')}`, '-e', 'signal=SIGSTOP'],
    ...injections.flatMap(({ call, when, fault }) => ['-e', `inject=${call}:${fault}:when=${when}`]),
    '--',
  ];
}

/**
 * Waits until a traced process stands still.
 *
 * @param ended - resolves when the process has ended
 * @returns its pid; `undefined` when it ended, or did not stop within 30 seconds
 */
export async function untilStopped(file: string, ended: Promise<unknown>): Promise<number | undefined> {
  const state = { hasEnded: false };
  const note = (): void => void (state.hasEnded = true);
  ended.then(note, note);
  for (let waitedMs = 0; waitedMs < 30_000 && !state.hasEnded; waitedMs += 10) {
    const pid = existsSync(file)
      ? /^(\d+) +--- stopped by SIGSTOP/mu.exec(readFileSync(file, 'latin1'))?.[1]
      : undefined;
    if (pid !== undefined) return Number(pid);
    await sleep(10);
  }
  return undefined;
}
