import { StorageError, timeFromDate } from '@deespec/domain';
import { writeFileDurably } from '@deespec/file-adapter';
import { lstatSync, unlinkSync } from 'node:fs';

import type { HomePaths } from '../home.js';
import { readRegular } from '../read-regular.js';
import { syncPath } from '../sync-path.js';

/** Since when API writes are refused, and by which command. */
export interface Stopped {
  /** UTC, fixed width. */
  readonly since: string;
  readonly command: string;
}

/**
 * Why API writes are refused, or `undefined`. A record that cannot be understood stops the tree like any other.
 *
 * @throws StorageError `FILE.*`, `LAYOUT.MALFORMED` when it is no file
 */
export function readStopped(paths: HomePaths): Stopped | undefined {
  const text = readRegular(paths.stopped)?.toString('utf8');
  if (text === undefined) return undefined;
  const { since, command } = parsed(text);
  return {
    since: typeof since === 'string' ? since : sinceOf(paths),
    command: typeof command === 'string' ? command : 'an unknown command',
  };
}

/**
 * Refuses a change while the tree is stopped. Asked under the shared barrier, so that no change is under way once the stopped
 * state stands.
 *
 * @throws StorageError `STORAGE.STOPPED`
 */
export function requireStarted(paths: HomePaths): void {
  const stopped = readStopped(paths);
  if (stopped === undefined) return;
  throw new StorageError(
    'STORAGE.STOPPED',
    `${paths.home} is stopped since ${stopped.since}, by "${stopped.command}"; nothing was changed`,
    { hint: hintFor(stopped), details: { ...stopped } },
  );
}

/** A run that was cut off does not let itself be started over. */
function hintFor({ command }: Stopped): string {
  if (command !== 'cutover' && command !== 'rollback') return 'deespec start';
  return `wait until it ends; when it was cut off, "deespec ${command}" continues it`;
}

/** Refuses changes from now on, durably. Runs under the exclusive barrier. */
export function writeStopped(paths: HomePaths, command: string): void {
  const stopped: Stopped = { since: timeFromDate(new Date()), command };
  writeFileDurably({
    kind: 'file',
    target: paths.stopped,
    bytes: Buffer.from(`${JSON.stringify(stopped)}\n`),
    mode: 0o600,
  });
}

/** Lets changes in again, durably. Runs under the exclusive barrier. @returns whether they were refused */
export function removeStopped(paths: HomePaths): boolean {
  if (lstatSync(paths.stopped, { throwIfNoEntry: false }) === undefined) return false;
  unlinkSync(paths.stopped);
  syncPath(paths.own);
  return true;
}

function parsed(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

function sinceOf(paths: HomePaths): string {
  return timeFromDate(lstatSync(paths.stopped).mtime);
}
