import { afterAll, expect, test } from '@jest/globals';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import { migrate, openStorage, setMode } from '../src/index.js';
import { newHome, put, removeDirectories } from './support.js';

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

test.each(['file', 'sqlite'] as const)(
  'an item that can be taken is found behind many that have to wait for the one of the Go tool, in mode %s',
  async (mode) => {
    const home = newHome();
    const idOf = (n: number): string => `SBI-01M810CC00${String(n).padStart(16, '0')}`;
    for (let n = 0; n < 45; n += 1) {
      const times = `created_at: 2026-01-01T00:00:${String(n).padStart(2, '0')}Z\n`;
      put(home, `specs/sbi/${idOf(n)}/meta.yml`, `id: ${idOf(n)}\ntitle: waits\n${times}`);
    }
    const free = { status: 'READY', title: 'free', created_at: '2026-02-01T00:00:00Z' };
    put(home, `specs/sbi/${idOf(50)}/state.json`, JSON.stringify(free));
    if (mode === 'sqlite') {
      await migrate({ home });
      await setMode({ home, mode: 'dual_write' });
      await setMode({ home, mode });
    }
    const storage = await openStorage({ home });

    const taken: unknown[] = [];
    for (let n = 0; n < 3; n += 1) taken.push((await storage.claimNext({ leaseMs: 60_000 }))?.sbi.id);

    expect(taken).toEqual([idOf(0), idOf(50), undefined]);
    await storage.close();
  },
);

test('an item that can be taken is found behind pages of others that somebody holds', async () => {
  const home = newHome();
  const idOf = (n: number): string => `SBI-01M810CC00${String(n).padStart(16, '0')}`;
  for (let n = 0; n < 45; n += 1) {
    const created = `2026-01-01T00:00:${String(n).padStart(2, '0')}Z`;
    const held = n === 44 ? {} : { lease_expires_at: '2999-01-01T00:00:00Z' };
    const state = { status: 'READY', title: 'x', created_at: created, ...held };
    put(home, `specs/sbi/${idOf(n)}/state.json`, JSON.stringify(state));
  }
  const storage = await openStorage({ home });

  expect((await storage.claimNext({ leaseMs: 60_000 }))?.sbi.id).toBe(idOf(44));
  expect(await storage.claimNext({ leaseMs: 60_000 })).toBeUndefined();
  await storage.close();
});
