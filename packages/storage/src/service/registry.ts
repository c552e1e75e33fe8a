import { randomBytes } from 'node:crypto';
import { basename, join } from 'node:path';

import type { HomePaths } from '../home.js';
import { makeOwnDirectory } from '../own-directory.js';
import {
  ifPossible,
  isAlive,
  leaveNote,
  notesIn,
  removeDeadNotes,
  selfAs,
  type Announced,
} from '../processes.js';
import { readRegular } from '../read-regular.js';

/** What a process has a tree open for: the background service, `sync --watch`, or the API. */
export type ProcessRole = 'service' | 'watch' | 'api';

const roles: readonly ProcessRole[] = ['service', 'watch', 'api'];

/** A process that has a tree open for long, as it said itself. */
export interface RegisteredProcess extends Announced {
  readonly role: ProcessRole;
  /** Its note; gone when it has let go of the tree. */
  readonly file: string;
}

/** Begins with the id of the process; with a `-`, which tells it from a note about the barrier. */
const NAME = /^(\d+)-[a-z]+-[0-9a-f]+\.json$/u;

/**
 * Says in `.storage/processes/` that this process has the tree open. Locks nothing and is not durable; without room or
 * permission the process works all the same. Removes the notes of those who died. Source: docs/adr/0018.
 *
 * @returns takes the note back; a second call does nothing
 */
export function register(paths: HomePaths, role: ProcessRole, command: string): () => void {
  const say = (): (() => void) => {
    makeOwnDirectory(paths.processes);
    removeDeadNotes(paths);
    const name = `${process.pid}-${role}-${randomBytes(4).toString('hex')}.json`;
    const note = { ...selfAs(command, new Date()), role };
    return leaveNote(join(paths.processes, name), note);
  };
  return ifPossible(say, () => undefined);
}

/** Those who said that they have the tree open and still run, in the order in which they said it. */
export function livingProcesses(paths: HomePaths): RegisteredProcess[] {
  return notesIn(paths)
    .flatMap((file) => readNote(file) ?? [])
    .filter(isAlive)
    .sort((a, b) => (a.since < b.since ? -1 : 1));
}

/** The background service first, then those that watch: a process that has the tree open for several reasons is called by that. */
export function byRole(a: RegisteredProcess, b: RegisteredProcess): number {
  return roles.indexOf(a.role) - roles.indexOf(b.role);
}

/** What a note says; `undefined` when it is none of these, is gone, or was written only in part. */
function readNote(file: string): RegisteredProcess | undefined {
  const pid = Number(NAME.exec(basename(file))?.[1]);
  if (!Number.isSafeInteger(pid)) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(readRegular(file)?.toString('utf8') ?? 'null');
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const { pid: named, host, command, since, born, role: word } = value as Record<string, unknown>;
  const role = roles.find((known) => known === word);
  const isWhole = typeof host === 'string' && typeof command === 'string' && typeof since === 'string';
  if (!isWhole || named !== pid || role === undefined) return undefined;
  return { pid, host, command, since, role, file, ...(typeof born === 'string' ? { born } : {}) };
}
