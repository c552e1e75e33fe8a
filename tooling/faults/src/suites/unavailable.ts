import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { whyNot } from '../capabilities.js';
import { makePlace, type Place } from '../place.js';
import { endingOf, misbehaviour, runProduct } from '../product.js';
import type { Bad, Share, Suite, SuiteContext } from '../suite.js';
import { ITEM, unavailableCases, type UnavailableCase } from '../unavailable/cases.js';
import { LiveService } from '../unavailable/live-service.js';
import { sleeperCases } from '../unavailable/sleepers.js';
import { Proofs } from '../writers/check-tree.js';
import { makeShared } from '../writers/shared-items.js';

/** How long a store cannot be written, milliseconds. */
const FAULT_MS: Readonly<Record<Share, number>> = { ci: 8_000, full: 60_000 };

/** A process that lives tries again at least once in this time, milliseconds. */
const DRAIN_MS = 60_000;

/** Writes of the service during the fault. */
const WRITES = 4;

export const unavailable: Suite = {
  name: 'unavailable',
  about: 'the second store cannot be written for a while, or a process sleeps through changes of mode',
  needs: [],
  run: async (context) => {
    const bad: Bad[] = [];
    const facts: Record<string, number | string> = {};
    let points = 0;
    const note = (name: string, { wrong, fact }: Outcome): void => {
      points += 1;
      facts[name] = fact;
      bad.push(...wrong.map((what) => ({ point: name, what })));
      context.say(`  ${name}: ${fact}, ${wrong.length} wrong`);
      for (const what of wrong) context.say(`    ${what}`);
    };
    const isAsked = (name: string): boolean =>
      context.only.length === 0 || context.only.some((word) => name.includes(word));
    for (const one of unavailableCases.filter(({ name }) => isAsked(name))) {
      const why = one.needs.map((need) => whyNot(need)).find((reason) => reason !== undefined);
      if (why !== undefined) facts[one.name] = `skipped: ${why}`;
      else note(one.name, await unavailableFor(context, one));
    }
    for (const one of sleeperCases.filter(({ name, needs }) => isAsked(name) && !needs.some(whyNot))) {
      const directory = join(context.directory, one.name.replaceAll(' ', '-'));
      mkdirSync(directory);
      note(one.name, await one.run({ directory, bugs: context.bugs }));
    }
    return { points, bad, facts };
  },
};

interface Outcome {
  readonly wrong: readonly string[];
  readonly fact: string;
}

async function unavailableFor(context: SuiteContext, one: UnavailableCase): Promise<Outcome> {
  const directory = join(context.directory, one.name.replaceAll(' ', '-'));
  mkdirSync(directory);
  const place = makePlace(join(directory, 'place'));
  await makeShared(place, 'document', one.mode);
  const { bugs, share } = context;
  const trial = new Trial(place, new LiveService(place, 'before', bugs), bugs);
  await trial.open();
  const fault = await one.begin(place, { pid: trial.service.program.pid, directory });
  try {
    await trial.duringFault(one, FAULT_MS[share]);
  } finally {
    await fault.end();
  }
  if (!fault.wasHit()) trial.wrong.push('the fault was not seen to happen');
  const drainedMs = await trial.drain();
  await trial.prove(one);
  return { wrong: trial.wrong, fact: `drained after ${drainedMs} ms, slowest call ${trial.slowestMs} ms` };
}

/** A service that is at work before the fault, one that starts during it, and what `status` says. */
class Trial {
  readonly wrong: string[] = [];
  slowestMs = 0;
  private title = '';
  private latecomer: LiveService | undefined;

  constructor(
    private readonly place: Place,
    readonly service: LiveService,
    private readonly bugs: SuiteContext['bugs'],
  ) {}

  async open(): Promise<void> {
    await this.service.ready();
    await this.write(this.service, 'made before');
    while ((await this.debt()) !== 0) await sleep(100);
  }

  async duringFault({ meetsAll }: UnavailableCase, faultMs: number): Promise<void> {
    const endsAt = performance.now() + faultMs;
    for (let n = 1; n <= WRITES; n += 1) await this.write(this.service, `during ${n}`);
    if (meetsAll) {
      this.latecomer = new LiveService(this.place, 'latecomer', this.bugs);
      await this.latecomer.ready();
      await this.write(this.latecomer, 'by a process that started during it');
    }
    if ((await this.debt()) === 0) this.wrong.push('status shows no debt while one store is behind');
    await sleep(Math.max(0, endsAt - performance.now()));
  }

  /** Waits until nothing is owed, without any further write. @returns milliseconds */
  async drain(): Promise<number> {
    const started = performance.now();
    let debt: unknown;
    while ((debt = await this.debt()) !== 0 && performance.now() - started < DRAIN_MS) await sleep(250);
    const tookMs = Math.round(performance.now() - started);
    if (debt !== 0) this.wrong.push(`a process that lives still owes ${String(debt)} after ${tookMs} ms`);
    await this.service.stop();
    await this.latecomer?.stop();
    return tookMs;
  }

  async prove({ mode }: UnavailableCase): Promise<void> {
    const proofs = new Proofs(this.place, this.bugs);
    const first = await proofs.succeed(['sync']);
    const wrote = first.document?.data?.['wrote'];
    if (wrote !== 0) this.wrong.push(`sync wrote ${String(wrote)} after everything was drained`);
    this.wrong.push(...(await proofs.all(mode)));
    const conflicts = (await proofs.conflicts()).length;
    if (conflicts > 0) this.wrong.push(`${conflicts} conflicts`);
    const { document } = await proofs.succeed(['sbi', 'show', ITEM]);
    if (!JSON.stringify(document).includes(JSON.stringify(this.title))) {
      this.wrong.push(`the last title ${this.title} is not there`);
    }
  }

  private async write(service: LiveService, title: string): Promise<void> {
    const { outcome, tookMs } = await service.write(ITEM, title);
    this.slowestMs = Math.max(this.slowestMs, tookMs);
    if (outcome === 'ok') this.title = title;
    else this.wrong.push(`a caller was told ${outcome}`);
  }

  private async debt(): Promise<unknown> {
    const run = await runProduct({ args: ['status', '--home', this.place.home], bugs: this.bugs });
    this.wrong.push(...misbehaviour(run).map((what) => `status: ${what}`));
    if (run.exitCode !== 0) this.wrong.push(`status: ${endingOf(run)}`);
    return (run.document?.data?.['debt'] as { readonly count?: number } | undefined)?.count;
  }
}
