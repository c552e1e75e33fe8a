import { randomBytes } from 'node:crypto';
import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { migrate, openStorage, setMode } from '@deespec/storage';
import Database from 'better-sqlite3';

import type { QuerySamples } from './queries.js';

/** Modes with writes, and the name of their samples. */
const modes = ['file', 'dual_write', 'sqlite'] as const;

/** Longest time for the calls of one mode, milliseconds: lists of a large tree of files look at every file. */
const MODE_MS = 60_000;

/** Rounds that are made however long they take. */
const LEAST_ROUNDS = 3;

/** What every mode is compared with: one row of 200 bytes, durable when the call returns. */
export const BARE = 'bare SQLite transaction, durable';

type Storage = Awaited<ReturnType<typeof openStorage>>;
type Made = Awaited<ReturnType<Storage['createSbi']>>;

/** A call of the API on the item of this round. */
type Call = (storage: Storage, made: Made, round: number) => Promise<unknown>;

const calls: Readonly<Record<string, Call>> = {
  'get an SBI': (storage, made) => storage.getSbi(made.id),
  'set a status': async (storage, made) =>
    storage.updateSbi(await storage.getSbi(made.id), { status: 'REVIEW' }),
  'append an execution of 4 KiB': (storage, made) =>
    storage.appendExecution({
      sbiId: made.id,
      run: 1,
      turn: 2,
      step: 'implement',
      status: 'REVIEW',
      decision: 'SUCCEEDED',
      content: randomBytes(4_096),
    }),
  'transaction of two changes': (storage, made) =>
    storage.transaction(async (tx) => {
      const sbi = await tx.getSbi(made.id);
      await tx.updateSbi(sbi, { priority: 5 });
      await tx.createSbi({ title: 'a second one' });
    }),
  'claim the next, release it': async (storage) => {
    const claim = await storage.claimNext({ leaseMs: 60_000 });
    if (claim !== undefined) await storage.releaseSbi(claim, 'DONE');
  },
};

/**
 * Times calls of the API in every mode that this version grants, each mode on a copy of the tree, and a bare durable
 * transaction beside them. One call at a time; a call is over when it is acknowledged.
 *
 * @param rounds - calls of each kind; fewer where a mode takes longer than a minute
 */
export async function timeWrites(home: string, rounds: number): Promise<QuerySamples[]> {
  const samples: QuerySamples[] = [bareTransactions(join(home, '..'), rounds)];
  for (const mode of modes) {
    const copy = join(home, '..', `writes-${mode}`, '.deespec');
    cpSync(home, copy, { recursive: true, preserveTimestamps: true, filter: (path) => !isOurs(path) });
    await migrate({ home: copy });
    if (mode !== 'file') await setMode({ home: copy, mode });
    samples.push(...(await timeMode(copy, mode, rounds)));
    rmSync(copy, { recursive: true });
  }
  return samples;
}

function isOurs(path: string): boolean {
  return /\/\.deespec\/(?:\.storage|deespec\.db.*)$/u.test(path);
}

async function timeMode(home: string, mode: string, rounds: number): Promise<QuerySamples[]> {
  const storage = await openStorage({ home, user: 'bench' });
  const times = new Map<string, number[]>();
  const time = async <T>(name: string, work: () => Promise<T>): Promise<T> => {
    const started = performance.now();
    const result = await work();
    times.set(name, [...(times.get(name) ?? []), performance.now() - started]);
    return result;
  };
  try {
    const endsAt = performance.now() + MODE_MS;
    for (let round = 0; round < rounds; round += 1) {
      if (round >= LEAST_ROUNDS && performance.now() > endsAt) break;
      const made = await time('create an SBI', () =>
        storage.createSbi({ title: `benchmark ${round}`, spec: '# Spec\n', labels: ['bench'] }),
      );
      for (const [name, call] of Object.entries(calls)) {
        await time(name, () => call(storage, made, round));
      }
    }
    await time('everything that is owed is paid', () => storage.settled());
  } finally {
    await storage.close();
  }
  return [...times].map(([name, samples]) => ({ name: `${mode}: ${name}`, samples }));
}

function bareTransactions(directory: string, rounds: number): QuerySamples {
  const database = new Database(join(directory, 'bare.db'));
  database.pragma('journal_mode = WAL');
  database.pragma('synchronous = FULL');
  database.exec('CREATE TABLE bare (id INTEGER PRIMARY KEY, bytes BLOB NOT NULL)');
  const insert = database.prepare('INSERT INTO bare (bytes) VALUES (?)');
  const samples = Array.from({ length: rounds }, () => {
    const bytes = randomBytes(200);
    const started = performance.now();
    insert.run(bytes);
    return performance.now() - started;
  });
  database.close();
  return { name: BARE, samples };
}
