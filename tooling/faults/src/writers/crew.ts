import { Random } from '@deespec/trees';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import type { Place } from '../place.js';
import type { BugName } from '../seeded-bugs.js';
import { readLedger, type Call } from './ledger.js';
import { Program, startProgram } from './program.js';
import type { Acknowledged, ReaderOptions, Seen, WorkerOptions } from './worker-options.js';

/** Who works on a tree at the same time. */
export interface CrewOptions {
  readonly place: Place;
  /** Where the ledgers are: outside the tree. */
  readonly directory: string;
  readonly workers: number;
  /** Acknowledged writes of each; `Infinity`: until they are stopped. */
  readonly writes: number;
  readonly readers: number;
  /** How often a worker is killed. */
  readonly kills: number;
  /** Also runs checkpoints on the database. */
  readonly hasCheckpoints: boolean;
  readonly expects: WorkerOptions['expects'];
  readonly seed: number;
  readonly bugs: readonly BugName[];
}

/** What came of it. */
export interface CrewReport {
  readonly calls: readonly Call[];
  readonly kills: number;
  readonly looks: number;
  readonly checkpoints: number;
  readonly wrong: readonly string[];
}

interface Seat {
  readonly name: string;
  program: Program;
  life: number;
  acknowledged: number;
}

/** Workers, readers and a checkpointer, each a process of its own. Workers that are killed are started again and go on. */
export class Crew {
  private readonly seats: Seat[];
  private readonly readers: Program[];
  private readonly checkpointer: Program | undefined;
  private readonly random: Random;
  private readonly wrong: string[] = [];
  private readonly looks = new Map<number, number>();
  private checkpoints = 0;
  private kills = 0;

  constructor(private readonly options: CrewOptions) {
    const { workers, readers, place, hasCheckpoints, seed } = options;
    this.random = new Random(seed);
    this.seats = Array.from({ length: workers }, (_, n) => {
      const seat = { name: `w${n + 1}`, life: 1, acknowledged: 0 };
      return Object.assign(seat, { program: this.startWorker(seat) });
    });
    this.readers = Array.from({ length: readers }, (_, n) => this.startReader(n));
    if (hasCheckpoints) {
      this.checkpointer = startProgram({
        name: 'writers/checkpointer',
        argument: place.database,
        bugs: [],
        onMessage: (message) => (this.checkpoints = (message as Seen).looks),
      });
    }
  }

  /** Acknowledged writes so far. */
  get acknowledged(): number {
    return this.seats.reduce((sum, { acknowledged }) => sum + acknowledged, 0);
  }

  /** Kills at random instants, spread over the work, and resolves when every worker has made its writes. */
  async finish(): Promise<CrewReport> {
    const { kills, writes, workers } = this.options;
    while (this.isBusy && this.kills < kills) {
      const due = (writes * workers * (this.kills + 0.5)) / kills;
      if (this.acknowledged >= due) await this.killOne();
      await sleep(10 + this.random.int(0, 30));
    }
    for (const { name, program } of this.seats) this.note(name, await program.end());
    return this.close();
  }

  /** Kills one worker that is at work, and starts it again. */
  async killOne(): Promise<void> {
    const seat = this.random.pick(this.seats);
    if (!seat.program.isRunning) return;
    await seat.program.kill();
    this.kills += 1;
    seat.life += 1;
    seat.program = this.startWorker(seat);
  }

  /** Asks everybody to end. */
  async stop(): Promise<CrewReport> {
    await Promise.all(this.seats.map(async ({ name, program }) => this.note(name, await program.stop())));
    return this.close();
  }

  /** Kills everybody at once. */
  async killAll(): Promise<CrewReport> {
    const programs = [...this.seats.map(({ program }) => program), ...this.readers];
    await Promise.all(programs.map((program) => program.kill()));
    await this.checkpointer?.kill();
    return this.report();
  }

  private async close(): Promise<CrewReport> {
    for (const reader of this.readers) this.note('a reader', await reader.stop());
    this.note('the checkpointer', await this.checkpointer?.stop());
    return this.report();
  }

  private report(): CrewReport {
    const calls = this.seats.flatMap(({ name }) => readLedger(this.ledgerOf(name), name));
    const looks = [...this.looks.values()].reduce((sum, count) => sum + count, 0);
    return { calls, kills: this.kills, looks, checkpoints: this.checkpoints, wrong: this.wrong };
  }

  private get isBusy(): boolean {
    return this.seats.some(({ program }) => program.isRunning);
  }

  private startWorker(seat: { name: string; life: number; acknowledged: number }): Program {
    const { place, writes, seed, bugs, expects } = this.options;
    const { name, life } = seat;
    const options: WorkerOptions = {
      home: place.home,
      ledger: this.ledgerOf(name),
      name,
      life,
      // JSON has no Infinity.
      writes: Math.min(writes, Number.MAX_SAFE_INTEGER),
      seed: seed * 1_000 + Number(name.slice(1)),
      expects,
    };
    return startProgram({
      name: 'writers/worker',
      argument: JSON.stringify(options),
      bugs,
      onMessage: (message) => (seat.acknowledged = (message as Acknowledged).acknowledged),
    });
  }

  private startReader(n: number): Program {
    const { place, seed, bugs, expects } = this.options;
    const options: ReaderOptions = { home: place.home, seed: seed * 1_000 + 500 + n, expects };
    return startProgram({
      name: 'writers/reader',
      argument: JSON.stringify(options),
      bugs,
      onMessage: (message) => {
        const { looks, wrong } = message as Seen;
        this.looks.set(n, looks);
        if (wrong !== undefined) this.wrong.push(`a reader: ${wrong}`);
      },
    });
  }

  private ledgerOf(name: string): string {
    return join(this.options.directory, `${name}.ndjson`);
  }

  private note(who: string, wrong: string | undefined): void {
    if (wrong !== undefined) this.wrong.push(`${who}: ${wrong}`);
  }
}
