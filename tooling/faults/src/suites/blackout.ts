import type { StorageMode } from '@deespec/domain';
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { Random } from '@deespec/trees';
import { cut, mountDisk, onDisk, unmountDisk, type Disk } from '../disk.js';
import { copyPlace, makePlace, type Place } from '../place.js';
import type { Bad, Share, Suite, SuiteContext } from '../suite.js';
import { missingWrites, Proofs } from '../writers/check-tree.js';
import { Crew } from '../writers/crew.js';
import { isAcknowledged, type Call } from '../writers/ledger.js';
import { makeShared } from '../writers/shared-items.js';

const rounds: Readonly<Record<Share, number>> = { ci: 3, full: 150 };

const WORKERS = 4;

/** Acknowledged writes of all workers before the power goes. */
const WRITES = { least: 5, most: 60 };

/** By then the workers have written, milliseconds. */
const PATIENCE_MS = 60_000;

const modes = ['file', 'dual_write', 'sqlite'] as const;

/** The power goes at a random instant while several processes write. Their ledgers stand on another disk. */
export const blackout: Suite = {
  name: 'blackout',
  about: 'the power is cut at random instants while four processes write: nothing acknowledged is lost',
  needs: ['root', 'mount', 'loop'],
  run: async (context) => {
    const { only, share, points = Infinity, seed, enough } = context;
    const bad: Bad[] = [];
    const asked = modes.filter((mode) => only.length === 0 || only.includes(mode));
    const prepared = new Map<StorageMode, Place>();
    const sums = { acknowledged: 0, 'under way': 0 };
    const count = Math.min(rounds[share], points);
    for (let n = 0; n < count && bad.length < enough; n += 1) {
      const mode = asked[n % asked.length]!;
      const name = `${mode}, cut ${n + 1}`;
      const from = prepared.get(mode) ?? (await prepare(context, mode));
      prepared.set(mode, from);
      const round = { mode, from, directory: join(context.directory, `cut-${n}`), seed: seed * 1_000 + n };
      const { wrong, calls } = await onDisk(join(context.directory, 'disk'), (disk) =>
        cutOnce(context, round, disk),
      );
      sums.acknowledged += calls.filter(isAcknowledged).length;
      sums['under way'] += calls.filter(({ end }) => end === undefined).length;
      bad.push(...wrong.map((what) => ({ point: name, what })));
      for (const what of wrong) context.say(`  ${name}: ${what}`);
    }
    return { points: count, bad, facts: sums };
  },
};

async function prepare({ directory }: SuiteContext, mode: StorageMode): Promise<Place> {
  const place = makePlace(join(directory, `before-${mode}`));
  await makeShared(place, mode === 'file' ? 'go' : 'document', mode);
  return place;
}

interface Round {
  readonly mode: StorageMode;
  /** What the disk holds before. */
  readonly from: Place;
  /** Where the ledgers are. */
  readonly directory: string;
  readonly seed: number;
}

async function cutOnce(
  { bugs }: SuiteContext,
  { mode, from, directory, seed }: Round,
  disk: Disk,
): Promise<{ readonly wrong: readonly string[]; readonly calls: readonly Call[] }> {
  const random = new Random(seed);
  const place = copyPlace(from, join(disk.mount, 'place'));
  execFileSync('sync', ['-f', disk.mount]);
  mkdirSync(directory);
  const crew = new Crew({
    ...{ place, directory, workers: WORKERS, readers: 0, seed, bugs },
    ...{ writes: Infinity, kills: 0, hasCheckpoints: mode !== 'file', expects: 'none' },
  });
  const wanted = random.int(WRITES.least, WRITES.most);
  const deadline = Date.now() + PATIENCE_MS;
  while (crew.acknowledged < wanted && Date.now() < deadline) await sleep(5);
  await sleep(random.int(0, 200));
  const cutAtMs = Date.now();
  cut(disk);
  const report = await crew.killAll();
  unmountDisk(disk);
  mountDisk(disk);
  const calls = report.calls.map((call) => asSeen(call, cutAtMs));
  const proofs = new Proofs(place, bugs);
  const wrong = [...report.wrong, ...(await proofs.all(mode)), ...(await missingWrites(place.home, calls))];
  const kept = await proofs.conflicts();
  wrong.push(...kept.map((conflict) => `a conflict without a foreign writer: ${JSON.stringify(conflict)}`));
  if (crew.acknowledged < wanted) wrong.push(`${crew.acknowledged} of ${wanted} writes in ${PATIENCE_MS} ms`);
  return { wrong, calls };
}

/** A call that failed when the power was gone may have been made or not, as one that never ended. */
function asSeen(call: Call, cutAtMs: number): Call {
  const { end, ...begun } = call;
  return end === undefined || isAcknowledged(call) || end.atMs < cutAtMs ? call : begun;
}
