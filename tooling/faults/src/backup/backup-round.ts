import type { StorageMode } from '@deespec/domain';
import { checkDatabase, migrate, openStorage, sync, verify, verifyAudit } from '@deespec/storage';
import Database from 'better-sqlite3';
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { makePlace, type Place } from '../place.js';
import { endingOf, misbehaviour, runProduct, type ProductRun } from '../product.js';
import type { SuiteContext } from '../suite.js';
import { Counters } from '../writers/counters.js';
import { COUNTERS, wrongCounts, type Bounds } from '../writers/counts.js';
import { makeShared, type Layout } from '../writers/shared-items.js';

/** In which mode and layout a tree is. */
export interface RoundKind {
  readonly mode: StorageMode;
  readonly layout: Layout;
}

/** One in so many is brought back in place, too, while everybody writes. */
const IN_PLACE_EVERY = 4;

/** Of a restore in place beside services that are busy. */
const ATTEMPTS = 20;

/** Between two attempts, milliseconds. */
const RETRY_MS = 1_000;

/** Between two numbers of a counter, milliseconds. */
const PAUSE_MS = 150;

interface Made {
  readonly id: string;
  readonly path: string;
  readonly bounds: readonly Bounds[];
}

/** Cycles of backup and restore on one tree, while processes count in it. */
export class BackupRound {
  readonly wrong: string[] = [];
  cycles = 0;
  private inPlace = 0;
  private refusals = 0;
  private acknowledged = 0;
  private readonly place: Place;

  constructor(
    private readonly context: SuiteContext,
    private readonly kind: RoundKind,
  ) {
    this.place = makePlace(join(context.directory, 'place'));
  }

  get fact(): string {
    const { cycles, inPlace, refusals, acknowledged } = this;
    return `${cycles} backups, ${inPlace} of them restored in place (busy ${refusals} times), beside ${acknowledged} writes by ${COUNTERS} processes`;
  }

  async run(cycles: number): Promise<void> {
    await makeShared(this.place, this.kind.layout, this.kind.mode);
    const { directory, bugs } = this.context;
    const counters = new Counters({
      ...{ place: this.place, directory, bugs, until: Number.MAX_SAFE_INTEGER },
      ...{ pauseMs: PAUSE_MS, clock: 'own' },
    });
    let made: Made | undefined;
    try {
      this.wrong.push(...(await counters.goOn()));
      while (this.cycles < cycles && this.wrong.length === 0) {
        this.cycles += 1;
        made = await this.cycle(counters);
      }
      this.wrong.push(...(await counters.stop()));
    } finally {
      await counters.kill();
    }
    this.acknowledged = counters.progress().reduce((sum, { acknowledged }) => sum + acknowledged, 0);
    if (made !== undefined && this.wrong.length === 0) await this.alone(made);
  }

  private async cycle(counters: Counters): Promise<Made | undefined> {
    const run = await this.beside(counters, () => this.product('backup', 'create'));
    const after = counters.progress();
    const { id, path, manifest } = run.document?.data ?? {};
    if (run.exitCode !== 0) return undefined;
    const { createdAt } = manifest as { readonly createdAt: string };
    const before = counters.progress(Date.parse(createdAt));
    const bounds = before.map(({ least }, at) => ({ least, most: after[at]!.most }));
    const made = { id: String(id), path: String(path), bounds };
    await this.lookBeside(made);
    if (this.cycles === 1 && this.wrong.length === 0) await this.refuseDamaged(made);
    if (this.cycles % IN_PLACE_EVERY !== 0) return made;
    await this.restoreBeside(made);
    counters.restores += 1;
    this.wrong.push(...(await counters.goOn()));
    return made;
  }

  /** Runs `work` while somebody reads: what was written since he began is in the log of the database, and cannot leave it. */
  private async beside<T>(counters: Counters, work: () => Promise<T>): Promise<T> {
    if (this.kind.mode !== 'sqlite' || this.cycles % 2 === 0) return work();
    const reader = new Database(this.place.database, { readonly: true });
    try {
      reader.exec('BEGIN DEFERRED');
      reader.prepare('SELECT count(*) FROM tree_entry').get();
      this.wrong.push(...(await counters.goOn()));
      return await work();
    } finally {
      reader.close();
    }
  }

  /** Services that are busy may not let go of the database in time: then nothing is changed, and it is worth another try. */
  private async restoreBeside({ id }: Made): Promise<void> {
    const args = ['restore', id, '--with-tree', '--yes', '--home', this.place.home];
    for (let attempt = 1; ; attempt += 1) {
      const run = await runProduct({ args, bugs: this.context.bugs, timeoutMs: 120_000 });
      const isBusy = ['SQLITE.BUSY', 'LOCK.HELD'].includes(run.document?.error?.code ?? '');
      if (isBusy && attempt < ATTEMPTS) {
        this.refusals += 1;
        await sleep(RETRY_MS);
        continue;
      }
      const wrong = misbehaviour(run);
      if (run.exitCode !== 0) wrong.push(endingOf(run));
      this.wrong.push(...wrong.map((what) => `cycle ${this.cycles}: restore in place: ${what}`));
      this.inPlace += 1;
      return;
    }
  }

  /** The tree of a backup as files: whole, and with the right numbers. */
  private async lookBeside({ id, bounds }: Made): Promise<void> {
    const home = join(this.context.directory, 'restored');
    const run = await this.product('restore', id, '--as', home);
    if (run.exitCode !== 0) return;
    await this.prove(home, bounds, async () => {
      const { findings } = await migrate({ home });
      return findings.length === 0 ? [] : [`${findings.length} findings in the tree that came back`];
    });
    rmSync(home, { recursive: true });
  }

  /** In place, with nobody else on the tree. */
  private async alone({ id, bounds }: Made): Promise<void> {
    const { home } = this.place;
    await this.product('restore', id, '--with-tree', '--yes');
    this.inPlace += 1;
    await this.prove(home, bounds, async () => {
      if (this.kind.mode === 'file') return [];
      const { wrote } = await sync({ home });
      return wrote === 0 ? [] : [`a sync right after a restore wrote ${wrote} times`];
    });
  }

  /** The checks of the product say that nothing is wrong, and so do the numbers. */
  private async prove(
    home: string,
    bounds: readonly Bounds[],
    first: () => Promise<readonly string[]>,
  ): Promise<void> {
    const wrong = [...(await first())];
    const verified = await verify({ home, checkAll: true });
    if (!verified.ok) wrong.push(`verify: ${verified.differenceCount} differences`);
    const checked = await checkDatabase({ home });
    if (!checked.ok) wrong.push(`check: ${checked.count} findings`);
    const audit = await verifyAudit({ home });
    if (!audit.ok) wrong.push(`audit verify: ${JSON.stringify(audit.problems)}`);
    const storage = await openStorage({ home });
    try {
      wrong.push(...(await wrongCounts(storage, bounds)));
    } finally {
      await storage.close();
    }
    this.wrong.push(...wrong.map((what) => `backup ${this.cycles}: ${what}`));
  }

  /** A backup of which one byte decayed is refused, and the tree goes on: the next cycles would miss what it took away. */
  private async refuseDamaged({ id, path }: Made): Promise<void> {
    const directory = join(this.context.directory, 'damaged');
    mkdirSync(directory);
    const copy = join(directory, `${id}.db`);
    copyFileSync(`${path}.manifest.json`, `${copy}.manifest.json`);
    const bytes = readFileSync(path);
    const at = bytes.indexOf('# counter-1-1\n');
    if (at < 0) throw new Error(`${path} does not hold the first content`);
    writeFileSync(copy, bytes.fill('!', at, at + 1));
    for (const where of [
      ['--as', join(directory, 'restored')],
      ['--with-tree', '--yes'],
    ]) {
      const args = ['restore', copy, ...where, '--home', this.place.home];
      const run = await runProduct({ args, bugs: this.context.bugs, timeoutMs: 120_000 });
      this.wrong.push(...misbehaviour(run));
      if (run.document?.error?.code !== 'BACKUP.DAMAGED')
        this.wrong.push(`a damaged backup was restored ${where[0]}: ${endingOf(run)}`);
    }
    rmSync(directory, { recursive: true });
  }

  /** Runs a command that must succeed. */
  private async product(...words: readonly string[]): Promise<ProductRun> {
    const args = [...words, '--home', this.place.home];
    const run = await runProduct({ args, bugs: this.context.bugs, timeoutMs: 120_000 });
    const wrong = misbehaviour(run);
    if (run.exitCode !== 0) wrong.push(endingOf(run));
    this.wrong.push(...wrong.map((what) => `cycle ${this.cycles}: ${words.join(' ')}: ${what}`));
    return run;
  }
}
