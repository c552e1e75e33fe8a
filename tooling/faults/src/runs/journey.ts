import { Random } from '@deespec/trees';

import { lookAtTree } from '../dual/tree-state.js';
import type { Place } from '../place.js';
import { endingOf, misbehaviour, runProduct, type ProductRun } from '../product.js';
import type { SuiteContext } from '../suite.js';
import { Proofs } from '../writers/check-tree.js';
import { contentsOf, differences, type Contents } from './contents.js';
import type { JourneyWriters } from './journey-writers.js';
import { runKilled, type Instant } from './killed-command.js';

/** How often a journey is killed, and how much is written on it. */
export interface JourneySize {
  /** Of cut-over, restore and rollback together. */
  readonly kills: number;
  /** Acknowledged writes of each process between the first cut-over and the last rollback. */
  readonly writes: number;
}

/** Kills in one command, until it is let alone. */
const KILLS_EACH = 5;

/** Commands of one period. */
const COMMANDS = 3;

/** Most changes of what a command notes down about itself. */
const CHANGES = 12;

/** A tree goes to the database and back to its files, again and again. After each kill one store holds everything. */
export class Journey {
  readonly wrong: string[] = [];
  kills = 0;
  private readonly random: Random;
  private readonly killsEach: number;
  /** How long a command takes that nobody kills, milliseconds. */
  private longestMs = 2_000;

  constructor(
    private readonly context: SuiteContext,
    private readonly place: Place,
    private readonly parts: { readonly size: JourneySize; readonly writers: JourneyWriters },
  ) {
    this.random = new Random(context.seed);
    this.killsEach = Math.min(KILLS_EACH, Math.ceil(parts.size.kills / COMMANDS));
  }

  async run(): Promise<string> {
    const { size, writers } = this.parts;
    const periods = Math.ceil(size.kills / (COMMANDS * this.killsEach));
    for (let period = 1; this.kills < size.kills && this.wrong.length === 0; period += 1) {
      await this.insist(['cutover', '--yes'], [contentsOf(await lookAtTree(this.place), 'files')]);
      const part = Math.min(1, period / periods);
      this.wrong.push(...(await writers.write(period, Math.ceil(size.writes * part))));
      await this.bringBack(period);
      await this.insist(['rollback', '--yes'], [await this.stored()]);
      if (this.wrong.length === 0) this.wrong.push(...(await writers.compare()));
    }
    if (this.wrong.length > 0) return `${this.kills} kills`;
    const proofs = new Proofs(this.place, this.context.bugs);
    this.wrong.push(...(await proofs.all('file')));
    return `${this.kills} kills, ${writers.made} writes, a command takes ${this.longestMs} ms at most`;
  }

  /** A backup is made, something is changed, and the backup is brought back. */
  private async bringBack(period: number): Promise<void> {
    if (this.wrong.length > 0) return;
    const made = await this.command('backup', 'create');
    const backedUp = await this.stored();
    await this.command('config', 'set', 'setting.max_turns', String(100 + period));
    await this.command('sbi', 'create', '--title', 'After the backup');
    const words = ['restore', String(made.document?.data?.['id']), '--yes'];
    await this.insist(words, [backedUp, await this.stored()]);
    const state = await lookAtTree(this.place);
    for (const store of ['files', 'database'] as const) {
      const differing = differences(backedUp, contentsOf(state, store));
      if (differing.length > 0)
        this.wrong.push(
          `restored, and the ${store} are not as backed up: ${differing.slice(0, 5).join(', ')}`,
        );
    }
    const { wrote } = (await this.command('sync')).document?.data ?? {};
    if (wrote !== 0) this.wrong.push(`a sync right after a restore wrote ${String(wrote)} times`);
  }

  private async stored(): Promise<Contents> {
    return contentsOf(await lookAtTree(this.place), 'database');
  }

  /** Runs a command that must succeed. */
  private async command(...words: readonly string[]): Promise<ProductRun> {
    const { bugs } = this.context;
    const run = await runProduct({ args: [...words, '--home', this.place.home], bugs, timeoutMs: 120_000 });
    const wrong = misbehaviour(run);
    if (run.exitCode !== 0) wrong.push(endingOf(run));
    this.wrong.push(...wrong.map((what) => `${words.join(' ')}: ${what}`));
    return run;
  }

  /** Runs a command again and again, killed in turn at a random instant and when it notes something down, until it says that it is done. */
  private async insist(words: readonly string[], truths: readonly Contents[]): Promise<void> {
    if (this.wrong.length > 0) return;
    const { bugs } = this.context;
    for (let attempt = 1; ; attempt += 1) {
      const isKilled = attempt <= this.killsEach && this.kills < this.parts.size.kills;
      const at = isKilled ? this.instant() : undefined;
      const ended = await runKilled(this.place, words, { at, bugs });
      if (ended.exitCode === 0) {
        this.longestMs = Math.max(this.longestMs, Math.round(ended.durationMs));
        return;
      }
      if (!isKilled || ended.signal !== 'SIGKILL') {
        this.wrong.push(...misbehaviour(ended), `${words[0]}, attempt ${attempt}: ${endingOf(ended)}`);
        return;
      }
      this.kills += 1;
      await this.judge(words[0]!, truths);
    }
  }

  private instant(): Instant {
    if (this.random.chance(0.5)) return { afterMs: this.random.int(100, this.longestMs) };
    return { changes: this.random.int(1, CHANGES) };
  }

  /** Directly after a kill one store holds everything, and `status` says what is to be done. */
  private async judge(command: string, truths: readonly Contents[]): Promise<void> {
    const state = await lookAtTree(this.place);
    const losses = truths.flatMap((truth) =>
      (['files', 'database'] as const).map((store) => differences(truth, contentsOf(state, store))),
    );
    const [least] = losses.sort((a, b) => a.length - b.length);
    if (least!.length > 0)
      this.wrong.push(`${command} killed: neither store holds all: ${least!.slice(0, 5).join(', ')}`);
    const status = await runProduct({ args: ['status', '--home', this.place.home] });
    if (status.exitCode !== 0) this.wrong.push(`${command} killed: status: ${endingOf(status)}`);
    this.wrong.push(...misbehaviour(status));
  }
}
