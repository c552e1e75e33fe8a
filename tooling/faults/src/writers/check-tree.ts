import { isStorageError, type AuditEntry, type SbiId, type Storage, type StorageMode } from '@deespec/domain';
import { openStorage } from '@deespec/storage';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import type { Place } from '../place.js';
import { endingOf, misbehaviour, runProduct, type ProductRun } from '../product.js';
import type { BugName } from '../seeded-bugs.js';
import { lostRaises, possibleCount, possibleEnds } from './check-calls.js';
import { contentOf } from './content.js';
import { auditKey, isAcknowledged, type Call, type Op } from './ledger.js';
import { countKeys, hotIds, numberOf, total } from './shared-items.js';

/** Everything that the ledgers say must be there, and is not. Reads through the API, which nothing disturbs. */
export async function missingWrites(home: string, calls: readonly Call[]): Promise<string[]> {
  const storage = await openStorage({ home });
  try {
    return [
      ...(await wrongItems(storage, calls)),
      ...wrongSpecs(home, calls),
      ...(await wrongExecutions(storage, calls)),
      ...(await wrongSettings(storage, calls)),
      ...(await wrongNumbers(storage, calls)),
      ...(await missingRows(storage, calls)),
    ];
  } finally {
    await storage.close();
  }
}

function of(calls: readonly Call[], ...ops: readonly Op[]): Map<string, Call[]> {
  const found = new Map<string, Call[]>();
  for (const call of calls) {
    if (ops.includes(call.op)) found.set(call.key, [...(found.get(call.key) ?? []), call]);
  }
  return found;
}

async function wrongItems(storage: Storage, calls: readonly Call[]): Promise<string[]> {
  const wrong: string[] = [];
  for (const [id, own] of of(calls, 'create', 'title')) {
    const possible = possibleEnds(own);
    const isCertain = own.some(isAcknowledged);
    const title = await found(() =>
      storage.getSbi(id as SbiId).then(({ metadata }) => metadata['title'] as string),
    );
    if (title === undefined && !isCertain) continue;
    if (!possible.has(title ?? '')) {
      wrong.push(`${id} is called ${title ?? 'nothing'}, not ${[...possible].join(' or ')}`);
    }
  }
  return wrong;
}

/** The bytes themselves. */
function wrongSpecs(home: string, calls: readonly Call[]): string[] {
  const created = calls.filter((call) => call.op === 'create' && isAcknowledged(call));
  return created.flatMap(({ key, value }) => {
    const file = join(home, 'specs/sbi', key, 'spec.md');
    if (!existsSync(file)) return [`${key}/spec.md is lost`];
    const bytes = readFileSync(file);
    return bytes.equals(contentOf(value)) ? [] : [`${key}/spec.md has ${bytes.length} other bytes`];
  });
}

async function wrongExecutions(storage: Storage, calls: readonly Call[]): Promise<string[]> {
  const wrong: string[] = [];
  for (const [key, [call]] of of(calls, 'append')) {
    const [sbiId, run, turn, step] = key.split(' ');
    const at = { sbiId: sbiId as SbiId, run: Number(run), turn: Number(turn), step: step! };
    const bytes = await found(() => storage.readContent(at));
    if (bytes === undefined && !isAcknowledged(call!)) continue;
    if (bytes === undefined) wrong.push(`execution ${key} is lost`);
    else if (!bytes.equals(contentOf(call!.value))) wrong.push(`execution ${key} has other bytes`);
  }
  return wrong;
}

async function wrongSettings(storage: Storage, calls: readonly Call[]): Promise<string[]> {
  const wrong: string[] = [];
  for (const [key, own] of of(calls, 'config')) {
    const possible = possibleEnds(own);
    const json = await found(() => storage.getConfig(key).then(({ valueJson }) => valueJson));
    if (json === undefined && !own.some(isAcknowledged)) continue;
    const value = json === undefined ? undefined : (JSON.parse(json) as string);
    if (!possible.has(String(value))) wrong.push(`${key} is ${value}, not ${[...possible].join(' or ')}`);
  }
  return wrong;
}

async function wrongNumbers(storage: Storage, calls: readonly Call[]): Promise<string[]> {
  const raises = of(calls, 'hot', 'count', 'total');
  const title = async (id: SbiId): Promise<number> => numberOf((await storage.getSbi(id)).metadata['title']);
  const setting = async (key: string): Promise<number> => Number((await storage.getConfig(key)).valueJson);
  const now = new Map<string, number>();
  for (const id of hotIds) now.set(id, await title(id));
  for (const key of [...countKeys, total.key]) now.set(key, await setting(key));
  const wrong = lostRaises([...raises.values()].flat());
  if ((await title(total.id)) !== now.get(total.key)) {
    wrong.push(`${total.key} is ${now.get(total.key)}, the SBI raised with it ${await title(total.id)}`);
  }
  for (const [key, number] of now) {
    const { least, most } = possibleCount(raises.get(key) ?? []);
    if (number < least || number > most) {
      wrong.push(`${key} is ${number} after ${least} acknowledged raises and ${most - least} unknown ones`);
    }
  }
  return wrong;
}

async function missingRows(storage: Storage, calls: readonly Call[]): Promise<string[]> {
  const rows = new Map<string, number>();
  for await (const row of auditRows(storage)) rows.set(auditKey(row), 1 + (rows.get(auditKey(row)) ?? 0));
  const wanted = new Map<string, number>();
  for (const key of calls.flatMap(({ end }) => end?.audit ?? [])) wanted.set(key, 1 + (wanted.get(key) ?? 0));
  return [...wanted].flatMap(([key, count]) =>
    (rows.get(key) ?? 0) >= count ? [] : [`the audit log has ${rows.get(key) ?? 0} of ${count} rows: ${key}`],
  );
}

async function* auditRows(storage: Storage): AsyncIterable<AuditEntry> {
  for (let offset = 0; ; offset += 1_000) {
    const page = await storage.listAudit({ offset, limit: 1_000 });
    yield* page;
    if (page.length < 1_000) return;
  }
}

async function found<T>(read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (isStorageError(error) && error.kind === 'not_found') return undefined;
    throw error;
  }
}

/** Commands on a tree that nothing disturbs any more, and what they must say. */
export class Proofs {
  readonly wrong: string[] = [];

  constructor(
    private readonly place: Place,
    private readonly bugs: readonly BugName[],
  ) {}

  /** Recovers, brings both stores in step, and proves that they are, and that nothing is left behind. */
  async all(mode: StorageMode): Promise<readonly string[]> {
    if (mode === 'file') {
      await this.recoverByWriting();
      // The database is made of the files, so that they can be compared with what was read of them.
      await this.succeed(['migrate']);
    } else {
      await this.succeed(['sync'], [0, 2]);
      const again = await this.succeed(['sync']);
      const { wrote, debts } = again.document?.data ?? {};
      if (wrote !== 0 || debts !== 0)
        this.wrong.push(`a second sync wrote ${Number(wrote)}, debts ${Number(debts)}`);
    }
    await this.succeed(['verify', '--check-all']);
    await this.succeed(['audit', 'verify']);
    this.wrong.push(...leftBehind(this.place));
    return this.wrong;
  }

  /** Versions that are kept. */
  async conflicts(): Promise<readonly Readonly<Record<string, unknown>>[]> {
    const { document } = await this.succeed(['conflict', 'list']);
    return (document?.data?.['items'] ?? []) as Readonly<Record<string, unknown>>[];
  }

  /** Runs a command that must end with one of `exits`. */
  async succeed(args: readonly string[], exits: readonly number[] = [0]): Promise<ProductRun> {
    const { home } = this.place;
    const run = await runProduct({ args: [...args, '--home', home], bugs: this.bugs, timeoutMs: 300_000 });
    const wrong = misbehaviour(run);
    if (!exits.includes(run.exitCode ?? -1)) wrong.push(endingOf(run));
    const data = JSON.stringify(run.document?.data ?? null).slice(0, 400);
    this.wrong.push(...wrong.map((what) => `${args.join(' ')}: ${what} ${data}`));
    return run;
  }

  private async recoverByWriting(): Promise<void> {
    const storage = await openStorage({ home: this.place.home, user: 'suite' });
    try {
      await storage.setConfig('setting.recovered', 'true');
    } finally {
      await storage.close();
    }
  }
}

/** What killed writers left and nobody needs: intents, debts and temporary files. */
function leftBehind({ home }: Place): string[] {
  const names = readdirSync(home, { recursive: true, encoding: 'latin1' });
  const left = names.filter(
    (name) =>
      /(?:^|\/)\.tmp[.-]|\.tmp$|^\.storage\/dirty\/./u.test(name) && !/^\.storage\/conflicts\//u.test(name),
  );
  return left.map((name) => `left behind: ${name}`);
}
