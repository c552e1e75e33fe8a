import { runs } from './capabilities.js';
import { mutatingCalls } from './trace.js';

/** What is done to one call: `when` counts the calls of this name and thread from 1; `5+` is every one from the fifth on. */
export interface Injection {
  readonly call: string;
  readonly when: string;
  /** strace's words, such as `signal=SIGKILL` or `error=ENOSPC`. */
  readonly fault: string;
}

/** A wrapper that runs a command under strace, its calls written to `file`; `calls` are traced beside those injected into. */
export function traced(
  file: string,
  injections: readonly Injection[] = [],
  calls: readonly string[] = mutatingCalls,
): readonly string[] {
  const names = new Set([...calls, ...injections.map(({ call }) => call)]);
  return [
    // Without --seccomp-bpf, which would be faster: strace 6.1 then traces, and injects nothing.
    ...['strace', '-f', '-qq', '-y', '-s', '0', '-o', file],
    ...['-e', `trace=${[...names].join(',')}`, '-e', 'signal=none'],
    ...injections.flatMap(({ call, when, fault }) => ['-e', `inject=${call}:${fault}:when=${when}`]),
    '--',
  ];
}

/** Kills every process that works on `directory`: a tracer that is killed leaves its process running. */
export function killStrays(directory: string): void {
  runs('pkill', ['-KILL', '-f', '--', directory]);
}
