import { readFileSync } from 'node:fs';

/** One system call of a trace. */
export interface Call {
  readonly pid: number;
  readonly name: string;
  /** As strace prints them, file descriptors with their paths. */
  readonly args: string;
  /** Counted from 1 among the calls of this name and this thread: what `when=` of an injection counts. */
  readonly ordinal: number;
  /** What it returned, as printed: a number, `-1 ENOSPC (...)`, or `?` when it never came back. */
  readonly result: string;
}

/** A trace of strace with `-f -y`, calls in the order in which they began. */
export interface Trace {
  readonly calls: readonly Call[];
  /** The process that was started first; its first thread makes every synchronous call of the product. */
  readonly mainPid: number;
}

/** System calls that change a file system, by strace's names. */
export const mutatingCalls = [
  ...['openat', 'write', 'pwrite64', 'writev', 'pwritev', 'ftruncate', 'fallocate', 'copy_file_range'],
  ...['fsync', 'fdatasync', 'syncfs', 'rename', 'renameat', 'renameat2', 'link', 'linkat'],
  ...['unlink', 'unlinkat', 'mkdir', 'mkdirat', 'rmdir', 'symlink', 'symlinkat'],
  ...['chmod', 'fchmod', 'fchmodat', 'utimensat'],
] as const;

/** Reads a trace that strace wrote with `-f -y -o`. */
export function readTrace(file: string): Trace {
  const lines = readFileSync(file, 'latin1').split('\n');
  const counts = new Map<string, number>();
  const calls: Call[] = [];
  const open = new Map<string, number>();
  for (const line of lines) {
    const resumed = /^(\d+) +<\.\.\. (\w+) resumed>(.*)$/u.exec(line);
    if (resumed !== null) {
      finish(calls, open.get(`${resumed[1]} ${resumed[2]}`), resumed[3]!);
      continue;
    }
    const begun = /^(\d+) +(\w+)\((.*)$/u.exec(line);
    if (begun === null) continue;
    const [, pid, name, rest] = begun as unknown as [string, string, string, string];
    const key = `${pid} ${name}`;
    const ordinal = (counts.get(key) ?? 0) + 1;
    counts.set(key, ordinal);
    open.set(key, calls.length);
    calls.push({ pid: Number(pid), name, ordinal, ...splitResult(rest) });
  }
  return { calls, mainPid: Number(/^(\d+)/u.exec(lines[0] ?? '')?.[1] ?? 0) };
}

function finish(calls: Call[], at: number | undefined, rest: string): void {
  if (at === undefined) return;
  const { args, result } = splitResult(rest);
  calls[at] = { ...calls[at]!, args: calls[at]!.args + args, result };
}

function splitResult(rest: string): { args: string; result: string } {
  const end = rest.lastIndexOf(') = ');
  if (end >= 0) return { args: rest.slice(0, end), result: rest.slice(end + 4) };
  return { args: rest.replace(/ *<unfinished \.\.\.>$/u, ''), result: '?' };
}

/** The calls of the main thread below one of the directories that change something. */
export function changesBelow(trace: Trace, directories: readonly string[]): readonly Call[] {
  return trace.calls.filter(
    (call) =>
      call.pid === trace.mainPid &&
      isChange(call) &&
      directories.some((directory) => touches(call, directory)),
  );
}

/** True when a call names a path below `directory`, or a descriptor of one. */
export function touches({ args }: Call, directory: string): boolean {
  return args.includes(`${directory}/`) || args.includes(`${directory}"`) || args.includes(`${directory}>`);
}

function isChange({ name, args }: Call): boolean {
  if (!(mutatingCalls as readonly string[]).includes(name)) return false;
  return name !== 'openat' || args.includes('O_CREAT') || args.includes('O_TRUNC');
}

/** A call for people: name, number, and the paths in it. */
export function describeCall({ name, ordinal, args }: Call, directory: string): string {
  const paths = [...args.matchAll(/["<]([^"<>]*\/[^"<>]*)[">]/gu)].map(([, path]) =>
    path!.replaceAll(`${directory}/`, ''),
  );
  return `${name} ${ordinal} ${[...new Set(paths)].join(' -> ')}`;
}
