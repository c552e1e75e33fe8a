import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { Random } from '@deespec/trees';
import { lookAtTree, type TreeState } from '../dual/tree-state.js';
import { makePlace, type Place } from '../place.js';
import { endingOf, endOf, misbehaviour, runProduct, startProduct } from '../product.js';
import type { Bad, Share, Suite, SuiteContext } from '../suite.js';
import { wrongEnds } from '../writers/check-calls.js';
import { missingWrites, Proofs } from '../writers/check-tree.js';
import { Crew } from '../writers/crew.js';
import { isAcknowledged, type Call } from '../writers/ledger.js';
import { makeShared, type Layout } from '../writers/shared-items.js';

interface Size {
  /** Of cut-over and rollback together, in each layout. */
  readonly kills: number;
  /** Acknowledged writes of each worker between the first cut-over and the last rollback. */
  readonly writes: number;
}

const sizes: Readonly<Record<Share, Size>> = {
  ci: { kills: 6, writes: 25 },
  full: { kills: 150, writes: 250 },
};

const WORKERS = 4;

/** Kills in one cut-over, or one rollback, until it is let alone. */
const KILLS_EACH = 5;

const layouts: readonly Layout[] = ['document', 'go'];

/**
 * A tree is cut over, written to by four processes, and rolled back, again and again, while cut-over and rollback are killed at random
 * instants. After each kill one store holds everything; in the end the files have every acknowledged write.
 */
export const cutover: Suite = {
  name: 'cutover',
  about:
    'cut-over and rollback are killed at random instants: one store holds all, the same command finishes',
  needs: [],
  run: async (context) => {
    const { only, share, seed } = context;
    const bad: Bad[] = [];
    const facts: Record<string, string> = {};
    let points = 0;
    const asked = layouts.filter((layout, n) =>
      only.length > 0 ? only.includes(layout) : share === 'full' || n === seed % layouts.length,
    );
    for (const layout of asked) {
      const journey = new Journey(context, layout);
      const fact = await journey.run();
      points += journey.kills;
      facts[layout] = fact;
      bad.push(...journey.wrong.map((what) => ({ point: layout, what })));
      context.say(`  ${layout}: ${fact}, ${journey.wrong.length} wrong`);
      for (const what of journey.wrong) context.say(`    ${what}`);
    }
    return { points, bad, facts };
  },
};

/** What a tree holds: hash by path, without what a cut-over changes on purpose and what is ours. */
type Contents = ReadonlyMap<string, string>;

class Journey {
  readonly wrong: string[] = [];
  kills = 0;
  private readonly place: Place;
  private readonly directory: string;
  private readonly random: Random;
  private readonly size: Size;
  /** How long a run takes that nobody kills, milliseconds. */
  private longestMs = 2_000;

  constructor(
    private readonly context: SuiteContext,
    private readonly layout: Layout,
  ) {
    this.directory = join(context.directory, layout);
    mkdirSync(this.directory);
    this.place = makePlace(join(this.directory, 'place'));
    this.random = new Random(context.seed);
    this.size = sizes[context.share];
  }

  async run(): Promise<string> {
    const { kills } = this.size;
    await makeShared(this.place, this.layout, 'file');
    const periods = Math.ceil(kills / (2 * KILLS_EACH));
    let calls: readonly Call[] = [];
    for (let period = 1; this.kills < kills && this.wrong.length === 0; period += 1) {
      await this.insist('cutover', 'files');
      calls = await this.write(period, Math.min(1, period / periods));
      await this.insist('rollback', 'database');
      this.wrong.push(...(await missingWrites(this.place.home, calls)));
    }
    const proofs = new Proofs(this.place, this.context.bugs);
    this.wrong.push(...(await proofs.all('file')));
    const made = calls.filter(isAcknowledged).length;
    return `${this.kills} kills, ${made} writes by ${WORKERS} processes, a run takes ${this.longestMs} ms at most`;
  }

  /** Lets the workers write until they have made a part of their writes; what they did before is in their ledgers. */
  private async write(period: number, part: number): Promise<readonly Call[]> {
    const { seed, bugs } = this.context;
    const crew = new Crew({
      ...{ place: this.place, directory: this.directory, workers: WORKERS, readers: 0, kills: 0 },
      ...{ writes: Math.ceil(this.size.writes * part), hasCheckpoints: false, expects: 'none', bugs },
      seed: seed * 100 + period,
    });
    const report = await crew.finish();
    this.wrong.push(...report.wrong, ...wrongEnds(report.calls));
    return report.calls;
  }

  /** Runs a command again and again, killed at random instants, until it says that it is done. */
  private async insist(command: 'cutover' | 'rollback', truth: 'files' | 'database'): Promise<void> {
    const before = contentsOf(await lookAtTree(this.place), truth);
    for (let attempt = 1; ; attempt += 1) {
      const isKilled = attempt <= KILLS_EACH && this.kills < this.size.kills;
      const args = [command, '--yes', '--home', this.place.home];
      const run = startProduct({ args, bugs: this.context.bugs, timeoutMs: 300_000 });
      if (isKilled) {
        await Promise.race([sleep(this.random.int(100, this.longestMs)), run]);
        run.kill('SIGKILL');
      }
      const ended = endOf(await run);
      if (ended.exitCode === 0) {
        this.longestMs = Math.max(this.longestMs, Math.round(ended.durationMs));
        return;
      }
      if (!isKilled || ended.signal !== 'SIGKILL') {
        this.wrong.push(...misbehaviour(ended), `${command}, attempt ${attempt}: ${endingOf(ended)}`);
        return;
      }
      this.kills += 1;
      await this.judge(command, before);
    }
  }

  /** Directly after a kill one store holds everything, and `status` says what is to be done. */
  private async judge(command: string, before: Contents): Promise<void> {
    const state = await lookAtTree(this.place);
    const losses = (['files', 'database'] as const).map((store) =>
      differences(before, contentsOf(state, store)),
    );
    const [least] = losses.sort((a, b) => a.length - b.length);
    if (least!.length > 0)
      this.wrong.push(`${command} killed: neither store holds all: ${least!.slice(0, 5).join(', ')}`);
    const status = await runProduct({ args: ['status', '--home', this.place.home] });
    if (status.exitCode !== 0) this.wrong.push(`${command} killed: status: ${endingOf(status)}`);
    this.wrong.push(...misbehaviour(status));
  }
}

function contentsOf({ tree, stored }: TreeState, store: 'files' | 'database'): Contents {
  const all: Iterable<readonly [string, string]> =
    store === 'database' ? stored : [...tree].map(([path, { sha256 }]) => [path, sha256] as const);
  return new Map([...all].filter(([path]) => !isPassing(path)));
}

/** The mode stands in `setting.json`; backups and the lock that keeps the workflow tool out come and go. */
function isPassing(path: string): boolean {
  return /^(?:setting\.json|backups(?:\/.*)?|var\/(?:state\.lock|runlock)(?:\/.*)?)$|(?:^|\/)\.tmp-/u.test(
    path,
  );
}

function differences(before: Contents, after: Contents): string[] {
  const paths = new Set([...before.keys(), ...after.keys()]);
  return [...paths].filter((path) => before.get(path) !== after.get(path));
}
