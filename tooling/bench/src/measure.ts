import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** A command to time, without a shell. */
export interface Command {
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd?: string;
}

/** One run of a command. */
export interface Sample {
  /** From spawn to exit, milliseconds. */
  readonly wallMs: number;
  /** Most resident memory of the process, bytes; `undefined` where the kernel does not say (needs `/proc`). */
  readonly peakBytes: number | undefined;
  readonly stdout: string;
}

const POLL_MS = 10;

/**
 * Runs `command` once, with its output read and thrown away but for the first megabyte.
 *
 * Memory is the kernel's high-water mark, polled every 10 ms: what a process gains in its last 10 ms is missed; what it gave
 * back is not. Children of the process are not counted.
 *
 * @param signal - ends the command, and the call with an `AbortError`
 * @throws Error when it cannot be started or does not exit with 0
 */
export async function measure(command: Command, signal?: AbortSignal): Promise<Sample> {
  const started = performance.now();
  const child = spawn(command.file, command.args, {
    cwd: command.cwd,
    stdio: ['ignore', 'pipe', 'pipe'],
    signal,
  });
  const memory = watchMemory(child.pid);
  try {
    const [code, stdout, stderr, endedAt] = await Promise.all([
      new Promise<number | null>((resolve, reject) => child.once('error', reject).once('close', resolve)),
      readHead(child.stdout),
      readHead(child.stderr),
      new Promise<number>((resolve) => child.once('exit', () => resolve(performance.now()))),
    ]);
    if (code === 0) return { wallMs: endedAt - started, peakBytes: memory.stop(), stdout };
    throw new Error(
      `${[command.file, ...command.args].join(' ')}\n  exit ${code}: ${stderr.trim()}${stdout.trim()}`,
    );
  } finally {
    memory.stop();
  }
}

/**
 * Watches the memory of a process.
 *
 * @returns `stop`, which ends the watch and gives the most resident memory seen, bytes; `undefined` where the kernel does not
 *   say. What is missed: see {@link measure}.
 */
export function watchMemory(pid: number | undefined): { readonly stop: () => number | undefined } {
  let peakBytes: number | undefined;
  const timer = setInterval(() => {
    peakBytes = highWaterMark(pid) ?? peakBytes;
  }, POLL_MS);
  return {
    stop: () => {
      clearInterval(timer);
      return peakBytes;
    },
  };
}

function highWaterMark(pid: number | undefined): number | undefined {
  try {
    const kib = /^VmHWM:\s+(\d+) kB$/mu.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return kib === undefined ? undefined : Number(kib) * 1024;
  } catch (error) {
    // The process is gone between two polls, or there is no /proc here.
    if (['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw error;
  }
}

async function readHead(stream: NodeJS.ReadableStream): Promise<string> {
  let head = '';
  for await (const chunk of stream) if (head.length < 1_000_000) head += chunk.toString();
  return head;
}
