import { measure } from '@deespec/bench';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { largeTrees, type LargeTree } from '../limits/large-trees.js';
import { fileLimits, memoryLimit, sizeLimits, type Limit } from '../limits/limits.js';
import { operations, type JobOperation } from '../operation.js';
import { eachInParallel, sample } from '../parallel.js';
import { copyPlace, makePlace, placeIn, type Place } from '../place.js';
import { endingOf, misbehaviour, runProduct, type ProductRun } from '../product.js';
import { launcher } from '../settings.js';
import { judge, residue, stateBefore, type Before } from '../state.js';
import type { Bad, Suite, SuiteContext, SuiteReport } from '../suite.js';

/** Most resident memory that any command may take, whatever the tree. */
const MOST_BYTES = 256 * 1_048_576;

/** Size of the large trees and number of limits on open files, by share. */
const SCALE = { ci: 0.01, full: 1 } as const;
const LIMITS = { ci: 2, full: Infinity } as const;

export const limits: Suite = {
  name: 'limits',
  about:
    'few open files, small files, little memory, large trees: it works or stops with a code, and stays below 256 MiB',
  needs: ['root', 'cgroup'],
  run: (context) => new Limits(context).run(),
};

class Limits {
  private readonly bad: Bad[] = [];
  private readonly peaks: Record<string, string> = {};
  private points = 0;

  constructor(private readonly context: SuiteContext) {}

  async run(): Promise<SuiteReport> {
    const { share } = this.context;
    const memory = [128, 256, 512].map((mebibytes) =>
      memoryLimit(mebibytes, `deespec-faults-${process.pid}-${mebibytes}`),
    );
    try {
      const limited = [
        ...sample(fileLimits(), LIMITS[share]),
        ...sample(sizeLimits(), LIMITS[share]),
        ...memory,
      ];
      const { only } = this.context;
      const wanted = operations.filter(({ name }) => only.length === 0 || only.includes(name));
      for (const operation of wanted) await this.within(operation, limited);
    } finally {
      for (const { end } of memory) end?.();
    }
    for (const tree of largeTrees(SCALE[share])) await this.large(tree);
    return { points: this.points, bad: this.bad, facts: this.peaks };
  }

  /** One command within each limit. */
  private async within(operation: JobOperation, limited: readonly Limit[]): Promise<void> {
    const { directory, workers } = this.context;
    const template = makePlace(join(directory, operation.name));
    await operation.prepare(template);
    const before = await stateBefore(template);
    await eachInParallel(limited, workers, async (limit, worker) => {
      const place = copyPlace(template, join(directory, `worker-${worker}`));
      await this.one({ operation, limit, place, before });
    });
  }

  private async one(point: {
    operation: JobOperation;
    limit: Limit;
    place: Place;
    before: Before;
  }): Promise<void> {
    const { operation, limit, place, before } = point;
    this.points += 1;
    const run = await this.command(operation, place, limit.wrapper);
    const isKilled =
      limit.kills === true && run.exitCode !== operation.exitCode && run.document === undefined;
    const wrong = misbehaviour(run, { killed: isKilled });
    if (run.exitCode !== operation.exitCode && !isKilled && (limit.isEnough || run.exitCode !== 74))
      wrong.push('it neither works nor stops with 74');
    const { wrong: left } = await judge(operation, place, before);
    wrong.push(...left);
    // A verification that could neither record nor undo its evidence leaves the undoing to the next command.
    const isUndone = operation.makes === 'evidence' && !limit.isEnough;
    if (run.exitCode !== operation.exitCode || isUndone) {
      const next = await this.command(operation, place, []);
      if (next.exitCode !== operation.exitCode) wrong.push(`without the limit: ${endingOf(next)}`);
    }
    wrong.push(...residue(place).map((name) => `left behind: ${name}`));
    this.report(
      `${operation.name} with ${limit.name}`,
      wrong.map((what) => `${what} (${endingOf(run)})`),
    );
  }

  private command(operation: JobOperation, place: Place, wrapper: readonly string[]): Promise<ProductRun> {
    return runProduct({ args: operation.args(place), wrapper, bugs: this.context.bugs, timeoutMs: 120_000 });
  }

  /** The commands one after the other on a large tree; each must stay small. */
  private async large(tree: LargeTree): Promise<void> {
    const place = placeIn(join(this.context.directory, 'large'));
    mkdirSync(join(place.directory, 'out'), { recursive: true });
    this.context.say(`writing ${tree.name}`);
    tree.write(place.home);
    const home = ['--home', place.home];
    try {
      await this.peak(tree, 'migrate', ['migrate', ...home]);
      await this.peak(tree, 'look for changes', ['migrate', ...home]);
      writeFileSync(join(place.home, 'specs/more.md'), '# More\n');
      await this.peak(tree, 're-run', ['migrate', ...home]);
      await this.peak(tree, 'verify', ['verify', '--check-all', ...home]);
      await this.peak(tree, 'export', ['export', '--format=files', '--output', place.output, ...home]);
    } finally {
      rmSync(place.directory, { recursive: true, force: true });
    }
  }

  private async peak(tree: LargeTree, name: string, args: readonly string[]): Promise<void> {
    this.points += 1;
    const scale = SCALE[this.context.share];
    const point = `${name} of ${scale === 1 ? '' : `${scale * 100} % of `}${tree.name}`;
    try {
      const { peakBytes = 0 } = await measure({ file: process.execPath, args: [launcher, ...args] });
      this.peaks[point] = `${Math.round(peakBytes / 1_048_576)} MiB`;
      if (peakBytes > MOST_BYTES) this.report(point, [`it took ${peakBytes} bytes of memory`]);
    } catch (error) {
      this.report(point, [(error as Error).message]);
    }
  }

  private report(point: string, wrong: readonly string[]): void {
    for (const what of wrong) this.bad.push({ point, what });
  }
}
