import { join } from 'node:path';
import { mkdirSync, rmSync } from 'node:fs';

import { whyNot } from '../capabilities.js';
import { eachInParallel } from '../parallel.js';
import { seededBugs, type BugName } from '../seeded-bugs.js';
import type { Bad, Share, Suite, SuiteContext } from '../suite.js';
import { backups } from './backups.js';
import { cutover } from './cutover.js';
import { fuzz } from './fuzz.js';
import { interloper } from './interloper.js';
import { kill } from './kill.js';
import { lies } from './lies.js';
import { lint } from './lint.js';
import { power } from './power.js';
import { unavailable } from './unavailable.js';
import { writers } from './writers.js';

interface Finder {
  readonly suite: Suite;
  readonly only: string;
  /** `full` where few of the points show the bug; the suite ends at the first that does. */
  readonly share?: Share;
  /** Takes long: not in the CI share. */
  readonly isSlow?: true;
  /** Where the points are that show it; absent: anywhere. */
  readonly near?: RegExp;
}

/** Which suites must find a bug, the fastest first, and in which operation. */
const finders: Readonly<Partial<Record<BugName, readonly Finder[]>>> = {
  'no-fsync': [
    { suite: lint, only: 'migrate' },
    { suite: power, only: 'migrate' },
  ],
  'no-directory-fsync': [{ suite: lint, only: 'migrate' }],
  'publish-before-verify': [{ suite: lies, only: 'migrate', share: 'full' }],
  'verify-skipped': [{ suite: lies, only: 'migrate', share: 'full', isSlow: true }],
  'publish-by-rename': [{ suite: interloper, only: 'migrate' }],
  'leftover-not-removed': [{ suite: kill, only: 'migrate' }],
  'barrier-not-taken': [{ suite: interloper, only: 'migrate' }],
  'digest-from-importer': [{ suite: lies, only: 'migrate', share: 'full', isSlow: true }],
  'column-text-unchecked': [{ suite: fuzz, only: 'migrate' }],
  'debt-after-change': [
    { suite: lint, only: 'config.dual_write' },
    { suite: kill, only: 'config.dual_write', share: 'full', near: /\/dirty\//u },
  ],
  'debt-cleared-early': [
    { suite: kill, only: 'config.sqlite', share: 'full', near: /\/\.tmp-deespec-|\/setting\.json/u },
  ],
  'acknowledged-early': [{ suite: power, only: 'config.file' }],
  'commit-not-synced': [
    { suite: lint, only: 'config.sqlite' },
    { suite: power, only: 'config.sqlite', share: 'full' },
  ],
  'transaction-split': [{ suite: kill, only: 'config.sqlite', share: 'full', near: /deespec\.db-wal/u }],
  'append-repeated': [{ suite: kill, only: 'status-b.file', share: 'full', near: /\/audit\.ndjson/u }],
  'intent-not-synced': [
    { suite: lint, only: 'create.dual_write' },
    { suite: power, only: 'create.dual_write', share: 'full' },
  ],
  'replaced-not-kept': [
    { suite: lint, only: 'config.file' },
    { suite: interloper, only: 'execution-again.dual_write', share: 'full' },
  ],
  'words-not-followed': [
    // Behind the commit: the rows are there, and nothing writes them again.
    { suite: kill, only: 'execution.sqlite', share: 'full', near: /conflicts\/replaced/u, isSlow: true },
  ],
  'deferred-begin': [{ suite: writers, only: 'sqlite', isSlow: true }],
  'clear-without-comparing': [{ suite: writers, only: 'sqlite', isSlow: true }],
  'epoch-unchecked': [{ suite: unavailable, only: 'asleep dual_write-sqlite-file', isSlow: true }],
  'schema-record-apart': [
    { suite: kill, only: 'schema-up-3', share: 'full', near: /\/\.deespec\/deespec\.db/u, isSlow: true },
  ],
  'repair-split': [
    { suite: kill, only: 'repair.file', share: 'full', near: /deespec\.db(?:-journal)?[">]/u, isSlow: true },
  ],
  'backup-not-synced': [{ suite: lint, only: 'prune' }],
  'backup-without-log': [{ suite: backups, only: 'sqlite document', isSlow: true }],
  'backup-at-any-moment': [{ suite: backups, only: 'dual_write document', isSlow: true }],
  'restore-unproven': [{ suite: backups, only: 'sqlite document', isSlow: true }],
  'restore-unrecorded': [
    { suite: kill, only: 'restore.sqlite', share: 'full', near: /\/trash\/[^/]+\/tree/u, isSlow: true },
  ],
  'prune-takes-newest': [{ suite: kill, only: 'prune', share: 'full', isSlow: true }],
  'cutover-unproven': [{ suite: cutover, only: 'decayed', isSlow: true }],
  'stopped-ignored': [
    { suite: kill, only: 'cutover-dual', share: 'full', near: /\/\.storage\/run"/u, isSlow: true },
  ],
  'mode-change-unrecorded': [{ suite: kill, only: 'mode-file-dual_write', share: 'full', near: /\/epoch"/u }],
};

/** Switches each seeded bug on: a bug that no suite notices means that the suites prove nothing. */
export const selftest: Suite = {
  name: 'selftest',
  about: 'each seeded bug must be noticed by a suite',
  needs: ['strace'],
  run: async (context) => {
    const bad: Bad[] = [];
    const chosen = (Object.keys(finders) as BugName[]).filter((name) => isChosen(context, name));
    const facts = Object.fromEntries(chosen.map((bug) => [bug, 'not noticed']));
    // Several bugs at a time, one case of each: most of the time of a search goes into preparing it, one command after the other.
    await eachInParallel(chosen, context.workers, async (bug) => {
      const start = Date.now();
      const found = await findBug({ ...context, workers: 1 }, bug);
      context.say(`  ${bug}: ${found ?? 'NOT NOTICED'}, ${Math.round((Date.now() - start) / 1000)} s`);
      if (found === undefined)
        bad.push({ point: bug, what: `no suite noticed that ${seededBugs[bug].about}` });
      else facts[bug] = found;
    });
    return { points: chosen.length, bad, facts };
  },
};

function isChosen({ only, share }: SuiteContext, name: BugName): boolean {
  if (only.length > 0) return only.includes(name);
  return share === 'full' || finders[name]!.some(({ isSlow }) => isSlow !== true);
}

/** The suites that notice the bug: all of them in the full share, the first in the CI share. */
async function findBug(context: SuiteContext, bug: BugName): Promise<string | undefined> {
  const found: string[] = [];
  for (const { suite, only, share = 'ci', near } of finders[bug] ?? []) {
    if (suite.needs.some((need) => whyNot(need) !== undefined)) continue;
    const directory = join(context.directory, `${bug}-${suite.name}`);
    mkdirSync(directory);
    const say = (): void => undefined;
    const asked = { share, only: [only], bugs: [bug], enough: 1, ...(near === undefined ? {} : { near }) };
    const report = await suite.run({ ...context, ...asked, directory, say });
    rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
    if (report.bad.length > 0) found.push(`${suite.name} (${report.bad.length} of ${report.points})`);
    if (found.length > 0 && context.share === 'ci') break;
  }
  return found.length === 0 ? undefined : found.join(', ');
}
