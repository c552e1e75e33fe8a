import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { databaseDigest, treeDigest } from '../backup/backup-looks.js';
import type { Judge, Operation, Verdict } from '../operation.js';
import { copyPlace, isCanaryAlive, type Place } from '../place.js';
import { endingOf, misbehaviour, runProduct, type ProductRun } from '../product.js';
import type { BugName } from '../seeded-bugs.js';
import { residue } from '../state.js';

/** What is known of a run that nothing disturbs. */
interface Expected {
  /** Digests of what is the truth before it, on its way, and after it. */
  readonly truths: ReadonlySet<string>;
  /** Digest of the tree after it. */
  readonly tree: string;
}

/**
 * Judges a cut-over or rollback. Directly after whatever happened at least one store can be read and is the truth; when the same
 * command has run again, the mode is the new one, both stores hold the same, and the tree is what an undisturbed run leaves.
 */
export class RunJudge implements Judge {
  private known: Promise<Expected> | undefined;

  constructor(
    private readonly operation: Operation,
    private readonly place: Place,
    private readonly mode: string,
  ) {}

  async ended(place: Place): Promise<Verdict> {
    const { truths } = await this.expected();
    const wrong = isCanaryAlive(place) ? [] : ['something was written beside the tree'];
    const found = [await treeDigest(place), await databaseDigest(place)];
    if (!found.some((digest) => digest !== undefined && truths.has(digest)))
      wrong.push('neither the files nor the database are what they were or are to be');
    return { wrong };
  }

  async recovered(place: Place, bugs: readonly BugName[]): Promise<Verdict> {
    const { tree } = await this.expected();
    const wrong = await this.wrongWhileStopped(place, bugs);
    const again = await runProduct({ args: this.operation.args(place), bugs, timeoutMs: 120_000 });
    wrong.push(...misbehaviour(again));
    if (again.exitCode !== this.operation.exitCode) wrong.push(endingOf(again));
    const digest = await treeDigest(place);
    if (digest !== tree) wrong.push('the tree is not what an undisturbed run leaves');
    const verified = await this.ask(place, ['verify', '--check-all'], bugs);
    if (verified.exitCode !== 0) wrong.push(`verify: ${endingOf(verified)}`);
    const mode = (await this.ask(place, ['mode'], bugs)).document?.data?.['mode'];
    if (mode !== this.mode) wrong.push(`the mode is ${String(mode)}`);
    const left = ['run', 'exchange', 'mode-change', 'stopped'].filter((name) =>
      existsSync(join(place.home, '.storage', name)),
    );
    wrong.push(...left.map((name) => `left behind: .storage/${name}`));
    wrong.push(...residue(place).map((name) => `left behind: ${name}`));
    return { wrong };
  }

  /** While the tree is stopped nothing that a service asks for is acknowledged. */
  private async wrongWhileStopped(place: Place, bugs: readonly BugName[]): Promise<string[]> {
    if (!existsSync(join(place.home, '.storage/stopped'))) return [];
    const run = await this.ask(place, ['config', 'set', 'setting.max_turns', '99'], bugs);
    return run.exitCode === 0 ? ['a change was acknowledged while the tree is stopped'] : [];
  }

  private ask(place: Place, words: readonly string[], bugs: readonly BugName[]): Promise<ProductRun> {
    return runProduct({ args: [...words, '--home', place.home], bugs });
  }

  private expected(): Promise<Expected> {
    return (this.known ??= this.look());
  }

  private async look(): Promise<Expected> {
    const before = [await treeDigest(this.place), await databaseDigest(this.place)];
    const copy = copyPlace(this.place, `${this.place.directory}-expected`);
    try {
      const run = await runProduct({ args: this.operation.args(copy), timeoutMs: 120_000 });
      if (run.exitCode !== this.operation.exitCode) throw new Error(endingOf(run));
      const tree = (await treeDigest(copy))!;
      const known = [...before, tree, await databaseDigest(copy)].filter((digest) => digest !== undefined);
      // Before a rollback the files are not the truth.
      const truths = this.operation.kind.startsWith('rollback') ? known.slice(1) : known;
      return { truths: new Set(truths), tree };
    } finally {
      rmSync(copy.directory, { recursive: true, force: true });
    }
  }
}
