import { isStorageError, parseSbiId, type Storage, type StorageMode } from '@deespec/domain';
import { openStorage } from '@deespec/storage';
import type { Random } from '@deespec/trees';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import type { Place } from '../place.js';
import { endOf, misbehaviour, startProduct } from '../product.js';
import type { BugName } from '../seeded-bugs.js';
import { Proofs } from '../writers/check-tree.js';
import { contentOf } from '../writers/content.js';
import { Expected } from './expected.js';

const modes = ['file', 'dual_write', 'sqlite'] as const;

/** Longest life of a command that is killed, milliseconds: most are at work by then, some are done. */
const KILLED_MS = 900;

/** A random sequence of changes of one tree, by a service, by other programs and by commands that may be killed, beside what it should leave. */
export class Sequence {
  readonly expected = new Expected();
  /** What was done, in order. */
  readonly done: string[] = [];
  private counter = 0;
  private storage: Storage | undefined;
  private readonly proofs: Proofs;
  private readonly steps: readonly (readonly [weight: number, name: string, make: () => Promise<void>])[] = [
    [4, 'create', () => this.create()],
    [4, 'title', () => this.title()],
    [1, 'delete', () => this.remove()],
    [4, 'append', () => this.append()],
    [3, 'config', () => this.config()],
    [3, 'pair', () => this.pair()],
    [4, 'foreign file', async () => this.foreignFile()],
    [1, 'foreign removal', async () => this.foreignRemoval()],
    [2, 'sync', () => this.sync()],
    [3, 'mode', () => this.changeMode('to its end')],
    [1, 'restart', () => this.restart()],
    [6, 'kill', () => this.kill()],
  ];

  constructor(
    private readonly place: Place,
    private readonly parts: { readonly random: Random; readonly bugs: readonly BugName[] },
    private mode: StorageMode,
  ) {
    this.proofs = new Proofs(place, parts.bugs);
  }

  /** Makes so many changes, then compares everything. @returns what is wrong */
  async run(count: number): Promise<readonly string[]> {
    await this.create();
    for (let n = 0; n < count && this.expected.wrong.length === 0; n += 1) await this.any();
    await this.close();
    this.expected.wrong.push(...(await this.proofs.all(this.mode)));
    const conflicts = await this.proofs.conflicts();
    if (conflicts.length > 0) this.expected.wrong.push(`a conflict: ${JSON.stringify(conflicts[0])}`);
    await this.compare();
    await this.close();
    return this.expected.wrong;
  }

  private any(): Promise<void> {
    const sum = this.steps.reduce((all, [weight]) => all + weight, 0);
    let at = this.parts.random.int(1, sum);
    const [, name, make] = this.steps.find(([weight]) => (at -= weight) <= 0)!;
    this.done.push(name);
    return make();
  }

  private async open(): Promise<Storage> {
    return (this.storage ??= await openStorage({ home: this.place.home, user: 'model' }));
  }

  private async close(): Promise<void> {
    await this.storage?.settled();
    await this.storage?.close();
    this.storage = undefined;
  }

  private restart(): Promise<void> {
    return this.close();
  }

  private async create(): Promise<void> {
    const id = this.newId();
    const title = this.token();
    await (await this.open()).createSbi({ id: parseSbiId(id), title, spec: `# ${title}\n` });
    this.expected.set(`item ${id}`, title);
  }

  private async title(): Promise<void> {
    const id = this.anItem();
    if (id === undefined) return;
    const storage = await this.open();
    const title = this.token();
    await storage.updateSbi(await storage.getSbi(parseSbiId(id)), { title });
    this.expected.set(`item ${id}`, title);
  }

  private async remove(): Promise<void> {
    const id = this.anItem();
    if (id === undefined) return;
    const storage = await this.open();
    await storage.deleteSbi(await storage.getSbi(parseSbiId(id)));
    this.expected.set(`item ${id}`, undefined);
    for (const name of this.expected.names('execution')) {
      if (name.includes(id)) this.expected.set(name, undefined);
    }
  }

  private async append(): Promise<void> {
    const id = this.anItem();
    if (id === undefined) return;
    const turn = (this.counter += 1) + 1;
    const text = this.token();
    const said = { run: 1, turn, step: 'implement', status: 'REVIEW', decision: 'SUCCEEDED' } as const;
    await (await this.open()).appendExecution({ sbiId: parseSbiId(id), ...said, content: contentOf(text) });
    this.expected.set(`execution ${id} ${turn}`, text);
  }

  private async config(): Promise<void> {
    const key = this.aKey();
    const value = this.token();
    await (await this.open()).setConfig(key, JSON.stringify(value));
    this.expected.set(`config ${key}`, value);
  }

  /** Two changes that are made together. */
  private async pair(): Promise<void> {
    const id = this.newId();
    const key = this.aKey();
    const value = this.token();
    await (
      await this.open()
    ).transaction(async (tx) => {
      await tx.createSbi({ id: parseSbiId(id), title: value });
      await tx.setConfig(key, JSON.stringify(value));
    });
    this.expected.set(`item ${id}`, value);
    this.expected.set(`config ${key}`, value);
  }

  /** As another program writes: beside, then by rename. */
  private foreignFile(): void {
    const path = `knowledge/note_${this.parts.random.int(1, 6)}.md`;
    const file = join(this.place.home, path);
    const text = this.token();
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(`${file}.tmp`, contentOf(text));
    renameSync(`${file}.tmp`, file);
    this.expected.set(`file ${path}`, text);
  }

  private foreignRemoval(): void {
    const [name] = this.expected.present('file');
    if (name === undefined) return;
    rmSync(join(this.place.home, name.slice('file '.length)), { force: true });
    this.expected.set(name, undefined);
  }

  private async sync(): Promise<void> {
    if (this.mode !== 'file') await this.succeed(['sync']);
  }

  /** The service stays open, and follows. */
  private async changeMode(how: 'to its end' | 'killed'): Promise<void> {
    const mode = this.parts.random.pick(modes.filter((other) => other !== this.mode));
    this.done.push(mode);
    // A database is brought up to date before it counts.
    if (this.mode === 'file') await this.succeed(['migrate']);
    if (how === 'killed') await this.killed(['mode', 'set', mode]);
    await this.succeed(['mode', 'set', mode]);
    this.mode = mode;
  }

  private async kill(): Promise<void> {
    const { random } = this.parts;
    const what = random.pick(['create', 'config', 'sync', 'mode'] as const);
    this.done.push(what);
    if (what === 'mode') return this.changeMode('killed');
    if (what === 'sync') return this.killed([this.mode === 'file' ? 'migrate' : 'sync']);
    if (what === 'create') {
      const [id, title] = [this.newId(), this.token()];
      this.expected.maybe(`item ${id}`, title);
      await this.killed(['sbi', 'create', '--id', id, '--title', title]);
    } else {
      const [key, value] = [this.aKey(), this.token()];
      this.expected.maybe(`config ${key}`, value);
      await this.killed(['config', 'set', key, JSON.stringify(value)]);
    }
    // Who opens the tree next finishes what was cut off, or takes it back: only then it shows what became of it.
    await this.close();
    await this.compare();
  }

  private async killed(args: readonly string[]): Promise<void> {
    const run = startProduct({ args: [...args, '--home', this.place.home], bugs: this.parts.bugs });
    await sleep(this.parts.random.int(50, KILLED_MS));
    run.kill('SIGKILL');
    const ended = endOf(await run);
    this.expected.wrong.push(...misbehaviour(ended, { killed: ended.signal === 'SIGKILL' }));
  }

  private async succeed(args: readonly string[]): Promise<void> {
    await this.proofs.succeed(args);
    this.expected.wrong.push(...this.proofs.wrong.splice(0));
  }

  /** Everything that can be read, and every file. */
  private async compare(): Promise<void> {
    const storage = await this.open();
    for (const name of this.expected.names('item')) {
      const sbi = await found(storage.getSbi(parseSbiId(name.slice('item '.length))));
      this.expected.found(name, sbi?.metadata['title'] as string | undefined);
    }
    for (const name of this.expected.names('config')) {
      const config = await found(storage.getConfig(name.slice('config '.length)));
      this.expected.found(name, config === undefined ? undefined : (JSON.parse(config.valueJson) as string));
    }
    for (const name of this.expected.names('execution')) {
      const [, id, turn] = name.split(' ');
      const key = { sbiId: parseSbiId(id!), run: 1, turn: Number(turn), step: 'implement' };
      this.expected.found(name, tokenOf(await found(storage.readContent(key))));
    }
    for (const name of this.expected.names('file')) {
      const file = join(this.place.home, name.slice('file '.length));
      this.expected.found(name, tokenOf(existsSync(file) ? readFileSync(file) : undefined));
    }
  }

  private anItem(): string | undefined {
    const items = this.expected.present('item').map((name) => name.slice('item '.length));
    return items.length === 0 ? undefined : this.parts.random.pick(items);
  }

  private aKey(): string {
    return `setting.key_${this.parts.random.int(1, 4)}`;
  }

  private newId(): string {
    return `SBI-${this.parts.random.ulid(Date.now())}`;
  }

  private token(): string {
    return `token-${(this.counter += 1)}-${this.parts.random.int(1, 1_000_000)}`;
  }
}

async function found<T>(read: Promise<T>): Promise<T | undefined> {
  try {
    return await read;
  } catch (error) {
    if (isStorageError(error) && error.kind === 'not_found') return undefined;
    throw error;
  }
}

/** The token that {@link contentOf} made these bytes of; the hash of other bytes. */
function tokenOf(bytes: Buffer | undefined): string | undefined {
  if (bytes === undefined) return undefined;
  const token = /token-\d+-\d+/u.exec(bytes.toString('latin1'))?.[0] ?? '';
  return bytes.equals(contentOf(token)) ? token : `${bytes.length} other bytes`;
}
