import { parseSbiId, type SbiId, type Storage, type StorageMode } from '@deespec/domain';
import { openStorage } from '@deespec/storage';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { mustSucceed } from '../operation.js';
import type { Place } from '../place.js';
import { COUNTERS, counterKey } from './counts.js';

/** Which layout the new items of a tree have. Source: docs/formats.md. */
export type Layout = 'document' | 'go';

/** SBIs whose titles say a number that every worker raises. */
export const hotIds: readonly SbiId[] = [1, 2, 3].map((n) => sharedId('H', n));

/** Settings that hold a number that every worker raises. */
export const countKeys = ['setting.count_1', 'setting.count_2', 'setting.count_3'] as const;

/** A setting and an SBI that always say the same number: they are raised together. */
export const total = { key: 'setting.total', id: sharedId('T', 1) } as const;

/** The label of the SBIs that are claimed. */
export const POOL = 'pool';

const POOL_SIZE = 12;

function sharedId(kind: string, n: number): SbiId {
  return parseSbiId(`SBI-01JDSHARED${kind}${String(n).padStart(15, '0')}`);
}

/** The title of an SBI that says a number. */
export function numbered(n: number): string {
  return `number ${n}`;
}

/** The number that a title says. @throws Error when it says none */
export function numberOf(title: unknown): number {
  const found = typeof title === 'string' ? /^number (\d+)$/u.exec(title) : null;
  if (found === null) throw new Error(`no number: ${JSON.stringify(title)}`);
  return Number(found[1]);
}

/** Makes a tree with the items that workers share, in a mode. */
export async function makeShared(place: Place, layout: Layout, mode: StorageMode): Promise<void> {
  const { home } = place;
  mkdirSync(join(home, 'specs/sbi'), { recursive: true });
  const counters = Array.from({ length: COUNTERS }, (_, at) => counterKey(at + 1));
  const counts = Object.fromEntries([...countKeys, total.key, ...counters].map((key) => [key.slice(8), 0]));
  writeFileSync(join(home, 'setting.json'), `${JSON.stringify({ max_turns: 8, ...counts }, null, 2)}\n`);
  if (layout === 'go') {
    mkdirSync(join(home, 'etc'));
    mkdirSync(join(home, 'var'));
    writeFileSync(join(home, 'etc/workflow.yaml'), 'name: default\n');
  }
  if (mode !== 'file') {
    await mustSucceed(place, ['migrate', '--home', home]);
    await mustSucceed(place, ['mode', 'set', mode, '--home', home]);
  }
  const storage = await openStorage({ home, user: 'suite' });
  try {
    await fill(storage);
    await storage.settled();
  } finally {
    await storage.close();
  }
}

async function fill(storage: Storage): Promise<void> {
  for (const id of [...hotIds, total.id]) await storage.createSbi({ id, title: numbered(0) });
  for (let n = 1; n <= POOL_SIZE; n += 1) {
    await storage.createSbi({ id: sharedId('P', n), title: `pool ${n}`, labels: [POOL] });
  }
}
