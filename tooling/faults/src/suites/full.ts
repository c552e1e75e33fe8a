import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import {
  amountsOfRoom,
  fullCases,
  namesOfRoom,
  readingCommands,
  type FullCase,
  type Room,
} from '../full/cases.js';
import { fillTrees } from '../full/full-trees.js';
import { mountSmallDisk, type SmallDisk } from '../full/tmpfs.js';
import { FaultTally } from '../faulted-run.js';
import { eachInParallel } from '../parallel.js';
import { copyPlace, hashOf, makePlace, type Place } from '../place.js';
import { endingOf, misbehaviour, runProduct, type ProductRun } from '../product.js';
import { judge, residue, stateBefore, type Before } from '../state.js';
import type { Bad, Suite, SuiteContext, SuiteReport } from '../suite.js';

/** Amounts of room between 8 KiB and 4 MiB, by share. */
const AMOUNTS = { ci: 4, full: 96 } as const;

/** Amounts of names, by share. */
const NAMES = { ci: 5, full: 6 } as const;

/** What a command may say when there is no room. */
const noRoom = ['FILE.NO_SPACE', 'PREFLIGHT.NO_SPACE'];

export const full: Suite = {
  name: 'full',
  about:
    'the disk is full from the start or in the middle: nothing is lost, and with room the same command works',
  needs: ['root', 'mount'],
  run: (context) => new FullDisk(context).run(),
};

/** A case with the place it begins with. */
interface Prepared {
  readonly fullCase: FullCase;
  readonly place: Place;
  readonly before: Before;
}

interface Point extends Prepared {
  readonly room: Room;
  readonly name: string;
}

class FullDisk {
  private readonly bad: Bad[] = [];
  private stopped = 0;
  private wentThrough = 0;
  private reads = 0;

  constructor(private readonly context: SuiteContext) {}

  async run(): Promise<SuiteReport> {
    const prepared = await this.prepare();
    const points = prepared.flatMap((one) =>
      [
        ...amountsOfRoom(AMOUNTS[this.context.share]),
        ...namesOfRoom(one.fullCase, NAMES[this.context.share]),
      ].map((room) => ({
        ...one,
        room,
        name: `${one.fullCase.name} with ${room.left} ${room.of} free`,
      })),
    );
    const { workers } = this.context;
    await eachInParallel(points, workers, (point, worker) => this.onSmallDisk(point, worker));
    const reading = prepared.find(({ fullCase }) => fullCase.reads);
    if (reading !== undefined) await this.readWithoutRoom(reading);
    const trees = new FaultTally(this.context.say);
    await fillTrees(this.context, trees);
    const { stopped, wentThrough, reads } = this;
    return {
      points: points.length + reads + trees.points,
      bad: [...this.bad, ...trees.bad],
      facts: {
        'stopped for want of room': stopped,
        'had enough': wentThrough,
        'reading commands without room': reads,
        'changes of the tree': trees.points,
      },
    };
  }

  private async prepare(): Promise<Prepared[]> {
    const prepared: Prepared[] = [];
    const { only } = this.context;
    for (const fullCase of fullCases) {
      if (only.length > 0 && !only.includes(fullCase.name)) continue;
      this.context.say(`preparing ${fullCase.name}`);
      const place = makePlace(join(this.context.directory, fullCase.name.replace(' ', '-')));
      await fullCase.operation.prepare(place);
      prepared.push({ fullCase, place, before: await stateBefore(place) });
    }
    return prepared;
  }

  private async onSmallDisk(point: Point, worker: number): Promise<void> {
    const directory = join(this.context.directory, `worker-${worker}`);
    mkdirSync(directory, { recursive: true });
    const disk = mountSmallDisk(join(directory, 'disk'));
    try {
      await this.one(point, disk, directory);
    } catch (error) {
      this.bad.push({ point: point.name, what: `the suite failed: ${(error as Error).stack}` });
    } finally {
      disk.unmount();
    }
  }

  private async one(point: Point, disk: SmallDisk, directory: string): Promise<void> {
    const { fullCase, room } = point;
    const isTree = fullCase.small === 'tree';
    const copy = copyPlace(point.place, join(isTree ? disk.directory : directory, 'place'));
    const place = isTree ? copy : { ...copy, output: join(disk.directory, 'copy') };
    if (room.of === 'bytes') disk.leaveBytes(room.left);
    else disk.leaveInodes(room.left);
    const run = await this.command(fullCase, place);
    disk.enlarge();
    const wrong = [
      ...misbehaviour(run),
      ...this.wrongEnd(fullCase, run),
      ...(await this.left(point, place, run)),
    ];
    if (run.exitCode === fullCase.operation.exitCode) this.wentThrough += 1;
    else {
      this.stopped += 1;
      wrong.push(...(await this.again(point, place)));
    }
    wrong.push(...residue(place).map((name) => `left behind: ${name}`));
    this.report(point.name, wrong, run);
  }

  private command(fullCase: FullCase, place: Place): Promise<ProductRun> {
    const bugs = [...this.context.bugs, 'space-preflight-skipped' as const];
    return runProduct({ args: fullCase.operation.args(place), bugs, timeoutMs: 120_000 });
  }

  private wrongEnd({ operation, reads }: FullCase, run: ProductRun): string[] {
    if (run.exitCode === operation.exitCode) return [];
    if (reads) return ['a command that reads was stopped'];
    const { code } = run.document?.error ?? {};
    return run.exitCode === 74 && noRoom.includes(code ?? '')
      ? []
      : ['it does not say that there is no room'];
  }

  /** What is wrong with what a first run left: after a failure everything is as it was. */
  private async left({ fullCase, before }: Point, place: Place, run: ProductRun): Promise<string[]> {
    const { wrong, left } = await judge(fullCase.operation, place, before);
    const isNew = run.exitCode === fullCase.operation.exitCode && fullCase.name !== 'dry run';
    if (fullCase.operation.makes === 'evidence') return wrong;
    return left === (isNew ? 'new' : 'old') ? wrong : [...wrong, `it left the ${left} state`];
  }

  /** With room, the same command must succeed by itself. */
  private async again(point: Point, place: Place): Promise<string[]> {
    const run = await this.command(point.fullCase, place);
    const wrong = [...misbehaviour(run), ...(await this.left(point, place, run))];
    if (run.exitCode !== point.fullCase.operation.exitCode) wrong.push(`with room: ${endingOf(run)}`);
    return wrong.map((what) => `then, with room: ${what}`);
  }

  /** Commands that only read work on a disk without one free byte. */
  private async readWithoutRoom({ place }: Prepared): Promise<void> {
    const disk = mountSmallDisk(join(this.context.directory, 'no-room'));
    try {
      const copy = copyPlace(place, join(disk.directory, 'place'));
      const before = hashOf(copy.database);
      disk.leaveBytes(0);
      for (const args of readingCommands) {
        const run = await runProduct({ args: args(copy), bugs: this.context.bugs });
        this.reads += 1;
        const wrong = misbehaviour(run);
        if (run.exitCode !== 0) wrong.push('it was stopped');
        if (hashOf(copy.database) !== before) wrong.push('the database changed');
        this.report(`${args(copy).slice(0, 2).join(' ')} without room`, wrong, run);
      }
    } finally {
      disk.unmount();
    }
  }

  private report(point: string, wrong: readonly string[], run: ProductRun): void {
    for (const what of wrong) this.bad.push({ point, what: `${what} (${endingOf(run)})` });
  }
}
