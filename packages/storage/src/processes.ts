import { timeFromDate } from '@deespec/domain';
import { removeTree, writeFileDurably } from '@deespec/file-adapter';
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { hostname } from 'node:os';
import { basename, join } from 'node:path';

import type { HomePaths } from './home.js';
import { readRegular } from './read-regular.js';
import type { LockHolder } from './reports.js';

/** Says in `.storage/processes/` who holds the barrier. The lock itself is in the kernel: these files only name. */
export function announce(paths: HomePaths, command: string, now: Date): () => void {
  mkdirSync(paths.processes, { recursive: true, mode: 0o700 });
  // Written beside and renamed: a link that stands at the name is replaced, not followed.
  const file = join(paths.processes, `${process.pid}.json`);
  const holder: LockHolder = { pid: process.pid, host: hostname(), command, since: timeFromDate(now) };
  writeFileDurably({
    kind: 'file',
    target: file,
    bytes: Buffer.from(`${JSON.stringify(holder)}\n`),
    mode: 0o600,
  });
  return () => rmSync(file, { force: true });
}

/** Those who announced themselves and still run, oldest first. */
export function livingHolders(paths: HomePaths): LockHolder[] {
  return announced(paths)
    .flatMap((file) => readHolder(file) ?? [])
    .filter(isAlive)
    .sort((a, b) => (a.since < b.since ? -1 : 1));
}

/** Removes what crashed processes left. Called by the holder of the exclusive barrier. */
export function removeDeadHolders(paths: HomePaths): void {
  for (const file of announced(paths)) {
    const holder = readHolder(file);
    if (holder === undefined || !isAlive(holder)) removeTree(file);
  }
}

function announced(paths: HomePaths): string[] {
  try {
    return readdirSync(paths.processes).map((name) => join(paths.processes, name));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

/** The holder a file names; `undefined` when it is gone or was written only in part. */
function readHolder(file: string): LockHolder | undefined {
  try {
    const holder = JSON.parse(readRegular(file)?.toString('utf8') ?? 'null') as LockHolder;
    return holder.pid === Number(basename(file, '.json')) ? holder : undefined;
  } catch {
    return undefined;
  }
}

/** Another host's processes cannot be seen from here: they count as running. */
function isAlive({ pid, host }: LockHolder): boolean {
  if (!Number.isSafeInteger(pid) || pid < 1) return false;
  return host !== hostname() || isRunning(pid);
}

/** True when a process of this host has this id and can still run: one that ended but was not waited for does not. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  return !hasEnded(pid);
}

/** Where nobody waits for orphans, as in many containers, a killed process keeps its id. Source: proc(5), "stat". */
function hasEnded(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return /^[ZX]/u.test(stat.slice(stat.lastIndexOf(')') + 2));
  } catch {
    return false; // no such file system here: the signal above has told what can be told
  }
}
