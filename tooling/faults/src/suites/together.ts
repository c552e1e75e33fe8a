import { generateTree } from '@deespec/trees';
import { digestTree } from '@deespec/verifier';
import { appendFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

import { mustSucceed } from '../operation.js';
import { eachInParallel, sample } from '../parallel.js';
import { copyPlace, makePlace, type Place } from '../place.js';
import { endingOf, endOf, misbehaviour, runProduct, startProduct, type ProductRun } from '../product.js';
import { residue } from '../state.js';
import type { Bad, Suite, SuiteContext, SuiteReport } from '../suite.js';
import { createAtOnce, upgradeAtOnce } from '../together/starters.js';
import { commands, didWork, getAlong, wrongRefusal, type TogetherCommand } from '../together/commands.js';

/** How often each pair is started at the same instant. */
const REPEATS = { ci: 1, full: 12 } as const;

/** Trials of one kind, by share. */
const MOST = { ci: 6, full: Infinity } as const;

export const together: Suite = {
  name: 'together',
  about:
    'two commands on one tree, and commands that are stopped or killed: one works, the other is told who does',
  needs: [],
  run: (context) => new Together(context).run(),
};

type Signal = 'SIGKILL' | 'SIGTERM' | 'SIGINT';

/** One thing to try: two commands at the same instant, the second during the first, or a signal to one. */
interface Trial {
  readonly name: string;
  readonly run: (place: Place) => Promise<string[]>;
}

class Together {
  private readonly bad: Bad[] = [];
  private readonly facts = { 'at the same instant': 0, 'kept out': 0, 'stopped by a signal': 0 };
  private source = '';

  constructor(private readonly context: SuiteContext) {}

  async run(): Promise<SuiteReport> {
    const { directory, only, share, workers } = this.context;
    const template = makePlace(join(directory, 'template'));
    generateTree(template.home, { layout: 'mixed', sbis: 30, seed: 1 });
    await mustSucceed(template, ['migrate', '--home', template.home]);
    appendFileSync(join(template.home, 'specs', 'more.md'), 'more\n');
    this.source = (await digestTree(template.home)).digest;
    const known = await this.knownCommands(template);
    const pairs = known.flatMap((a, i) => known.slice(i).map((b) => [a, b] as const));
    const holders = known.filter(({ access }) => access !== 'none');
    const signals = ['SIGKILL', 'SIGTERM', 'SIGINT'] as const;
    const most = MOST[share];
    const trials = [
      ...repeat(
        REPEATS[share],
        pairs.map(([a, b]) => this.atOnce(a, b)),
        most,
      ),
      ...sample(
        holders.flatMap((a) => known.map((b) => this.during(a, b))),
        most,
      ),
      ...sample(
        holders.flatMap((a) => signals.map((signal) => this.signalled(a, signal))),
        most,
      ),
      this.readers(),
      this.starters('many upgrade at once', upgradeAtOnce),
      this.starters('many create at once', createAtOnce),
    ];
    const wanted = trials.filter(({ name }) => only.length === 0 || only.some((word) => name.includes(word)));
    await eachInParallel(wanted, workers, (trial, worker) =>
      this.one(trial, copyPlace(template, join(directory, `worker-${worker}`))),
    );
    return { points: wanted.length, bad: this.bad, facts: { ...this.facts } };
  }

  /** A command that this version does not have is left out. */
  private async knownCommands(place: Place): Promise<TogetherCommand[]> {
    const known: TogetherCommand[] = [];
    for (const command of commands) {
      const run = await runProduct({
        args: command.args(copyPlace(place, join(this.context.directory, 'try')), ''),
      });
      if (run.document?.error?.code !== 'USAGE.INVALID') known.push(command);
    }
    return known;
  }

  private async one(trial: Trial, place: Place): Promise<void> {
    const wrong = await trial
      .run(place)
      .catch((error: unknown) => [`the suite failed: ${(error as Error).stack}`]);
    if ((await digestTree(place.home)).digest !== this.source) wrong.push('the tree changed');
    const next = await runProduct({ args: ['migrate', '--home', place.home], bugs: this.context.bugs });
    if (next.exitCode !== 0) wrong.push(`afterwards: ${endingOf(next)}`);
    wrong.push(
      ...residue({ ...place, output: `${place.output}-a` }).flatMap((name) =>
        /copy-[ab]$/u.test(name) ? [] : [`left behind: ${name}`],
      ),
    );
    for (const what of wrong) this.bad.push({ point: trial.name, what });
  }

  /** Both at the same instant: one at least works, and whom it keeps out is told so. */
  private atOnce(a: TogetherCommand, b: TogetherCommand): Trial {
    return {
      name: `${a.name} and ${b.name} at once`,
      run: async (place) => {
        this.facts['at the same instant'] += 1;
        const children = [this.start(a, place, '-a'), this.start(b, place, '-b')] as const;
        const runs = (await Promise.all(children)).map(endOf);
        const wrong = runs.flatMap((run) => misbehaviour(run));
        const pair = [a, b] as const;
        const failed = runs.flatMap((run, i) => (didWork(pair[i]!, run) ? [] : [i]));
        if (failed.length > 1) wrong.push(`neither works: ${runs.map(endingOf).join('; ')}`);
        if (failed.length === 1)
          wrong.push(...this.refused(pair, runs[failed[0]!]!, children[1 - failed[0]!]!.pid!));
        return wrong;
      },
    };
  }

  private refused(
    [a, b]: readonly [TogetherCommand, TogetherCommand],
    run: ProductRun,
    pid: number,
  ): string[] {
    this.facts['kept out'] += 1;
    if (getAlong(a, b)) return [`one was stopped: ${endingOf(run)}`];
    return wrongRefusal(run, pid).map((what) => `${what}: ${endingOf(run)}`);
  }

  /** The second while the first stands still in the middle of its work; then the first goes on. */
  private during(a: TogetherCommand, b: TogetherCommand): Trial {
    return {
      name: `${b.name} during ${a.name}`,
      run: async (place) => {
        const { child: first } = await this.startHolding(a, place);
        first.kill('SIGSTOP');
        const second = await runProduct({ args: b.args(place, '-b'), bugs: this.context.bugs });
        first.kill('SIGCONT');
        const run = endOf(await first);
        const wrong = [...misbehaviour(run), ...misbehaviour(second)];
        if (!didWork(a, run)) wrong.push(`the first was stopped: ${endingOf(run)}`);
        if (!didWork(b, second)) return [...wrong, ...this.refused([a, b], second, first.pid!)];
        return getAlong(a, b) ? wrong : [...wrong, 'both worked at the same time'];
      },
    };
  }

  /** A signal in the middle; the next run works at once. */
  private signalled(a: TogetherCommand, signal: Signal): Trial {
    return {
      name: `${signal} to ${a.name}`,
      run: async (place) => {
        const { child: first } = await this.startHolding(a, place);
        first.kill('SIGSTOP');
        first.kill(signal);
        first.kill('SIGCONT');
        const run = endOf(await first);
        const next = await runProduct({ args: a.args(place, '-b'), bugs: this.context.bugs });
        const wrong = didWork(a, next) ? [] : [`the next run: ${endingOf(next)}`];
        if (!didWork(a, run)) this.facts['stopped by a signal'] += 1;
        if (signal === 'SIGKILL' || didWork(a, run)) return wrong;
        const expected = signal === 'SIGTERM' ? 143 : 130;
        wrong.push(...misbehaviour(run));
        if (run.exitCode !== expected) wrong.push(`no clean stop with ${expected}: ${endingOf(run)}`);
        return wrong;
      },
    };
  }

  /** Commands that only look must not make a migration fail in its last step. */
  private readers(): Trial {
    return {
      name: 'readers during migrate',
      run: async (place) => {
        let isRunning = true;
        const look = async (args: readonly string[]): Promise<string[]> => {
          const wrong: string[] = [];
          while (isRunning) wrong.push(...misbehaviour(await runProduct({ args, bugs: this.context.bugs })));
          return wrong;
        };
        const looks = [
          look(['status', '--home', place.home]),
          look(['sbi', 'list', '--store', 'sqlite', '--home', place.home]),
        ];
        const run = endOf(await this.start(commands[0]!, place, ''));
        isRunning = false;
        const wrong = (await Promise.all(looks)).flat();
        return run.exitCode === 0 ? wrong : [...wrong, `migrate: ${endingOf(run)}`];
      },
    };
  }

  private starters(name: string, work: typeof upgradeAtOnce): Trial {
    const { share, bugs } = this.context;
    return { name, run: (place) => work(place, { share, bugs }) };
  }

  private start(command: TogetherCommand, place: Place, copy: string) {
    return startProduct({ args: command.args(place, copy), bugs: this.context.bugs, timeoutMs: 60_000 });
  }

  /** Starts a command and waits until it says that it holds the tree. */
  private async startHolding(command: TogetherCommand, place: Place) {
    const child = this.start(command, place, '-a');
    const note = join(place.home, '.storage', 'processes', `${child.pid}.json`);
    const isThere = (): boolean => (statSync(note, { throwIfNoEntry: false })?.size ?? 0) > 0;
    while (!isThere() && child.exitCode === null) await pause(1);
    // Not the child itself: a promise that is returned is waited for.
    return { child };
  }
}

function repeat<T>(times: number, items: readonly T[], most: number): T[] {
  return Array.from({ length: times }, () => sample(items, most)).flat();
}
