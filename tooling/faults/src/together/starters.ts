import { openHandle } from '@deespec/sqlite-adapter';
import { rmSync } from 'node:fs';
import { join } from 'node:path';

import { mustSucceed } from '../operation.js';
import type { Place } from '../place.js';
import { endingOf, misbehaviour, runProduct, type ProductRun } from '../product.js';
import type { BugName } from '../seeded-bugs.js';
import { newest } from '../schema/schema-place.js';
import { withCopy } from '../state.js';

/** Processes that are started at the same instant. */
const STARTERS = { ci: 8, full: 50 } as const;

interface Starting {
  readonly share: keyof typeof STARTERS;
  readonly bugs: readonly BugName[];
}

/** Many processes bring one database of schema version 1 up to date at once: each script is applied once. */
export async function upgradeAtOnce(place: Place, starting: Starting): Promise<string[]> {
  await mustSucceed(place, ['schema', 'down', '--to', '1', '--yes', '--home', place.home]);
  const runs = await startAll(['schema', 'up', '--home', place.home], starting);
  const worked = runs.filter(
    ({ document }) => (document?.data?.['applied'] as unknown[] | undefined)?.length,
  );
  return [...wrongWith(runs), ...wrongCount(worked.length, 'upgraded it'), ...(await wrongRecords(place))];
}

/** Many processes migrate a tree without a database at once: one makes it. */
export async function createAtOnce(place: Place, starting: Starting): Promise<string[]> {
  rmSync(place.database);
  rmSync(join(place.home, '.storage'), { recursive: true });
  const runs = await startAll(['migrate', '--home', place.home], starting);
  const worked = runs.filter(({ document }) => document?.data?.['outcome'] === 'created');
  return [...wrongWith(runs), ...wrongCount(worked.length, 'created it'), ...(await wrongRecords(place))];
}

function startAll(args: readonly string[], { share, bugs }: Starting): Promise<ProductRun[]> {
  return Promise.all(
    Array.from({ length: STARTERS[share] }, () => runProduct({ args, bugs, timeoutMs: 180_000 })),
  );
}

/** Each works, finds nothing to do, or is told who works. */
function wrongWith(runs: readonly ProductRun[]): string[] {
  return runs.flatMap((run) => {
    const isKeptOut = run.exitCode === 75 && run.document?.error?.code === 'LOCK.HELD';
    return [...misbehaviour(run), ...(run.exitCode === 0 || isKeptOut ? [] : [endingOf(run)])];
  });
}

function wrongCount(count: number, did: string): string[] {
  return count === 1 ? [] : [`${count} processes ${did}`];
}

async function wrongRecords(place: Place): Promise<string[]> {
  const versions = await withCopy(place, async (copy) => {
    const handle = openHandle(copy, 'write');
    try {
      return handle.prepare('SELECT version FROM schema_version ORDER BY version').pluck().all() as number[];
    } finally {
      handle.close();
    }
  });
  const isWhole = versions.length === newest && versions.every((version, i) => version === i + 1);
  return isWhole ? [] : [`the database has records of versions ${versions.join()}`];
}
