import { verifyAudit } from '@deespec/storage';
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import type { Judge, Operation, Verdict } from '../operation.js';
import { copyPlace, isCanaryAlive, type Place } from '../place.js';
import { endingOf, misbehaviour, runProduct, type ProductRun } from '../product.js';
import type { BugName } from '../seeded-bugs.js';
import { residue } from '../state.js';
import { backupResidue, databaseDigest, soundBackups, treeDigest } from './backup-looks.js';
import { keptBytes } from './kept-bytes.js';

/** Digests of the two stores. */
interface Stores {
  readonly files: string | undefined;
  readonly database: string | undefined;
}

/** What is known of a run that nothing disturbs. */
interface Expected {
  readonly before: Stores;
  readonly after: Stores;
  /** Digests of what is the truth before and after. */
  readonly truths: ReadonlySet<string | undefined>;
  /** Hash of each content that stands there before. */
  readonly bytes: ReadonlySet<string>;
  readonly records: number;
  /** The newest verified backup. */
  readonly backup: string;
}

/**
 * Judges a restore in place. Directly after whatever happened one store is the tree that was or that is to be, no content is gone, and
 * either all of it is as before or as after, or `status` names the command that finishes it. When that has run, the tree is what an
 * undisturbed run leaves, nothing is left to do, and the backup is as good as before.
 */
export class RestoreJudge implements Judge {
  private known: Promise<Expected> | undefined;

  constructor(
    private readonly operation: Operation,
    private readonly place: Place,
    private readonly mode: string,
  ) {}

  async ended(place: Place): Promise<Verdict> {
    const expected = await this.expected();
    const { before, after, truths } = expected;
    const wrong = isCanaryAlive(place) ? [] : ['something was written beside the tree'];
    const now = await storesOf(place);
    if (!truths.has(now.files) && !truths.has(now.database))
      wrong.push('neither the files nor the database are what they were or are to be');
    const isBegun = existsSync(join(place.home, '.storage/restore.json'));
    const isWhole = [before, after].some((known) => isSame(known, now));
    if (!isBegun && !isWhole) wrong.push('a part of the restore is there, and nobody is told of it');
    const status = await runProduct({ args: ['status', '--home', place.home] });
    wrong.push(...misbehaviour(status));
    if (namedBy(status) === undefined && isBegun) wrong.push('status does not say how to finish it');
    wrong.push(...(await lostFrom(place, expected)));
    return { wrong };
  }

  async recovered(place: Place, bugs: readonly BugName[]): Promise<Verdict> {
    const expected = await this.expected();
    const named = namedBy(await runProduct({ args: ['status', '--home', place.home] }));
    const same = this.operation.args(place);
    const args = named === undefined ? same : ['restore', named, '--yes', '--home', place.home];
    const again = await runProduct({ args, bugs, timeoutMs: 120_000 });
    const wrong = misbehaviour(again);
    if (again.exitCode !== this.operation.exitCode) wrong.push(endingOf(again));
    const now = await storesOf(place);
    if (!isSame(now, expected.after)) wrong.push('the tree is not what an undisturbed run leaves');
    wrong.push(...(await this.wrongAfterwards(place, bugs)), ...(await lostFrom(place, expected)));
    const left = [...residue(place), ...backupResidue(place)];
    return { wrong: [...wrong, ...left.map((name) => `left behind: ${name}`)] };
  }

  private async wrongAfterwards(place: Place, bugs: readonly BugName[]): Promise<string[]> {
    const wrong: string[] = [];
    const ask = async (...words: string[]): Promise<ProductRun> => {
      const run = await runProduct({ args: [...words, '--home', place.home], bugs });
      if (run.exitCode !== 0) wrong.push(`${words.join(' ')}: ${endingOf(run)}`);
      return run;
    };
    if (this.mode !== 'file') {
      const { wrote } = (await ask('sync')).document?.data ?? {};
      if (wrote !== 0) wrong.push(`a sync right after it wrote ${String(wrote)} times`);
    }
    await ask('verify', '--check-all');
    const { mode } = (await ask('mode')).document?.data ?? {};
    if (mode !== this.mode) wrong.push(`the mode is ${String(mode)}`);
    const { backup, records } = await this.expected();
    await ask('backup', 'verify', backup);
    const audit = await verifyAudit({ home: place.home });
    if (!audit.ok || audit.records.outside < records)
      wrong.push(`${audit.records.outside} audit records of ${records}: ${JSON.stringify(audit.problems)}`);
    return wrong;
  }

  private expected(): Promise<Expected> {
    return (this.known ??= this.look());
  }

  private async look(): Promise<Expected> {
    const before = await storesOf(this.place);
    const bytes = await keptBytes(this.place);
    const backup = [...soundBackups(this.place).keys()].at(-1)!;
    const copy = copyPlace(this.place, `${this.place.directory}-expected`);
    try {
      const run = await runProduct({ args: this.operation.args(copy), timeoutMs: 120_000 });
      if (run.exitCode !== this.operation.exitCode) throw new Error(endingOf(run));
      const after = await storesOf(copy);
      const { records } = await verifyAudit({ home: copy.home });
      const isOfDatabase = this.mode === 'sqlite' && before.database !== undefined;
      const truths = new Set([isOfDatabase ? before.database : before.files, after.files]);
      return { before, after, truths, bytes, records: records.outside, backup };
    } finally {
      rmSync(copy.directory, { recursive: true, force: true });
    }
  }
}

async function storesOf(place: Place): Promise<Stores> {
  return { files: await treeDigest(place), database: await databaseDigest(place) };
}

function isSame(one: Stores, other: Stores): boolean {
  return one.files === other.files && one.database === other.database;
}

/** The backup whose restore is to be finished, by the words of `status`. */
function namedBy({ document }: ProductRun): string | undefined {
  return /^finish the restore: deespec restore (\S+)$/u.exec(String(document?.data?.['nextStep']))?.[1];
}

/** Contents that are nowhere any more, and the backup when it is not what it was. */
async function lostFrom(place: Place, { bytes, backup }: Expected): Promise<string[]> {
  const kept = await keptBytes(place);
  const lost = [...bytes].filter((hash) => !kept.has(hash));
  const wrong = lost.slice(0, 3).map((hash) => `a content that was there before is nowhere: ${hash}`);
  return soundBackups(place).has(backup) ? wrong : [...wrong, `the backup ${backup} is not sound any more`];
}
