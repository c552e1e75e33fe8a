import { isStorageError, parseSbiId, type SbiId, type Storage } from '@deespec/domain';

import { contentOf } from './content.js';
import { readLedger } from './ledger.js';

/** How many processes count, each a number of its own. */
export const COUNTERS = 4;

/** The setting that holds the number of a counter. */
export function counterKey(counter: number): string {
  return `setting.counter_${counter}`;
}

/** Executions of one item. */
const TURNS = 25;

/** Where the content stands that comes with a number: an execution of an item, and whether the item is made with it. */
export interface Counted {
  readonly id: SbiId;
  readonly turn: number;
  readonly isFirst: boolean;
  readonly content: Buffer;
}

/** What comes with a number: the same whoever writes it, and whenever. */
export function counted(counter: number, number: number): Counted {
  const item = Math.floor((number - 1) / TURNS);
  const turn = 2 + ((number - 1) % TURNS);
  const id = parseSbiId(`SBI-01JDC0${counter}${String(item).padStart(19, '0')}`);
  return { id, turn, isFirst: turn === 2, content: contentOf(`counter-${counter}-${number}`) };
}

/** The step of every execution of a counter. */
export const STEP = 'implement';

/** Writes the number after the one that is there, with its content: both or nothing. @returns the number */
export function countOn(storage: Storage, counter: number, begin: (number: number) => void): Promise<number> {
  return storage.transaction(async (tx) => {
    const read = await tx.getConfig(counterKey(counter));
    const number = 1 + Number(read.valueJson);
    begin(number);
    const { id, turn, isFirst, content } = counted(counter, number);
    if (isFirst) await tx.createSbi({ id, title: `counter ${counter}`, spec: content });
    await tx.setConfig(counterKey(counter), String(number), read);
    const said = { run: 1, turn, step: STEP, status: 'REVIEW', decision: 'SUCCEEDED' } as const;
    await tx.appendExecution({ sbiId: id, ...said, elapsedMs: 5, content });
    return number;
  });
}

/** What a tree must hold of one counter. */
export interface Bounds {
  /** Acknowledged. */
  readonly least: number;
  /** Begun. */
  readonly most: number;
}

/** What is wrong with the numbers of a tree: each counter has 1 to some number between its bounds, each with its content, and no more. */
export async function wrongCounts(storage: Storage, bounds: readonly Bounds[]): Promise<string[]> {
  const wrong: string[] = [];
  for (const [at, { least, most }] of bounds.entries()) {
    const counter = at + 1;
    const count = Number((await storage.getConfig(counterKey(counter))).valueJson);
    if (count < least || count > most)
      wrong.push(`counter ${counter} is at ${count}; ${least} was acknowledged before, ${most} begun after`);
    for (let number = 1; number <= count; number += 1) {
      const bytes = await contentAt(storage, counter, number);
      if (bytes?.equals(counted(counter, number).content) === true) continue;
      wrong.push(
        `counter ${counter} is at ${count}, and ${number} ${bytes ? 'has other bytes' : 'is missing'}`,
      );
    }
    if ((await contentAt(storage, counter, count + 1)) !== undefined)
      wrong.push(`counter ${counter} is at ${count}, and has the content of the number after it`);
  }
  return wrong;
}

async function contentAt(storage: Storage, counter: number, number: number): Promise<Buffer | undefined> {
  const { id: sbiId, turn } = counted(counter, number);
  try {
    return await storage.readContent({ sbiId, run: 1, turn, step: STEP });
  } catch (error) {
    if (isStorageError(error) && error.kind === 'not_found') return undefined;
    throw error;
  }
}

/** What the ledger of a counter says now. */
export interface Progress extends Bounds {
  /** Acknowledgements, over all numbers: one that is taken back is given again. */
  readonly acknowledged: number;
  readonly calls: number;
  /** How often the tree was another one than it had just read: only a restore does that. */
  readonly overtaken: number;
  /** Errors that it met, but for those that pass. */
  readonly wrong: readonly string[];
}

/** Reads the ledger of a counter. @param untilMs - what was acknowledged later does not count; absent: all does */
export function progressOf(file: string, untilMs = Infinity): Progress {
  const calls = readLedger(file, 'counter');
  const done = calls.filter(({ end }) => end?.outcome === 'ok' && end.atMs <= untilMs);
  const failed = calls.filter(
    ({ end }) => end !== undefined && !['ok', ...overtaking, ...passing].includes(end.outcome),
  );
  return {
    least: Number(done.at(-1)?.value ?? 0),
    most: Number(calls.at(-1)?.value ?? 0),
    acknowledged: done.length,
    calls: calls.length,
    overtaken: calls.filter(({ end }) => overtaking.includes(end?.outcome ?? '')).length,
    wrong: failed.map(({ value, end }) => `number ${value} ended with ${end!.outcome}: ${end!.message}`),
  };
}

/** The tree became an earlier one between two steps of a transaction, which changes nothing then. */
const overtaking: readonly string[] = ['CONFIG.CHANGED', 'SBI.NOT_FOUND'];

/** Somebody has the tree to himself for longer than a call waits: nothing was written, and it is tried again. */
export const passing: readonly string[] = [
  ...['LOCK.HELD', 'RESTORE.UNFINISHED', 'SQLITE.BUSY', 'TRANSACTION.CHANGED'],
];
