import { isStorageError, systemError, timeFromDate } from '@deespec/domain';
import { removeTree } from '@deespec/file-adapter';
import { closeSync, constants, openSync, readdirSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { hostname } from 'node:os';
import { basename, join } from 'node:path';

import type { HomePaths } from './home.js';
import { bornOf, hasEnded } from './process-facts.js';
import { makeOwnDirectory } from './own-directory.js';
import { readRegular } from './read-regular.js';
import type { LockHolder } from './reports.js';

/**
 * Says in `.storage/processes/` who holds the barrier. The lock itself is in the kernel: these files only name, so they are
 * not made durable. Each is made new, never through what stands at its name.
 */
export function announce(paths: HomePaths, command: string, now: Date): () => void {
  makeOwnDirectory(paths.processes);
  const file = join(paths.processes, `${process.pid}.json`);
  removeTree(file);
  return leaveNote(file, selfAs(command, now));
}

/** This process, as it says who it is. */
export function selfAs(command: string, now: Date): Announced {
  const born = bornOf(process.pid);
  const holder = { pid: process.pid, host: hostname(), command, since: timeFromDate(now) };
  return born === undefined ? holder : { ...holder, born };
}

/** Writes a note that must not stand there yet. @returns what removes it */
export function leaveNote(file: string, note: Announced): () => void {
  const descriptor = openSync(file, CREATE_FLAGS, 0o600);
  try {
    writeSync(descriptor, `${JSON.stringify(note)}\n`);
  } catch (error) {
    rmSync(file, { force: true });
    throw error;
  } finally {
    closeSync(descriptor);
  }
  return () => rmSync(file, { force: true });
}

/** What has to do with notes, which without room or permission nobody is kept from his work by: whom it keeps out is told less. */
export function ifPossible<T>(work: () => T, otherwise: T): T {
  try {
    return work();
  } catch (error) {
    const known = systemError(error) ?? error;
    if (isStorageError(known, 'FILE.NO_SPACE') || isStorageError(known, 'FILE.PERMISSION')) return otherwise;
    throw known;
  }
}

/** What a note says. */
export interface Announced extends LockHolder {
  /** See {@link bornOf}; absent where that cannot be told. */
  readonly born?: string;
}

/** Creating a file that must not exist, not even as a symlink. */
const CREATE_FLAGS = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

/** Those who announced themselves and still run, oldest first. */
export function livingHolders(paths: HomePaths): LockHolder[] {
  return notesIn(paths)
    .filter(isOfHolder)
    .flatMap((file) => readNote(file) ?? [])
    .filter(isAlive)
    .map(({ pid, host, command, since }) => ({ pid, host, command, since }))
    .sort((a, b) => (a.since < b.since ? -1 : 1));
}

/** Removes the notes of processes that died, of whatever kind. Only the dead are touched. */
export function removeDeadNotes(paths: HomePaths): void {
  for (const file of notesIn(paths)) {
    const note = readNote(file);
    // Just made by a process that is writing it, or cut off by its end.
    const isWriting = note === undefined && isRunning(pidIn(file));
    if (!isWriting && (note === undefined || !isAlive(note))) removeTree(file);
  }
}

/** Every note that a process left. */
export function notesIn(paths: HomePaths): string[] {
  try {
    return readdirSync(paths.processes).map((name) => join(paths.processes, name));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

/** A note on the barrier; those of who has the tree open have more than an id in their names: see service/registry.ts. */
function isOfHolder(file: string): boolean {
  return !basename(file).includes('-');
}

/** The process that a note is of, by its name; not a number for another file. */
function pidIn(file: string): number {
  return Number(/^\d+(?=[-.])/u.exec(basename(file))?.[0]);
}

/** What a note says; `undefined` when it is gone or was written only in part. */
function readNote(file: string): Announced | undefined {
  try {
    const note = JSON.parse(readRegular(file)?.toString('utf8') ?? 'null') as Announced;
    return note.pid === pidIn(file) ? note : undefined;
  } catch {
    return undefined;
  }
}

/** Another host's processes cannot be seen from here: they count as running. One that got the id of another is not that one. */
export function isAlive({ pid, host, born }: Announced): boolean {
  return host !== hostname() || (isRunning(pid) && (born === undefined || born === bornOf(pid)));
}

/** True when a process of this host has this id and can still run: one that ended but was not waited for does not. */
export function isRunning(pid: number): boolean {
  if (!Number.isSafeInteger(pid) || pid < 1) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  return !hasEnded(pid);
}

/** What a process of this host runs, for people: the names of its program and, behind an interpreter, of its script. */
export function programOf(pid: number): string {
  try {
    const [program = '', script = ''] = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
    const words = [program, script]
      .filter((word) => word !== '' && !word.startsWith('-'))
      .map((word) => basename(word));
    if (words.length > 0) return words.join(' ').slice(0, MOST_NAME);
  } catch {
    // no such file system here, or gone meanwhile
  }
  return 'unknown program';
}

/** Longest name of a program, characters. */
const MOST_NAME = 100;

/** Processes of this host for people, with the command of those who announced themselves: `sync (pid 12)`. */
export function nameProcesses(pids: readonly number[], announced: readonly LockHolder[]): string {
  const names = pids.map((pid) => {
    if (pid < 1) return 'a process that cannot be seen from here';
    const holder = announced.find((one) => one.pid === pid && one.host === hostname());
    return `${holder?.command ?? programOf(pid)} (pid ${pid})`;
  });
  return names.join(', ');
}
