// What the kernel says of a process of this host. Everything here is unknown where there is no /proc.

import { readFileSync, readlinkSync, statSync } from 'node:fs';
import { basename } from 'node:path';

/**
 * Tells one life of a process id from another: the boot of the machine and when, after it, the process began. Source: proc(5),
 * "stat", field 22.
 *
 * @returns `undefined` when there is no such process, or where that cannot be told
 */
export function bornOf(pid: number): string | undefined {
  const ticks = fieldsOf(pid)?.[STARTED];
  bootId ??= read('/proc/sys/kernel/random/boot_id')?.trim();
  return ticks === undefined || bootId === undefined ? undefined : `${bootId}/${ticks}`;
}

let bootId: string | undefined;

/** True for one that nobody waits for, as orphans in many containers: it keeps its id. */
export function hasEnded(pid: number): boolean {
  return /^[ZX]$/u.test(fieldsOf(pid)?.[STATE] ?? '');
}

/** When a process began, by the clock of the machine, to the second. */
export function startedAtMs(pid: number): number | undefined {
  const ticks = fieldsOf(pid)?.[STARTED];
  const boot = /^btime (\d+)$/mu.exec(read('/proc/stat') ?? '')?.[1];
  if (ticks === undefined || boot === undefined) return undefined;
  return (Number(boot) + Number(ticks) / TICKS_PER_SECOND) * 1_000;
}

/** USER_HZ, which is 100 on every Linux that Node runs on. Source: time(7). */
const TICKS_PER_SECOND = 100;

/** The account that a process runs as. */
export function ownerOf(pid: number): number | undefined {
  try {
    return statSync(`/proc/${pid}`).uid;
  } catch {
    return undefined; // gone, or not to be seen
  }
}

/** The name of the file that a process runs, also when it has been replaced since. */
export function executableOf(pid: number): string | undefined {
  const target = link(`/proc/${pid}/exe`);
  return target === undefined ? undefined : basename(target.replace(/ \(deleted\)$/u, ''));
}

/** The directory that a process works in. */
export function directoryOf(pid: number): string | undefined {
  return link(`/proc/${pid}/cwd`);
}

/** Places in {@link fieldsOf}: the third and the 22nd field of the line. */
const STATE = 0;
const STARTED = 19;

/** The fields behind the name of a process, which may hold anything. */
function fieldsOf(pid: number): readonly string[] | undefined {
  const line = read(`/proc/${pid}/stat`);
  return line?.slice(line.lastIndexOf(')') + 2).split(' ');
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return undefined; // gone, or no such file system here
  }
}

function link(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined; // gone, or another user's
  }
}
