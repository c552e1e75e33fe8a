import type { StorageMode } from '@deespec/domain';
import { cpSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { generateTree } from '@deespec/trees';
import { foreignEnds, readForeign, wrongLines } from '../foreign/check-foreign.js';
import type { GoWriterOptions } from '../foreign/go-writer.js';
import { latencies } from '../foreign/latency.js';
import { Watcher } from '../foreign/watcher.js';
import { makePlace, type Place } from '../place.js';
import { endingOf, misbehaviour, runProduct } from '../product.js';
import type { Bad, Share, Suite, SuiteContext } from '../suite.js';
import { ITEM } from '../unavailable/cases.js';
import { LiveService } from '../unavailable/live-service.js';
import { doubleClaims, wrongEnds } from '../writers/check-calls.js';
import { missingWrites, Proofs } from '../writers/check-tree.js';
import { Crew } from '../writers/crew.js';
import { isAcknowledged } from '../writers/ledger.js';
import { Program, startProgram } from '../writers/program.js';
import { makeShared } from '../writers/shared-items.js';

interface Size {
  readonly writes: number;
  readonly samples: number;
  /** SBIs of the tree in which latency is measured. */
  readonly sbis: number;
}

const sizes: Readonly<Record<Share, Size>> = {
  ci: { writes: 150, samples: 10, sbis: 100 },
  full: { writes: 10_000, samples: 100, sbis: 2_000 },
};

/** A foreign write is in the database by then. Source: docs/cli.md, `sync --watch`. */
const IN_STEP_MS = 2_000;

/** How often a change of mode is tried while the tree keeps changing. */
const TRIES = 8;

/** Error codes that calls and commands meet while the tree is busy. */
const BUSY = ['LOCK.HELD', 'GO_TOOL.RUNNING'] as const;

/** Calls may also find that the foreign program took over `var/state.json`, where this layout has its one lease. */
const MEANWHILE = [...BUSY, 'LEASE.NOT_HELD'] as const;

interface Journey {
  readonly name: string;
  readonly from: StorageMode;
  readonly through: readonly StorageMode[];
}

const journeys: readonly Journey[] = [
  { name: 'from file', from: 'file', through: ['dual_write', 'sqlite', 'file'] },
  { name: 'from dual_write', from: 'dual_write', through: ['sqlite', 'file'] },
];

export const foreign: Suite = {
  name: 'foreign',
  about: 'a program that knows nothing of us writes files through changes of mode: none of its bytes is lost',
  needs: [],
  run: async (context) => {
    const bad: Bad[] = [];
    const facts: Record<string, number | string> = {};
    let points = 0;
    const note = (name: string, outcome: Outcome): void => {
      points += outcome.points;
      facts[name] = outcome.fact;
      bad.push(...outcome.wrong.map((what) => ({ point: name, what })));
      context.say(`  ${name}: ${outcome.fact}, ${outcome.wrong.length} wrong`);
      for (const what of outcome.wrong) context.say(`    ${what}`);
    };
    const { only } = context;
    const isAsked = (name: string): boolean => only.length === 0 || only.some((word) => name.includes(word));
    for (const mode of ['dual_write', 'sqlite'] as const) {
      const name = `latency ${mode}`;
      if (isAsked(name)) note(name, await latencyIn(context, mode));
    }
    for (const journey of journeys.filter(({ name }) => isAsked(name))) {
      note(journey.name, await new ForeignTrial(context, journey).run());
    }
    return { points, bad, facts };
  },
};

interface Outcome {
  readonly points: number;
  readonly fact: string;
  readonly wrong: readonly string[];
}

async function latencyIn(
  { directory, share, seed, bugs }: SuiteContext,
  mode: StorageMode,
): Promise<Outcome> {
  const place = makePlace(join(directory, `latency-${mode}`));
  await makeShared(place, 'go', mode);
  const large = join(directory, `large-${mode}`);
  generateTree(large, { layout: 'A', sbis: sizes[share].sbis, seed });
  cpSync(join(large, 'specs/sbi'), join(place.home, 'specs/sbi'), { recursive: true });
  const watcher = new Watcher(place, bugs);
  const taken = await latencies(place, ITEM, sizes[share].samples);
  const wrong = [...(await watcher.stop())];
  const at = (part: number): number => taken[Math.min(taken.length - 1, Math.floor(taken.length * part))]!;
  const late = taken.filter((ms) => ms > IN_STEP_MS).length;
  if (late > 0)
    wrong.push(`${late} of ${taken.length} foreign writes were not in the database after ${IN_STEP_MS} ms`);
  return {
    points: taken.length,
    fact: `${sizes[share].sbis} SBIs, p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, most ${taken.at(-1)} ms`,
    wrong,
  };
}

/** The foreign program, our writers, a service on an item that both change, and the watcher, through changes of mode. */
class ForeignTrial {
  private readonly wrong: string[] = [];
  private readonly place: Place;
  private readonly directory: string;
  private readonly seen = { writes: 0, isPaused: false };
  private refusals = 0;

  constructor(
    private readonly context: SuiteContext,
    private readonly journey: Journey,
  ) {
    this.directory = join(context.directory, journey.name.replaceAll(' ', '-'));
    mkdirSync(this.directory);
    this.place = makePlace(join(this.directory, 'place'));
  }

  async run(): Promise<Outcome> {
    const { bugs, seed } = this.context;
    const { from, through } = this.journey;
    await makeShared(this.place, 'go', from);
    const service = new LiveService(this.place, 'service', bugs);
    await service.ready();
    await this.contest(service, 0);
    const foreigner = this.startForeign();
    const watcher = new Watcher(this.place, bugs);
    const crew = new Crew({
      ...{ place: this.place, directory: this.directory, workers: 2, writes: Infinity, readers: 1, kills: 0 },
      ...{ hasCheckpoints: false, expects: 'busy', seed, bugs },
    });
    for (const [i, mode] of through.entries()) {
      await this.workUntil((i + 1) / (through.length + 1), { foreigner, service });
      if (!(await this.change(mode, foreigner))) break;
    }
    await this.workUntil(1, { foreigner, service });
    const ended = await foreigner.stop();
    if (ended !== undefined) this.wrong.push(`the foreign program: ${ended}`);
    const report = await crew.stop();
    await service.stop();
    this.wrong.push(...report.wrong, ...(await watcher.stop()), ...wrongEnds(report.calls, MEANWHILE));
    this.wrong.push(...doubleClaims(report.calls));
    return this.judge(report.calls);
  }

  private async judge(calls: Parameters<typeof missingWrites>[1]): Promise<Outcome> {
    const { home } = this.place;
    const { document } = await runProduct({ args: ['status', '--home', home] });
    const proofs = new Proofs(this.place, this.context.bugs);
    this.wrong.push(...(await proofs.all(document?.data?.['mode'] as StorageMode)));
    this.wrong.push(...(await missingWrites(home, calls)));
    const writes = readForeign(this.ledger);
    const ends = foreignEnds(home, writes);
    this.wrong.push(...ends.wrong, ...wrongLines(home, writes));
    const conflicts = (await proofs.conflicts()).length;
    const fact =
      `${writes.length} foreign writes, ${calls.filter(isAcknowledged).length} of ours, ${ends.present} paths present, ` +
      `${ends.kept} kept, ${ends.built} built upon, ${conflicts} conflicts, ${this.refusals} refused changes of mode`;
    return { points: writes.length, fact, wrong: this.wrong };
  }

  private get ledger(): string {
    return join(this.directory, 'foreign.ndjson');
  }

  private startForeign(): Program {
    const { seed, share } = this.context;
    const { home } = this.place;
    const options: GoWriterOptions = {
      ...{ home, ledger: this.ledger, seed, contested: ITEM },
      writes: sizes[share].writes,
    };
    return startProgram({
      name: 'foreign/go-writer',
      argument: JSON.stringify(options),
      bugs: [],
      onMessage: (message) => {
        const { writes, paused } = message as { readonly writes?: number; readonly paused?: boolean };
        if (writes !== undefined) this.seen.writes = writes;
        if (paused === true) this.seen.isPaused = true;
      },
    });
  }

  /** Changes the item that the foreign program changes too. */
  private async contest(service: LiveService, n: number): Promise<void> {
    const { outcome } = await service.write(ITEM, `ours ${n}`);
    const mayEnd = ['ok', 'SBI.CHANGED', ...BUSY];
    if (!mayEnd.some((code) => outcome.startsWith(code))) this.wrong.push(`the service was told ${outcome}`);
  }

  /** Goes on until the foreign program has made a part of its writes. */
  private async workUntil(
    part: number,
    { foreigner, service }: { readonly foreigner: Program; readonly service: LiveService },
  ): Promise<void> {
    const due = sizes[this.context.share].writes * part;
    for (let n = 1; this.seen.writes < due && foreigner.isRunning; n += 1) {
      await this.contest(service, n);
      await sleep(100);
    }
  }

  /** Changes the mode as an operator would: refused because the tree keeps changing, the foreign program pauses. */
  private async change(mode: StorageMode, foreigner: Program): Promise<boolean> {
    let ending = '';
    for (let tries = 1; tries <= TRIES; tries += 1) {
      ending = (await this.command(['migrate', '--home', this.place.home])) ?? '';
      if (ending === '')
        ending = (await this.command(['mode', 'set', mode, '--home', this.place.home])) ?? '';
      if (ending === '') break;
      this.refusals += 1;
      await this.pause(foreigner);
    }
    foreigner.send({ pause: false });
    if (ending !== '') this.wrong.push(`mode set ${mode} was refused ${TRIES} times: ${ending}`);
    return ending === '';
  }

  /** @returns how it was refused; `undefined` when it was not, or has nothing to do in this mode */
  private async command(args: readonly string[]): Promise<string | undefined> {
    const run = await runProduct({ args, bugs: this.context.bugs, timeoutMs: 300_000 });
    this.wrong.push(...misbehaviour(run).map((what) => `${args.slice(0, 3).join(' ')}: ${what}`));
    const isNotForThisMode = args[0] === 'migrate' && run.document?.error?.code === 'MODE.REFUSED';
    return run.exitCode === 0 || isNotForThisMode ? undefined : endingOf(run);
  }

  private async pause(foreigner: Program): Promise<void> {
    this.seen.isPaused = false;
    foreigner.send({ pause: true });
    while (!this.seen.isPaused && foreigner.isRunning) await sleep(20);
  }
}
