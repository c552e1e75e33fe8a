import { execa } from 'execa';

import { bugEnvironment, type BugName } from './seeded-bugs.js';
import { childEnvironment, launcher, modules } from './settings.js';

/** How the product is started. */
export interface ProductOptions {
  /** The command line without `--json`, which is added. */
  readonly args: readonly string[];
  readonly bugs?: readonly BugName[];
  /** A command that runs it, such as `['strace', '-f', '--']`; absent: it is started directly. */
  readonly wrapper?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Then it is killed and counts as hanging. Milliseconds; default 30,000. */
  readonly timeoutMs?: number;
}

/** The error in the product's document. */
export interface ProductError {
  readonly code: string;
  readonly message: string;
  readonly hint: string | null;
  readonly details: Readonly<Record<string, unknown>>;
}

/** How a run of the product ended. */
export interface ProductRun {
  /** `undefined` when a signal ended it. */
  readonly exitCode: number | undefined;
  readonly signal: string | undefined;
  readonly timedOut: boolean;
  readonly stdout: Buffer;
  readonly stderr: string;
  /** The document on standard output, when there is exactly one. */
  readonly document: ProductDocument | undefined;
  readonly durationMs: number;
}

/** What `--json` prints, as far as suites look at it. */
export interface ProductDocument {
  readonly exitCode: number;
  readonly data: Readonly<Record<string, unknown>> | null;
  readonly error: ProductError | null;
}

/** Process groups that are not known to have ended, with their command lines. */
const groups = new Map<number, string>();
process.on('exit', () => groups.forEach((_, leader) => killGroup(leader)));

/** Kills everything that was started to work on `directory`: a tracer that is killed leaves its process running. */
export function killStrays(directory: string): void {
  for (const [leader, line] of groups) if (line.includes(directory)) killGroup(leader);
}

/**
 * Starts the product as a child process of its own, which leads a process group; the promise is also the handle of the
 * process. At the timeout the whole group is killed: the death of a tracer alone lets its process stand, and its pipes open.
 */
export function startProduct(options: ProductOptions) {
  const { args, bugs = [], wrapper = [], environment = {}, cwd, timeoutMs = 30_000 } = options;
  const program = bugs.length === 0 ? launcher : modules;
  const [file, ...rest] = [...wrapper, process.execPath, program, ...args, '--json'];
  const run = execa(file, rest, {
    detached: true,
    ...(cwd === undefined ? {} : { cwd }),
    extendEnv: false,
    env: childEnvironment({ ...bugEnvironment(bugs), ...environment }),
    encoding: 'buffer',
    maxBuffer: 64 * 1_048_576,
    stdin: 'ignore',
    reject: false,
    stripFinalNewline: false,
    timeout: timeoutMs,
    killSignal: 'SIGKILL',
  });
  const { pid } = run;
  if (pid === undefined) return run;
  groups.set(pid, [file, ...rest].join(' '));
  const timer = setTimeout(() => killGroup(pid), timeoutMs + 100);
  const forget = (): void => {
    clearTimeout(timer);
    groups.delete(pid);
  };
  run.then(forget, forget);
  return run;
}

function killGroup(leader: number): void {
  try {
    process.kill(-leader, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** Runs the product to its end. */
export async function runProduct(options: ProductOptions): Promise<ProductRun> {
  return endOf(await startProduct(options));
}

/** What a started product ended with. */
export function endOf(result: Awaited<ReturnType<typeof startProduct>>): ProductRun {
  const stdout = Buffer.from(result.stdout);
  return {
    exitCode: result.exitCode,
    signal: result.signal,
    timedOut: result.timedOut,
    stdout,
    stderr: Buffer.from(result.stderr).toString(),
    document: documentOf(stdout),
    durationMs: result.durationMs,
  };
}

function documentOf(stdout: Buffer): ProductDocument | undefined {
  try {
    return JSON.parse(stdout.toString()) as ProductDocument;
  } catch {
    return undefined;
  }
}

const stackTrace = /^\s+at .+:\d+:\d+\)?$/mu;

/**
 * What no run may do, whatever was done to it: hang, die of a signal of its own, print a stack trace, answer without its
 * document, or call a fault of its surroundings a bug.
 *
 * @param killed - true when the suite itself killed it
 */
export function misbehaviour(run: ProductRun, { killed = false } = {}): string[] {
  if (run.timedOut) return ['it hung until it was killed'];
  if (killed) return [];
  const found: string[] = [];
  if (run.signal !== undefined) found.push(`it died of ${run.signal}`);
  if (stackTrace.test(run.stderr)) found.push(`a stack trace: ${excerpt(run.stderr)}`);
  if (run.signal === undefined && run.document === undefined)
    found.push(`no document: ${excerpt(run.stdout.toString())} ${excerpt(run.stderr)}`);
  const { error, exitCode } = run.document ?? {};
  if (error?.code === 'INTERNAL') found.push(`called a bug: ${error.message}`);
  if (error != null && !error.hint) found.push(`${error.code} without a hint: ${error.message}`);
  if (exitCode !== undefined && exitCode !== run.exitCode)
    found.push(`the document says ${exitCode}, the process ${run.exitCode}`);
  return found;
}

/** Exit code and error code in short, for reports. */
export function endingOf(run: ProductRun): string {
  const end = run.signal ?? `exit ${run.exitCode}`;
  const { error } = run.document ?? {};
  return error == null ? end : `${end} ${error.code}: ${error.message}`;
}

function excerpt(text: string): string {
  return JSON.stringify(text.trim().slice(0, 300));
}
