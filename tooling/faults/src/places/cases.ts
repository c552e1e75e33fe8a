import { chmodSync } from 'node:fs';
import { dirname, join } from 'node:path';

import type { Place } from '../place.js';
import { attribute, instead, owner, readOnly, type Mend } from './break.js';

/** The commands that are tried in a bad place. `re-run` is a migration of a tree that changed since the last one. */
export type PlaceCommand = 'migrate' | 're-run' | 'verify' | 'export' | 'status';

/** A bad place: what is wrong with it, and how the command must end there. */
export interface PlaceCase {
  readonly command: PlaceCommand;
  /** In words. */
  readonly wrong: string;
  readonly exitCode: number;
  /** Absent: it works all the same. */
  readonly code?: string;
  readonly spoil: (place: Place) => Mend;
  /** Runs as this other user. */
  readonly asUser?: number;
  /** The export goes here instead. */
  readonly output?: (place: Place) => string;
}

/** Nobody: no name that the machine gives rights to. */
const NOBODY = 65_534;

const own = ({ home }: Place, name: string): string => join(home, '.storage', name);
const project = ({ home }: Place): string => dirname(home);
const out = ({ output }: Place): string => dirname(output);
const nothing = (): Mend => () => undefined;

const denied = { exitCode: 77, code: 'FILE.PERMISSION' } as const;
const unsafe = { exitCode: 77, code: 'DATABASE.UNSAFE_LINK' } as const;
const works = { exitCode: 0 } as const;

const mounts: readonly PlaceCase[] = [
  ...(['migrate', 're-run'] as const).map((command) => ({
    ...{ command, wrong: 'a read-only mount', ...denied },
    spoil: (place: Place) => readOnly(project(place)),
  })),
  ...(['verify', 'export', 'status'] as const).map((command) => ({
    ...{ command, wrong: 'a read-only mount', ...works },
    spoil: (place: Place) => readOnly(project(place)),
  })),
  {
    command: 'export',
    wrong: 'a target on a read-only mount',
    ...denied,
    spoil: (place) => readOnly(out(place)),
  },
];

const attributes: readonly PlaceCase[] = [
  { command: 'migrate', wrong: 'an immutable tree', ...denied, spoil: ({ home }) => attribute('i', home) },
  { command: 're-run', wrong: 'an immutable tree', ...denied, spoil: ({ home }) => attribute('i', home) },
  {
    command: 're-run',
    wrong: 'a tree that may only grow',
    ...denied,
    spoil: ({ home }) => attribute('a', home),
  },
  {
    command: 're-run',
    wrong: 'an immutable database',
    ...denied,
    spoil: ({ database }) => attribute('i', database),
  },
  {
    ...{ command: 're-run', wrong: 'a database that may only grow', ...denied },
    spoil: ({ database }) => attribute('a', database),
  },
  {
    command: 'verify',
    wrong: 'an immutable database',
    ...works,
    spoil: ({ database }) => attribute('i', database),
  },
  {
    command: 're-run',
    wrong: 'an immutable .storage',
    ...denied,
    spoil: (place) => attribute('i', own(place, '')),
  },
  {
    command: 're-run',
    wrong: 'immutable runs',
    ...denied,
    spoil: (place) => attribute('i', own(place, 'runs')),
  },
  {
    ...{ command: 're-run', wrong: 'an immutable processes', ...denied },
    spoil: (place) => attribute('i', own(place, 'processes')),
  },
  {
    ...{ command: 'verify', wrong: 'an immutable processes', ...works },
    spoil: (place) => attribute('i', own(place, 'processes')),
  },
  {
    command: 'export',
    wrong: 'an immutable target',
    ...denied,
    spoil: (place) => attribute('i', out(place)),
  },
];

const owners: readonly PlaceCase[] = [
  {
    ...{
      command: 'migrate',
      wrong: 'root on a tree of another user',
      exitCode: 77,
      code: 'PREFLIGHT.FOREIGN_OWNER',
    },
    spoil: ({ home }) => owner(home, NOBODY),
  },
  ...(['migrate', 're-run'] as const).map((command) => ({
    ...{ command, wrong: 'another user on the tree', ...denied, asUser: NOBODY, spoil: nothing },
  })),
  ...(['verify', 'export'] as const).map((command) => ({
    ...{ command, wrong: 'another user on the tree', ...denied, asUser: NOBODY, spoil: nothing },
  })),
  {
    ...{ command: 'migrate', wrong: 'a file that its user may not read', ...denied, asUser: NOBODY },
    spoil: ({ home }) => {
      const mend = owner(home, NOBODY);
      chmodSync(join(home, 'setting.json'), 0);
      return () => {
        chmodSync(join(home, 'setting.json'), 0o644);
        mend();
      };
    },
  },
];

const kinds: readonly PlaceCase[] = [
  ...(['migrate', 're-run', 'verify', 'export'] as const).map((command) => ({
    ...{ command, wrong: 'a directory instead of the database', ...unsafe },
    spoil: ({ database }: Place) => instead('directory', database),
  })),
  {
    ...{ command: 'status', wrong: 'a directory instead of the database', ...works },
    spoil: ({ database }) => instead('directory', database),
  },
  ...(['re-run', 'verify', 'status'] as const).map((command) => ({
    ...{ command, wrong: 'a directory instead of lock.db', ...unsafe },
    spoil: (place: Place) => instead('directory', own(place, 'lock.db')),
  })),
  {
    ...{
      command: 're-run',
      wrong: 'a directory instead of the epoch',
      exitCode: 65,
      code: 'LAYOUT.MALFORMED',
    },
    spoil: (place) => instead('directory', own(place, 'epoch')),
  },
  {
    command: 'migrate',
    wrong: 'a file instead of .storage',
    ...unsafe,
    spoil: (place) => instead('file', own(place, '')),
  },
  {
    command: 're-run',
    wrong: 'a file instead of runs',
    ...unsafe,
    spoil: (place) => instead('file', own(place, 'runs')),
  },
  {
    command: 'verify',
    wrong: 'a file instead of processes',
    ...unsafe,
    spoil: (place) => instead('file', own(place, 'processes')),
  },
  {
    command: 'export',
    wrong: 'a file instead of the target',
    exitCode: 73,
    code: 'EXPORT.TARGET_NOT_EMPTY',
    spoil: ({ output }) => instead('file', output),
  },
  {
    command: 'export',
    wrong: 'a file instead of the directory of the target',
    exitCode: 66,
    code: 'FILE.NOT_FOUND',
    spoil: (place) => instead('file', out(place)),
  },
  {
    ...{
      command: 'export',
      wrong: 'no directory for the target',
      exitCode: 66,
      code: 'FILE.NOT_FOUND',
      spoil: nothing,
    },
    output: (place) => join(out(place), 'missing', 'copy'),
  },
  {
    command: 'status',
    wrong: 'a file instead of the tree',
    exitCode: 66,
    code: 'TREE.NOT_FOUND',
    spoil: ({ home }) => instead('file', home),
  },
];

export const placeCases: readonly PlaceCase[] = [...mounts, ...attributes, ...owners, ...kinds];
