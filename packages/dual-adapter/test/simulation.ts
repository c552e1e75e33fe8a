import {
  isStorageError,
  parentPath,
  StorageError,
  type EditPlan,
  type TreeEdit,
  type TreePath,
  type TreeReader,
  type TreeView,
} from '@deespec/domain';

import { isSameStat, isSameVersion, type Truth } from '../src/decide.js';
import { DualStore } from '../src/dual-store.js';
import { syncTrees } from '../src/sync-trees.js';
import { Foreign, journals, places } from './foreign.js';
import { Disk, hashOf, MemoryFiles } from './memory-files.js';
import { Database, MemoryLedger } from './memory-ledger.js';
import { Promises } from './promises.js';
import { codeOf, Crash, World, type Mutation } from './world.js';

/**
 * One schedule of edits, other programs, crashes, power cuts, payments, synchronisations and changes of mode, all of it from
 * one seed; then recovery.
 *
 * @returns what is wrong at the end; `[]` when every law holds
 */
export async function simulate(seed: number, mutation?: Mutation): Promise<string[]> {
  return replay(new World(seed, mutation));
}

/** As {@link simulate}; `world.story` tells what happened. */
export async function replay(world: World): Promise<string[]> {
  const simulation = new Simulation(world);
  const steps = 8 + simulation.world.below(12);
  for (let step = 0; step < steps; step += 1) await simulation.step();
  return simulation.judge();
}

class Simulation {
  private readonly disk: Disk;
  private readonly database: Database;
  private readonly promises = new Promises();
  private readonly foreign: Foreign;
  /** A synchronisation was cut off by a crash: what it had seen may have been settled, and nobody looked again. */
  private isCutOff = false;
  private truth: Truth;
  private files!: MemoryFiles;
  private ledger!: MemoryLedger;
  private store!: DualStore;

  constructor(readonly world: World) {
    this.disk = new Disk(world);
    this.database = new Database(world);
    this.foreign = new Foreign(this.disk, this.promises);
    this.truth = world.chance(0.5) ? 'files' : 'sqlite';
    this.open();
  }

  async step(): Promise<void> {
    const { world } = this;
    if (world.isDead) await this.restart();
    world.fuse = world.chance(0.25) ? 1 + world.below(30) : Infinity;
    world.meanwhile = () => this.meanwhile();
    try {
      await this.act();
    } catch (error) {
      if (!(error instanceof Crash) && !isStorageError(error)) throw error;
    }
    if (world.isDead) await this.restart();
    if (world.isTold) world.story.push(this.describe());
  }

  private describe(): string {
    const show = (list: Iterable<[string, { bytes: Buffer }]>): string =>
      [...list].map(([path, { bytes }]) => `${path}=${JSON.stringify(bytes.toString('latin1'))}`).join(' ');
    return `  ${this.truth} F: ${show(this.disk.nodes)} | D: ${show(this.database.tables.rows)} | owed ${this.store.debtCount()}`;
  }

  /** Recovers, pays, synchronises twice, and looks. */
  async judge(): Promise<string[]> {
    const { world } = this;
    world.meanwhile = () => undefined;
    await this.store.close();
    await this.restart();
    world.nowMs += 5_000;
    const wrong = (await this.pay()) ? this.judgePayment() : ['a payment failed'];
    const stores = { files: this.files, ledger: this.ledger, truth: this.truth, now: world.now };
    const first = await syncTrees(stores, { allowDeletions: true });
    if (first.failed.length + first.unstable.length > 0)
      wrong.push('the first synchronisation left something');
    world.nowMs += world.pick([0, 5_000]);
    const second = await syncTrees(stores, {});
    if (second.wrote !== 0) wrong.push(`the second synchronisation wrote ${second.wrote} times`);
    wrong.push(...this.judgeTrees(), ...this.judgeContents());
    await this.store.close();
    return wrong;
  }

  private open(): void {
    this.files = new MemoryFiles(this.disk, { owes: this.truth === 'files' });
    this.ledger = new MemoryLedger(this.database, { owes: this.truth === 'sqlite' });
    this.ledger.isShuffled = this.world.chance(0.5);
    const guard = async <T>(work: () => Promise<T>): Promise<T> => {
      if (this.world.isQuiet || this.world.chance(0.6)) return work();
      throw new StorageError('LOCK.HELD', 'the barrier is held', { hint: 'wait' });
    };
    const { truth, files, ledger } = this;
    const stores =
      truth === 'files' ? ({ truth, ledger: async () => ledger } as const) : ({ truth, ledger } as const);
    this.store = new DualStore({ ...stores, files, guard, now: this.world.now, retryMs: 60_000 });
  }

  private async restart(): Promise<void> {
    // What the dead process still had in flight fails at its next call.
    await this.store.close();
    this.world.revive();
    if (this.world.chance(0.4)) {
      this.world.story.push('power cut');
      this.disk.cutPower();
    }
    this.open();
    this.world.alone(() => this.files.recover());
  }

  private meanwhile(): void {
    if (this.world.chance(0.02)) this.foreign.act();
    if (this.world.chance(0.02)) void this.edit(this.truth === 'files' ? this.files : this.ledger);
  }

  private async act(): Promise<void> {
    const { world } = this;
    const dice = world.below(20);
    world.story.push(`step ${dice}`);
    if (dice < 9) return this.edit(this.store);
    if (dice < 14) return world.alone(() => this.foreign.act());
    if (dice < 16) return this.synchronise();
    if (dice < 18) return void (await codeOf(() => this.store.settled()));
    if (dice < 19) return void (world.nowMs += world.pick([5, 1_000, 10_000]));
    return this.changeMode();
  }

  private async synchronise(): Promise<void> {
    this.isCutOff = true;
    await syncTrees({ ...this.stores, now: this.world.now }, { allowDeletions: true });
    this.isCutOff = false;
  }

  private get stores(): { files: MemoryFiles; ledger: MemoryLedger; truth: Truth } {
    return { files: this.files, ledger: this.ledger, truth: this.truth };
  }

  /** Behind the barrier, with nothing owed. */
  private async changeMode(): Promise<void> {
    this.world.meanwhile = () => undefined;
    if (!(await this.pay())) return;
    await syncTrees({ ...this.stores, now: this.world.now }, { allowDeletions: true });
    if (this.store.debtCount() > 0) return;
    this.disk.syncedAudit = this.disk.audit.length;
    await this.store.close();
    this.truth = this.truth === 'files' ? 'sqlite' : 'files';
    this.open();
  }

  private async pay(): Promise<boolean> {
    this.world.isQuiet = true;
    try {
      await this.store.settled();
      return true;
    } catch (error) {
      if (!isStorageError(error)) throw error;
      this.world.story.push(`payment failed: ${String(error)} ${String(error.cause)}`);
      return false;
    } finally {
      this.world.isQuiet = false;
    }
  }

  /** An edit through the API, of this process or another one. */
  private async edit(store: Pick<DualStore, 'edit'>): Promise<void> {
    const plan = new ApiEdit(this.world);
    try {
      await store.edit((tree) => plan.make(tree));
    } catch (error) {
      if (error instanceof Crash) plan.perhaps(this.promises);
      else if (!isStorageError(error)) throw error;
      this.world.story.push(`edit ${plan.toString()} failed: ${String(error)}`);
      return;
    }
    this.world.story.push(`edit ${plan.toString()} acknowledged`);
    plan.acknowledged(this.promises);
  }

  /** What only we wrote is in step when nothing is owed, without a synchronisation. */
  private judgePayment(): string[] {
    const wrong = this.store.debtCount() === 0 ? [] : ['something is still owed'];
    for (const path of new Set([...this.disk.nodes.keys(), ...this.database.tables.rows.keys()])) {
      if (!this.isCutOff && !this.promises.isForeign(path) && !this.isInStep(path))
        wrong.push(`${path} is owed by nobody`);
    }
    return wrong;
  }

  private isInStep(path: TreePath): boolean {
    const node = this.disk.nodes.get(path);
    const entry = this.database.tables.rows.get(path)?.entry;
    if (node === undefined || entry === undefined) return node === undefined && entry === undefined;
    return isSameVersion({ ...node, sha256: hashOf(node) }, entry);
  }

  private judgeTrees(): string[] {
    const wrong: string[] = [];
    const { rows, projections, audit } = this.database.tables;
    for (const path of new Set([...this.disk.nodes.keys(), ...rows.keys(), ...projections.keys()])) {
      if (!this.isInStep(path)) wrong.push(`${path} differs`);
      const stat = this.files.statOf(path);
      const projection = projections.get(path);
      if (stat === undefined || projection === undefined || !isSameStat(stat, projection))
        wrong.push(`${path} is not recorded as it is`);
      else if (projection.sha256 !== this.files.find(path)!.sha256) wrong.push(`${path} is taken for clean`);
      if (stat?.mtimeNs !== rows.get(path)?.entry.mtimeNs) wrong.push(`${path} has two times`);
    }
    const outside = [...this.files.auditSince(0)].map(({ hash }) => hash);
    if (outside.join() !== audit.map(({ hash }) => hash).join()) wrong.push('two chains of audit records');
    return wrong;
  }

  private judgeContents(): string[] {
    const { nodes, conflicts } = this.disk;
    const journalLines = journals.flatMap((path) => {
      const lines = nodes.get(path)?.bytes.toString('latin1').split('\n') ?? [];
      const twice = lines.filter((line, at) => line !== '' && lines.indexOf(line) !== at);
      return twice.map((line) => `${line} is twice in ${path}`);
    });
    // The trash does not count: what nobody meant to remove must not be there alone.
    const everything = [...nodes.values(), ...this.database.tables.rows.values(), ...conflicts];
    const lost = this.promises.lostFrom(everything.map(({ bytes }) => bytes));
    return [...journalLines, ...lost.map((content) => `${content} is lost`)];
  }
}

/** One random change through the API, with what it replaces. */
class ApiEdit {
  private readonly added: string[] = [];
  private readonly replaced: { content: string; by: string | undefined }[] = [];

  constructor(private readonly world: World) {}

  make(tree: TreeView): EditPlan {
    this.added.length = this.replaced.length = 0;
    const count = this.world.chance(0.2) ? 2 : 1;
    const edits: TreeEdit[] = [];
    const taken: TreePath[] = [];
    for (let index = 0; index < count; index += 1) {
      const path = this.world.chance(0.3) ? this.world.pick(journals) : this.world.pick(places);
      if (!canHold(tree, path) || taken.some((other) => overlaps(other, path))) continue;
      taken.push(path);
      const edit = this.one(tree, path);
      if (edit !== undefined) edits.push(edit);
    }
    const note = {
      timestamp: '2026-01-02T03:04:05.000000000Z',
      entityType: 'test',
      entityId: `${this.world.next()}`,
      action: 'edit',
    };
    return { edits, audit: this.world.chance(0.5) ? [note] : [] };
  }

  acknowledged(promises: Promises): void {
    for (const { content } of this.replaced) promises.supersede(content);
    for (const content of this.added) promises.add(content);
  }

  perhaps(promises: Promises): void {
    for (const { content, by } of this.replaced) promises.supersedePerhaps(content, by);
  }

  toString(): string {
    return JSON.stringify([this.added, this.replaced]);
  }

  private one(tree: TreeView, path: TreePath): TreeEdit | undefined {
    const { world } = this;
    const dice = world.below(10);
    if (journals.includes(path)) return this.append(tree, path);
    const there = tree.find(path);
    if (there?.kind === 'directory') return dice < 5 ? this.discard(tree, path) : undefined;
    if (there === undefined && dice < 6) {
      const version = { path, kind: 'directory', mode: 0o755, bytes: Buffer.alloc(0) } as const;
      return { op: 'put', version, expected: undefined };
    }
    const content = `api-${String(world.next()).padStart(10, '0')}`;
    if (there !== undefined && dice < 4) {
      this.replace(tree, path, undefined);
      return { op: 'remove', path, expected: there.sha256 };
    }
    if (there !== undefined) this.replace(tree, path, content);
    this.added.push(content);
    const version = { path, kind: 'file', mode: 0o644, bytes: Buffer.from(content) } as const;
    return { op: 'put', version, expected: there?.sha256 };
  }

  private append(tree: TreeView, path: TreePath): TreeEdit | undefined {
    const there = tree.find(path);
    if (there !== undefined && there.kind !== 'file') return undefined;
    const line = `api-${this.world.next()}`;
    this.added.push(line);
    return { op: 'append', path, line: Buffer.from(`${line}\n`) };
  }

  private discard(tree: TreeView, path: TreePath): TreeEdit {
    for (const { path: each, kind } of tree.scan()) {
      if (each.startsWith(`${path}/`) && kind !== 'directory') this.replace(tree, each, undefined);
    }
    return { op: 'discard', path };
  }

  private replace(tree: TreeView, path: TreePath, by: string | undefined): void {
    const content = Buffer.concat([...tree.read(path)]).toString('latin1');
    this.replaced.push({ content, by });
  }
}

function canHold(tree: TreeReader, path: TreePath): boolean {
  const parent = parentPath(path);
  return parent === '' || tree.find(parent as TreePath)?.kind === 'directory';
}

function overlaps(one: string, other: string): boolean {
  return one === other || one.startsWith(`${other}/`) || other.startsWith(`${one}/`);
}
