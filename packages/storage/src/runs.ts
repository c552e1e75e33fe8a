import { rmSync } from 'node:fs';
import { join } from 'node:path';

import { unfinishedRuns } from './database.js';
import type { HomePaths } from './home.js';
import { makeOwnDirectory } from './own-directory.js';

/** Where one run builds its database. */
export interface RunDirectory {
  readonly database: string;
  /** Removes everything the run left. */
  remove(): void;
}

/** Makes the directory of a run, and removes those of runs that crashed. Runs under the exclusive barrier. */
export function beginRun(paths: HomePaths, runId: string): RunDirectory {
  for (const run of unfinishedRuns(paths)) rmSync(join(paths.runs, run), { recursive: true, force: true });
  const directory = join(paths.runs, runId);
  makeOwnDirectory(paths.runs);
  makeOwnDirectory(directory);
  return {
    database: join(directory, 'deespec.db'),
    remove: () => rmSync(directory, { recursive: true, force: true }),
  };
}
