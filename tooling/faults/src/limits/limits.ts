import { mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A limit of a process, and what must come of it. */
export interface Limit {
  readonly name: string;
  /** The command that sets it and runs the rest of its arguments. */
  readonly wrapper: readonly string[];
  /** True when the product must work within it; else it may also stop, with 74. */
  readonly isEnough: boolean;
  /** True when the kernel may kill the process for it. */
  readonly kills?: boolean;
  /** Removes what the limit needed. */
  readonly end?: () => void;
}

const FEW_FILES = [24, 28, 32, 40, 48, 64, 128, 256] as const;
const SMALL_FILES = [0, 4_096, 65_536, 262_144] as const;

/** Limits on open files: Node itself needs about 20, this program about 40. Source: measured. */
export function fileLimits(): Limit[] {
  return FEW_FILES.map((files) => ({
    name: `${files} open files`,
    wrapper: ['prlimit', `--nofile=${files}`],
    isEnough: files >= 64,
  }));
}

/** Limits on the size of a file: a write up to it is cut short, the next one fails. */
export function sizeLimits(): Limit[] {
  return SMALL_FILES.map((bytes) => ({
    name: `files of ${bytes} bytes`,
    wrapper: ['prlimit', `--fsize=${bytes}`],
    isEnough: false,
  }));
}

/** A limit on the memory of the process and of what it caches. Source: cgroups(7), version 1. */
export function memoryLimit(mebibytes: number, name: string): Limit {
  const group = join('/sys/fs/cgroup/memory', name);
  mkdirSync(group);
  writeFileSync(join(group, 'memory.limit_in_bytes'), `${mebibytes * 1_048_576}`);
  return {
    name: `${mebibytes} MiB of memory`,
    wrapper: ['sh', '-c', `echo $$ > ${group}/tasks && exec "$@"`, 'sh'],
    isEnough: mebibytes >= 256,
    kills: mebibytes < 256,
    end: () => rmdirSync(group),
  };
}
