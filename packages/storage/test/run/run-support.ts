import { parseSbiId, type StorageMode } from '@deespec/domain';
import { digestTree } from '@deespec/verifier';
import { generateTree, type TreeLayout } from '@deespec/trees';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { migrate, openStorage, setMode, verify } from '../../src/index.js';
import { newHome, temporaryDirectory } from '../support.js';

/** A small generated tree, in a mode. */
export async function homeIn(mode: StorageMode, layout: TreeLayout = 'mixed'): Promise<string> {
  const home = newHome();
  generateTree(home, { layout, sbis: 2, seed: 3 });
  if (mode === 'file') return home;
  await migrate({ home });
  await setMode({ home, mode: mode === 'sqlite_only' ? 'sqlite' : mode });
  if (mode === 'sqlite_only') await setMode({ home, mode });
  return home;
}

/** A copy of a tree as it lies there: as a crash at this instant would leave it. */
export function copyOf(home: string): string {
  const copy = join(temporaryDirectory(), '.deespec');
  // Node's own copy cannot name what is no UTF-8.
  execFileSync('cp', ['-a', '--', home, copy]);
  return copy;
}

export async function digestOf(home: string): Promise<string> {
  return (await digestTree(home)).digest;
}

export const item = parseSbiId('SBI-01M810CC01J2AAPQZVYRK1YMJR');

/** Writes through the API: a new item with an execution, and a setting. */
export async function writeSome(home: string): Promise<void> {
  const storage = await openStorage({ home, user: 'test' });
  try {
    await storage.createSbi({ id: item, title: 'Made', spec: '# Made since\n' });
    const what = { run: 1, turn: 2, step: 'implement', status: 'WIP', decision: 'PENDING' } as const;
    await storage.appendExecution({ sbiId: item, ...what, content: Buffer.from('since\n') });
    await storage.setConfig('setting.made_since', '1');
    await storage.settled();
  } finally {
    await storage.close();
  }
}

/** The mode by what `setting.json` says. */
export function settingOf(home: string): unknown {
  const text = readFileSync(join(home, 'setting.json'), 'utf8');
  return (JSON.parse(text) as Record<string, unknown>)['storage_mode'];
}

/** Nothing of a run is left, and nobody is kept out. */
export function leftOver(home: string): string[] {
  const names = ['run', 'exchange', 'mode-change', 'stopped', 'rebuild'];
  const own = names.filter((name) => existsSync(join(home, '.storage', name)));
  const lock = existsSync(join(home, 'var/state.lock')) ? ['var/state.lock'] : [];
  return [...own.filter((name) => name !== 'rebuild'), ...lock];
}

/** Both stores hold the same, every byte. */
export async function differences(home: string): Promise<unknown> {
  return (await verify({ home, checkAll: true })).differences;
}
