import { isStorageError, parseSbiId, type SbiId, type Storage } from '@deespec/domain';
import { closeSync, existsSync, fsyncSync, openSync, renameSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { openStorage } from '../open-storage.js';

/** One change of a rehearsal. */
export type Write =
  | { readonly kind: 'create'; readonly id: SbiId; readonly priority: number }
  | { readonly kind: 'status'; readonly id: SbiId; readonly status: 'REVIEW' | 'DONE' | 'READY' }
  | { readonly kind: 'label'; readonly id: SbiId; readonly label: string }
  | { readonly kind: 'execution'; readonly id: SbiId; readonly turn: number; readonly content: Buffer }
  | { readonly kind: 'config'; readonly name: string; readonly value: number }
  /** By a program that knows nothing of us. */
  | { readonly kind: 'file'; readonly path: string; readonly content: Buffer };

/** Changes that are made one after the other, with what other programs write at the end. */
export interface Round {
  readonly changes: readonly Exclude<Write, { kind: 'file' }>[];
  readonly files: readonly Extract<Write, { kind: 'file' }>[];
}

/** Numbers that look random and are the same for the same seed. Source: mulberry32, by Tommy Ettinger, public domain. */
function numbersFrom(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const ROUNDS = 10;

/** One in so many changes is made by another program. */
const FOREIGN_EVERY = 5;

/**
 * Changes that can be made on any tree: they need no item that stands there.
 *
 * @param count - of all of them
 */
export function planWrites(count: number, seed: number): Round[] {
  const below = numbersFrom(seed);
  const items: { id: SbiId; turn: number }[] = [];
  const rounds = Array.from({ length: ROUNDS }, () => ({
    changes: [] as Round['changes'][number][],
    files: [] as Round['files'][number][],
  }));
  for (let number = 0; number < count; number += 1) {
    const round = rounds[Math.floor((number * ROUNDS) / count)]!;
    // A new item has its directory once its round is over.
    const isForeign = number % FOREIGN_EVERY === FOREIGN_EVERY - 1 && items.length > 0;
    const item = items[below(items.length)];
    if (isForeign && item !== undefined) round.files.push(fileOf(item.id, number, below));
    else if (item === undefined || below(4) === 0) round.changes.push(createItem(items, below));
    else round.changes.push(changeOf(item, number, below));
  }
  return rounds;
}

type Below = (below: number) => number;

function createItem(items: { id: SbiId; turn: number }[], below: Below): Round['changes'][number] {
  const id = parseSbiId(`SBI-${Array.from({ length: 26 }, () => ALPHABET[below(32)]!).join('')}`);
  items.push({ id, turn: 1 });
  return { kind: 'create', id, priority: below(10) };
}

function changeOf(item: { id: SbiId; turn: number }, number: number, below: Below): Round['changes'][number] {
  const { id } = item;
  switch (below(4)) {
    case 0:
      return { kind: 'status', id, status: (['REVIEW', 'DONE', 'READY'] as const)[below(3)]! };
    case 1:
      return { kind: 'label', id, label: `rehearsal,${below(1_000)}` };
    case 2:
      return { kind: 'config', name: `setting.rehearsal_${below(20)}`, value: number };
    default:
      item.turn += 1;
      return { kind: 'execution', id, turn: item.turn, content: textOf(number, below) };
  }
}

function fileOf(id: SbiId, number: number, below: Below): Round['files'][number] {
  // Some are written again.
  const path = `specs/sbi/${id}/rehearsal_${below(3)}.md`;
  return { kind: 'file', path, content: textOf(number, below) };
}

function textOf(number: number, below: Below): Buffer {
  return Buffer.from(`# Rehearsal, change ${number}\n\n${'words of a rehearsal '.repeat(below(200))}\n`);
}

/** How a change ended: `done`, or the code of the error that refused it. */
export type WriteOutcome = string;

/**
 * Makes changes on a copy, each at a time of its own, the same on every copy: ids and bytes do not depend on when they are made.
 *
 * @param afterRound - brings what other programs wrote into the other store
 * @returns how each change of the API ended, in order
 */
export async function makeWrites(
  home: string,
  rounds: readonly Round[],
  afterRound: () => Promise<unknown>,
): Promise<WriteOutcome[]> {
  let nowMs = START_MS;
  const lineId = (now: Date): string => `rehearsal-${now.getTime()}`;
  const storage = await openStorage({ home, user: 'rehearsal', now: () => new Date(nowMs), lineId });
  try {
    const outcomes: WriteOutcome[] = [];
    for (const { changes, files } of rounds) {
      for (const change of changes) {
        nowMs += 1_000;
        outcomes.push(await outcomeOf(storage, change));
      }
      await storage.settled();
      for (const { path, content } of files) writeAsOthersDo(join(home, path), content);
      await afterRound();
    }
    return outcomes;
  } finally {
    await storage.close();
  }
}

/** A time like any other: 2026-01-01. */
const START_MS = Date.UTC(2026, 0, 1);

async function outcomeOf(storage: Storage, change: Round['changes'][number]): Promise<WriteOutcome> {
  try {
    await make(storage, change);
    return 'done';
  } catch (error) {
    // What a layout has no place for is refused in every mode.
    if (isStorageError(error) && (error.kind === 'unsupported' || error.kind === 'conflict'))
      return error.code;
    throw error;
  }
}

async function make(storage: Storage, change: Round['changes'][number]): Promise<unknown> {
  switch (change.kind) {
    case 'create': {
      const { id, priority } = change;
      return storage.createSbi({ id, title: `Rehearsal ${id}`, spec: `# ${id}\n`, priority });
    }
    case 'status':
      return storage.updateSbi(await storage.getSbi(change.id), { status: change.status });
    case 'label':
      return storage.updateSbi(await storage.getSbi(change.id), { label: change.label });
    case 'config':
      return storage.setConfig(change.name, String(change.value));
    case 'execution': {
      const { id: sbiId, turn, content } = change;
      const what = { run: 1, turn, step: 'implement', status: 'WIP', decision: 'PENDING' } as const;
      return storage.appendExecution({ sbiId, ...what, content });
    }
  }
}

/** A temporary file beside it, synced, renamed; no lock is taken and no directory synced. Source: docs/formats.md. */
function writeAsOthersDo(file: string, content: Buffer): void {
  // An item that the layout has no place for was not made.
  if (!existsSync(dirname(file))) return;
  const temporary = join(dirname(file), `.tmp.rehearsal.${process.pid}`);
  const handle = openSync(temporary, 'wx', 0o644);
  try {
    writeSync(handle, content);
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
  renameSync(temporary, file);
}
