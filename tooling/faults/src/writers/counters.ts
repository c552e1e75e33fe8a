import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import type { Place } from '../place.js';
import type { BugName } from '../seeded-bugs.js';
import type { CounterOptions } from './counter-options.js';
import { COUNTERS, progressOf, type Progress } from './counts.js';
import { startProgram, type Program } from './program.js';

/** How counters are started. */
export interface CountersOptions extends Pick<CounterOptions, 'until' | 'pauseMs' | 'clock'> {
  readonly place: Place;
  /** Where their ledgers are: outside the tree. */
  readonly directory: string;
  readonly bugs: readonly BugName[];
}

/** How long a counter may be kept from counting on, milliseconds. */
const PATIENCE_MS = 60_000;

/** Processes that count in one tree, each a number of its own. */
export class Counters {
  /** How often an earlier state of the tree was put in place beneath them. */
  restores = 0;
  private readonly programs: readonly Program[];

  constructor(private readonly options: CountersOptions) {
    const { place, bugs, until, pauseMs, clock } = options;
    this.programs = Array.from({ length: COUNTERS }, (_, at) => {
      const argument: CounterOptions = {
        ...{ home: place.home, ledger: this.ledgerOf(at), counter: at + 1 },
        ...{ until, pauseMs, clock },
      };
      return startProgram({ name: 'writers/counter', argument: JSON.stringify(argument), bugs });
    });
  }

  /** How far each of them is, by its ledger, or was at some time. */
  progress(untilMs?: number): readonly Progress[] {
    return this.programs.map((_, at) => progressOf(this.ledgerOf(at), untilMs));
  }

  /**
   * Waits until each has been told of two more numbers: then what it is told of was written after this call began.
   *
   * @returns what is wrong with those that do not go on
   */
  async goOn(): Promise<string[]> {
    const before = this.progress();
    for (let waitedMs = 0; ; waitedMs += 50) {
      const now = this.progress();
      const late = now.flatMap(({ acknowledged }, at) =>
        acknowledged < before[at]!.acknowledged + 2 ? [at] : [],
      );
      if (late.length === 0) return [];
      const dead = late.filter((at) => !this.programs[at]!.isRunning);
      if (waitedMs > PATIENCE_MS || dead.length > 0)
        return late.map((at) => `counter ${at + 1} does not go on: ${this.programs[at]!.stderr.slice(-300)}`);
      await sleep(50);
    }
  }

  /** Kills those that are at work. */
  async kill(): Promise<void> {
    await Promise.all(this.programs.filter(({ isRunning }) => isRunning).map((program) => program.kill()));
  }

  /** Asks all of them to end. @returns what went wrong with them */
  async stop(): Promise<string[]> {
    return this.ends(await Promise.all(this.programs.map((program) => program.stop())));
  }

  /** Waits until all of them have come to their last number. @returns what went wrong with them */
  async finish(): Promise<string[]> {
    return this.ends(await Promise.all(this.programs.map((program) => program.end())));
  }

  private ends(ends: readonly (string | undefined)[]): string[] {
    const wrong = this.progress().map((progress) =>
      progress.overtaken <= this.restores
        ? progress.wrong
        : [...progress.wrong, `the tree was changed beneath it ${progress.overtaken} times`],
    );
    return ends.flatMap((end, at) =>
      [...wrong[at]!, ...(end === undefined ? [] : [end])].map((what) => `counter ${at + 1}: ${what}`),
    );
  }

  private ledgerOf(at: number): string {
    return join(this.options.directory, `counter-${at + 1}.ndjson`);
  }
}
