import { createHash } from 'node:crypto';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A directory in which an operation works: a project with its `.deespec`, and room beside it. */
export interface Place {
  readonly directory: string;
  /** The `.deespec` directory. */
  readonly home: string;
  readonly database: string;
  /** Where an export goes. */
  readonly output: string;
}

/** What stands beside the tree and must never change. */
const CANARY = 'canary.txt';

/** The names below `directory`. */
export function placeIn(directory: string): Place {
  const home = join(directory, 'project', '.deespec');
  return { directory, home, database: join(home, 'deespec.db'), output: join(directory, 'out', 'copy') };
}

/** Makes an empty place. */
export function makePlace(directory: string): Place {
  const place = placeIn(directory);
  mkdirSync(join(directory, 'project'), { recursive: true });
  mkdirSync(join(directory, 'out'));
  writeFileSync(join(directory, CANARY), 'beside the tree\n');
  return place;
}

/** A fresh copy of a place: bytes, modes, times and links. What stood at `directory` is removed. */
export function copyPlace(from: Place, directory: string): Place {
  rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
  execFileSync('cp', ['-a', '--', from.directory, directory]);
  return placeIn(directory);
}

/** True when nothing was written beside the tree but the export's output. */
export function isCanaryAlive({ directory }: Place): boolean {
  const names = readdirSync(directory).sort().join(' ');
  const file = join(directory, CANARY);
  return names === `${CANARY} out project` && readFileSync(file, 'utf8') === 'beside the tree\n';
}

/** SHA-256 of a file that nobody has open, or `undefined` when there is none. */
export function hashOf(file: string): string | undefined {
  return existsSync(file) ? createHash('sha256').update(readFileSync(file)).digest('hex') : undefined;
}
