import { generateTree } from '@deespec/trees';
import { cpSync } from 'node:fs';
import { join } from 'node:path';

import { migrate, openStorage, setMode } from '../src/index.js';
import { corrupt, newHome, put } from './support.js';
import type { Seed } from './consistency-seeds.js';

const templates = new Map<string, Promise<string>>();

/** How much of a template is copied: `database` leaves the files out, which a check or a repair never reads. */
export type Extent = 'whole' | 'database';

/** A migrated tree of both layouts with a large file and transactions; in mode sqlite with changes. A fresh copy each time. */
export async function homeIn(mode: 'file' | 'sqlite', extent: Extent = 'database'): Promise<string> {
  const template = templates.get(mode) ?? makeTemplate(mode);
  templates.set(mode, template);
  const [from, home] = [await template, newHome()];
  const names = extent === 'whole' ? ['.'] : ['deespec.db', '.storage', 'setting.json'];
  for (const name of names) {
    const options = { recursive: true, preserveTimestamps: true, verbatimSymlinks: true };
    cpSync(join(from, name), join(home, name), options);
  }
  return home;
}

/** A tree with one fault in its database. */
export async function seededHome({ mode = 'file', sql }: Seed, extent?: Extent): Promise<string> {
  const home = await homeIn(mode, extent);
  corrupt(home, sql);
  return home;
}

async function makeTemplate(mode: 'file' | 'sqlite'): Promise<string> {
  const home = newHome();
  generateTree(home, { layout: 'mixed', sbis: 8, seed: 3 });
  put(home, 'archives/large', Buffer.alloc(1_100_000, 'large '));
  put(home, 'specs/other.md', '# Other\n');
  putTransaction(home);
  await migrate({ home });
  if (mode === 'file') return home;
  await setMode({ home, mode });
  const storage = await openStorage({ home });
  for (const value of ['7', '8']) await storage.setConfig('setting.max_turns', value);
  await storage.settled();
  await storage.close();
  return home;
}

function putTransaction(home: string): void {
  const directory = 'journal/2026-01-02/tx_1';
  const files = [{ type: 'spec', destination: 'specs/other.md', checksum: '', size: 1, mode: 420 }];
  const manifest = { id: 'tx_1', description: 'x', files, created_at: '2026-01-02T03:04:05Z' };
  put(home, join(directory, 'manifest.json'), JSON.stringify(manifest));
  put(home, join(directory, 'status.intent'), '{}');
  const commit = {
    txn_id: 'tx_1',
    committed_at: '2026-01-02T03:04:06Z',
    committed_files: ['a'],
    success: true,
  };
  put(home, join(directory, 'status.commit'), JSON.stringify(commit));
}
