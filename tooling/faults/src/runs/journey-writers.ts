import { digestTree } from '@deespec/verifier';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { copyPlace, type Place } from '../place.js';
import type { SuiteContext } from '../suite.js';
import { wrongEnds } from '../writers/check-calls.js';
import { missingWrites } from '../writers/check-tree.js';
import { Counters } from '../writers/counters.js';
import { COUNTERS } from '../writers/counts.js';
import { Crew } from '../writers/crew.js';
import { isAcknowledged, type Call } from '../writers/ledger.js';

/** Who writes into a tree while the database is its truth, and how it shows that nothing of it is lost. */
export interface JourneyWriters {
  /** Acknowledged writes so far. */
  readonly made: number;
  /** Lets each of the processes write until it has made so many, over all calls. @returns what went wrong */
  write(period: number, writes: number): Promise<string[]>;
  /** What is wrong with the files after a rollback. */
  compare(): Promise<string[]>;
}

/** Processes that write everything, each call in a ledger. */
export class CrewWriters implements JourneyWriters {
  private calls: readonly Call[] = [];

  constructor(
    private readonly place: Place,
    private readonly context: SuiteContext,
  ) {}

  get made(): number {
    return this.calls.filter(isAcknowledged).length;
  }

  async write(period: number, writes: number): Promise<string[]> {
    const { seed, bugs, directory } = this.context;
    const crew = new Crew({
      ...{ place: this.place, directory, workers: COUNTERS, readers: 0, kills: 0 },
      ...{ writes, hasCheckpoints: false, expects: 'none', bugs },
      seed: seed * 100 + period,
    });
    const report = await crew.finish();
    this.calls = report.calls;
    return [...report.wrong, ...wrongEnds(report.calls)];
  }

  compare(): Promise<string[]> {
    return missingWrites(this.place.home, this.calls);
  }
}

/** Processes that write the same into the tree and into a twin of it that never leaves its files. */
export class TwinWriters implements JourneyWriters {
  made = 0;
  private readonly twin: Place;

  constructor(
    private readonly place: Place,
    private readonly context: SuiteContext,
  ) {
    this.twin = copyPlace(place, join(context.directory, 'twin'));
  }

  async write(_period: number, writes: number): Promise<string[]> {
    const wrong: string[] = [];
    for (const [name, place] of Object.entries({ tree: this.place, twin: this.twin })) {
      const directory = join(this.context.directory, `ledgers-${name}`);
      mkdirSync(directory, { recursive: true });
      const { bugs } = this.context;
      const counters = new Counters({
        ...{ place, directory, bugs: place === this.twin ? [] : bugs },
        ...{ until: writes, pauseMs: 0, clock: 'fixed' },
      });
      wrong.push(...(await counters.finish()).map((what) => `${name}: ${what}`));
      this.made = counters.progress().reduce((sum, { acknowledged }) => sum + acknowledged, 0);
    }
    return wrong;
  }

  async compare(): Promise<string[]> {
    const tree = await this.digestOf(this.place);
    const twin = await this.digestOf(this.twin);
    if (tree === twin) return [];
    return [`the digest is ${tree}, that of a tree that never left its files ${twin}`];
  }

  /** In which order independent processes come to their lines of the journal is chance. */
  private async digestOf(place: Place): Promise<string> {
    const copy = copyPlace(place, join(this.context.directory, 'compared'));
    const journal = join(copy.home, 'var/journal.ndjson');
    const lines = readFileSync(journal, 'utf8').split('\n');
    writeFileSync(journal, lines.sort().join('\n'));
    return (await digestTree(copy.home)).digest;
  }
}
