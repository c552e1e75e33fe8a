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
  /** Most resident memory of the process and its children, bytes; `undefined` where the kernel does not say (needs `/proc`). */
  readonly peakBytes: number | undefined;
  readonly stdout: string;
}

const POLL_MS = 10;

/**
 * Runs `command` once, with its output read and thrown away but for the first megabyte.
 *
 * Memory is the kernel's high-water mark, polled every 10 ms: what a process gains in its last 10 ms is missed; what it gave
 * back is not. Of its children what is resident and theirs alone is added (`RssAnon`): they share the rest, such as the program of Node.
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
    const bytes = mostMemory(pid);
    if (bytes !== undefined) peakBytes = Math.max(bytes, peakBytes ?? 0);
  }, POLL_MS);
  return {
    stop: () => {
      clearInterval(timer);
      return peakBytes;
    },
  };
}

/** Memory of a process alone at its highest, or with its children as it is now, whichever is more. */
function mostMemory(pid: number | undefined): number | undefined {
  const [alone, now] = [memoryOf(pid, 'VmHWM'), memoryOf(pid, 'VmRSS')];
  return alone === undefined || now === undefined ? alone : Math.max(alone, now + childrenMemory(pid!));
}

function childrenMemory(pid: number): number {
  const children = readProc(`${pid}/task/${pid}/children`)?.split(' ').filter(Boolean).map(Number) ?? [];
  return children.reduce((sum, child) => sum + (memoryOf(child, 'RssAnon') ?? 0) + childrenMemory(child), 0);
}

/** A field of a process's status, bytes; `undefined` when it is gone. */
function memoryOf(pid: number | undefined, field: string): number | undefined {
  const status = readProc(`${pid}/status`) ?? '';
  const kib = new RegExp(`^${field}:\\s+(\\d+) kB$`, 'mu').exec(status)?.[1];
  return kib === undefined ? undefined : Number(kib) * 1024;
}

function readProc(path: string): string | undefined {
  try {
    return readFileSync(`/proc/${path}`, 'utf8');
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
