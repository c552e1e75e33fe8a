import type { StorageMode } from '@deespec/domain';
import { storageContract } from '@deespec/storage-contract';
import { afterAll, expect } from '@jest/globals';
import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { migrate, openStorage, planRepair, setMode, sync, verify, verifyAudit } from '../src/index.js';
import { removeDirectories, temporaryDirectory } from './support.js';

afterAll(removeDirectories);

type Layout = 'document' | 'go';

const templates = new Map<string, Promise<string>>();

/** A copy of an empty tree of a layout, in a mode. */
async function copyHome(layout: Layout, mode: StorageMode): Promise<string> {
  const name = `${layout} ${mode}`;
  const template = templates.get(name) ?? makeHome(layout, mode);
  templates.set(name, template);
  const home = join(temporaryDirectory(), '.deespec');
  cpSync(await template, home, { recursive: true, preserveTimestamps: true });
  return home;
}

async function makeHome(layout: Layout, mode: StorageMode): Promise<string> {
  const home = join(temporaryDirectory(), '.deespec');
  mkdirSync(join(home, 'specs/sbi'), { recursive: true });
  writeFileSync(join(home, 'setting.json'), '{\n  "max_turns": 8\n}\n');
  if (layout === 'go') {
    mkdirSync(join(home, 'etc'));
    writeFileSync(join(home, 'etc/workflow.yaml'), 'name: default\n');
  }
  if (mode === 'file') return home;
  await migrate({ home });
  if (mode === 'sqlite_only') await setMode({ home, mode: 'sqlite' });
  await setMode({ home, mode });
  return home;
}

/** Both stores hold the same, nothing is owed, and the chain of changes is whole. */
async function requireInStep(home: string, mode: StorageMode): Promise<void> {
  expect(await verifyAudit({ home })).toMatchObject({ ok: true, problems: [] });
  if (mode === 'file') return;
  if (mode === 'sqlite_only') return void expect((await planRepair({ home })).plan.rows).toEqual([]);
  expect(await sync({ home })).toMatchObject({ conflicts: [], failed: [], debts: 0 });
  expect(await sync({ home })).toMatchObject({ wrote: 0, debts: 0 });
  expect(await verify({ home, checkAll: true })).toMatchObject({ ok: true, differences: [] });
}

for (const layout of ['document', 'go'] as const) {
  for (const mode of ['file', 'dual_write', 'sqlite', 'sqlite_only'] as const) {
    storageContract(`${mode}, layout ${layout}`, async () => {
      const home = await copyHome(layout, mode);
      const storage = await openStorage({ home, user: 'contract' });
      return {
        storage,
        close: async () => {
          await storage.settled();
          await storage.close();
          await requireInStep(home, mode);
          rmSync(home, { recursive: true });
        },
      };
    });
  }
}
