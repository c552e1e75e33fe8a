import { lstatSync, type BigIntStats } from 'node:fs';
import { join } from 'node:path';

import { homePaths, type HomePaths } from './home.js';

/** Parts of a tree that are looked at apart. */
export const pulseAreas = [
  'status',
  'sbis',
  'audit',
  'config',
  'conflicts',
  'quarantine',
  'backups',
] as const;
export type PulseArea = (typeof pulseAreas)[number];

/** A text for each part; another one than before: something of it may have changed. */
export type Pulse = Readonly<Record<PulseArea, string>>;

/**
 * Tells cheaply whether a tree may have changed since the last look: by `lstat` of some twenty paths, whatever its size, and without
 * opening any. What the API, the commands and the workflow tool do shows; an edit by hand deep below `specs/` may not.
 *
 * @throws StorageError `TREE.NOT_FOUND`
 */
export function readPulse({ home }: { readonly home: string }): Pulse {
  const paths = homePaths(home);
  const seen = new Map<string, string>();
  const lookAt = (path: string): string => {
    const known = seen.get(path) ?? lookOf(path);
    seen.set(path, known);
    return known;
  };
  const parts = partsOf(paths);
  return Object.fromEntries(
    pulseAreas.map((area) => [area, parts[area].map(lookAt).join(' ')]),
  ) as unknown as Pulse;
}

function partsOf(paths: HomePaths): Readonly<Record<PulseArea, readonly string[]>> {
  const at = (...names: readonly string[]): string => join(paths.home, ...names);
  const database = [paths.database, `${paths.database}-wal`];
  const changes = [...database, join(paths.own, 'audit.ndjson'), at('journal'), at('var', 'journal.ndjson')];
  const settings = [at('setting.json'), at('workflow.json'), at('etc', 'workflow.yaml')];
  const conflicts = [join(paths.own, 'conflicts')];
  const { epoch, run, runs, stopped, modeChange, processes, backups, rehearsalRecord, restore } = paths;
  const state = [epoch, run, runs, stopped, modeChange, processes, rehearsalRecord, restore];
  return {
    status: [...database, ...settings, ...conflicts, ...state, backups, join(paths.own, 'dirty'), at('var')],
    sbis: [...changes, at('specs', 'sbi'), at('var', 'state.json')],
    audit: changes,
    config: [...changes, ...settings],
    conflicts,
    quarantine: database,
    backups: [backups],
  };
}

function lookOf(path: string): string {
  const stat = statOf(path);
  // A log without frames comes and goes with whoever opens the database.
  if (stat === undefined || (path.endsWith('-wal') && stat.size === 0n)) return '-';
  return `${stat.ino}.${stat.size}.${stat.mtimeNs}`;
}

/** What cannot be looked at is as if it were not there: whoever asks for it is told why. */
function statOf(path: string): BigIntStats | undefined {
  try {
    return lstatSync(path, { bigint: true, throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}
