import { afterAll, expect, test } from '@jest/globals';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import { openStorage } from '../src/index.js';
import { newHome, removeDirectories } from './support.js';

afterAll(removeDirectories);

test('an item whose lease has ended is found behind many whose leases last', async () => {
  const home = newHome();
  mkdirSync(join(home, 'specs/sbi'), { recursive: true });
  let nowMs = Date.UTC(2026, 0, 1);
  const storage = await openStorage({ home, now: () => new Date(nowMs) });
  const hour = { leaseMs: 3_600_000 };
  for (let n = 0; n < 22; n += 1) {
    nowMs += 1_000;
    await storage.createSbi({ title: `item ${n}` });
  }
  for (let n = 0; n < 21; n += 1) await storage.claimNext(hour);
  const short = await storage.claimNext({ leaseMs: 1_000 });

  expect(await storage.claimNext(hour)).toBeUndefined();
  nowMs += 2_000;
  const again = await storage.claimNext(hour);

  expect(again?.sbi.id).toBe(short!.sbi.id);
  expect(await storage.claimNext(hour)).toBeUndefined();
  await storage.close();
});
