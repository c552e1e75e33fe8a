import { rmSync } from 'node:fs';
import { join } from 'node:path';

import { backupOperations } from '../backup/backup-operations.js';
import { FaultTally, runFaulted, settle } from '../faulted-run.js';
import type { Operation } from '../operation.js';
import { eachInParallel, sample } from '../parallel.js';
import { makeTemplate, traceOperation, type Template } from '../points.js';
import { endingOf, misbehaviour, type ProductRun } from '../product.js';
import type { Suite, SuiteContext } from '../suite.js';
import { eachOperation } from '../sweep.js';
import { describeCall, touches, type Call } from '../trace.js';

/** What each call can fail with. Source: the manual page of each, section 2. */
const errorsOf: Readonly<Record<string, readonly string[]>> = {
  openat: ['EMFILE', 'ENFILE', 'EACCES', 'EROFS', 'ENOSPC', 'EIO'],
  read: ['EIO'],
  pread64: ['EIO'],
  getdents64: ['EIO', 'EACCES'],
  statx: ['EACCES', 'EIO'],
  newfstatat: ['EACCES', 'EIO'],
  readlink: ['EIO'],
  write: ['ENOSPC', 'EDQUOT', 'EIO'],
  pwrite64: ['ENOSPC', 'EDQUOT', 'EIO'],
  fsync: ['EIO'],
  fdatasync: ['EIO'],
  syncfs: ['EIO'],
  rename: ['EIO', 'EXDEV', 'EACCES'],
  link: ['EPERM', 'EMLINK', 'EIO'],
  unlink: ['EIO', 'EBUSY'],
  rmdir: ['EIO', 'EBUSY'],
  mkdir: ['ENOSPC', 'EACCES'],
  symlink: ['ENOSPC', 'EIO'],
  ftruncate: ['EIO'],
  fchmod: ['EPERM', 'EIO'],
  chmod: ['EPERM', 'EIO'],
  utimensat: ['EPERM', 'EIO'],
  fcntl: ['EIO', 'ENOLCK', 'EAGAIN'],
};

/** Most injections per operation: a whole sweep stays below an hour on 2 cores. */
const MOST = { ci: { job: 3, tree: 1 }, full: { job: 300, tree: 60 } } as const;

/** Operations that write into the tree in the CI share. */
const CI_TREES = 2;

/** Exit codes that say "the machine", as opposed to "your data" or "our bug". */
const honest = new Set([74, 75, 77]);

/** Every kind of system call fails, once or from then on; each with the errors that it can have. */
export const errors: Suite = {
  name: 'errors',
  about: 'system calls fail, once or from then on; the error must be typed, the state old or new',
  needs: ['strace'],
  run: async (context) => {
    const tally = new FaultTally(context.say);
    const facts: Record<string, number> = { reported: 0, 'rode through': 0 };
    await eachOperation(context, { most: CI_TREES, rare: backupOperations }, async (operation, slots) => {
      const template = await makeTemplate(context.directory, operation);
      const all = await injectionsOf(context, template);
      const kind = operation.writesTree ? 'tree' : 'job';
      const chosen = sample(
        all,
        Math.min(context.points ?? Infinity, MOST[context.share][kind]),
        context.seed,
      );
      await eachInParallel(chosen, slots.length, async (injection, at) => {
        const outcome = await failAt(context, template, { ...injection, worker: slots[at]!, tally });
        if (outcome !== undefined) facts[outcome] = facts[outcome]! + 1;
      });
      context.say(`  ${operation.name}: ${chosen.length} of ${all.length}, ${tally.bad.length} bad so far`);
    });
    return { points: tally.points, bad: tally.bad, facts: { ...facts, ...tally.facts } };
  },
};

interface Failure {
  readonly point: Call;
  readonly error: string;
  readonly reach: 'once' | 'on';
}

/** Node itself aborts at its end when it cannot set its terminals back, so a `fcntl` fails once only. */
const onceOnly = new Set(['fcntl']);

/** Each call in the place with each of its errors, both ways, dealt out so that a sample has some of everything. */
async function injectionsOf({ bugs }: SuiteContext, template: Template): Promise<Failure[]> {
  const { trace, place } = await traceOperation(template, { bugs, calls: Object.keys(errorsOf) });
  rmSync(place.directory, { recursive: true, force: true });
  const inPlace = trace.calls.filter((call) => call.pid === trace.mainPid && touches(call, place.directory));
  const rename = (text: string): string => text.replaceAll(place.directory, template.place.directory);
  return inPlace.flatMap((call) => {
    const point = { ...call, args: rename(call.args) };
    return errorsOf[call.name]!.flatMap((error) => [
      { point, error, reach: 'once' as const },
      ...(onceOnly.has(call.name) ? [] : [{ point, error, reach: 'on' as const }]),
    ]);
  });
}

async function failAt(
  context: SuiteContext,
  template: Template,
  { point, error, reach, worker, tally }: Failure & { worker: number; tally: FaultTally },
): Promise<'reported' | 'rode through' | undefined> {
  const { operation, place } = template;
  const directory = join(context.directory, `worker-${worker}`);
  const failed = await runFaulted(context, template, { point, fault: `error=${error}`, reach, directory });
  if (failed === undefined) {
    tally.missed += 1;
    return undefined;
  }
  const isSuccess = failed.run.exitCode === operation.exitCode;
  const wrong = misbehaviour(failed.run);
  if (!isSuccess && !isHonest(failed.run, { point, error }) && !isLeftBehind(operation, failed.run)) {
    wrong.push(`exit ${failed.run.exitCode} for a fault of the machine`);
  }
  const settled = await settle(context, template, failed);
  wrong.push(...settled.wrong);
  if (!isSuccess && settled.left === 'new' && isChange(operation) && !saysNew(failed.run))
    wrong.push('the change is there, and the error does not say that it may be');
  const name = `${operation.name}: ${error} ${reach} at ${describeCall(point, place.directory)}`;
  tally.note(
    name,
    wrong.map((what) => `${what} (${endingOf(failed.run)})`),
    settled.left,
  );
  return isSuccess ? 'rode through' : 'reported';
}

/** True for a `sync` that says of which single paths it failed, and did all others. */
function isLeftBehind({ kind }: Operation, { exitCode, document }: ProductRun): boolean {
  const failed = (document?.data?.['failed'] ?? []) as readonly unknown[];
  return kind.startsWith('sync-') && exitCode === 3 && failed.length > 0;
}

const harmless: readonly string[] = ['export', 'verify', 'backup', 'prune'];

/** True for what changes data that somebody relies on: an export or a backup that is complete does no harm. */
function isChange(operation: Operation): boolean {
  return operation.writesTree || !harmless.includes(operation.kind);
}

/** True for an error that tells of a publication that was made, or may have been. */
function saysNew({ document }: ProductRun): boolean {
  const { code, message } = document?.error ?? {};
  return code === 'FILE.OUTCOME_UNKNOWN' || message?.includes('is published') === true;
}

/**
 * A fault of the machine must not be called a fault of the data. But SQLite itself calls a page damaged that the disk cannot
 * read, and the product says that this can be meant. Source: SQLITE_IOERR_CORRUPTFS in `unixRead` of SQLite's os_unix.c.
 */
function isHonest(
  { exitCode, document }: ProductRun,
  { point, error }: Pick<Failure, 'point' | 'error'>,
): boolean {
  if (exitCode === undefined || honest.has(exitCode)) return true;
  if (point.name !== 'pread64' || error !== 'EIO') return false;
  return document?.error?.code === 'DATABASE.CORRUPT' || (exitCode === 2 && document?.error == null);
}
