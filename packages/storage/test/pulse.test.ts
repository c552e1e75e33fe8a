import { afterEach, expect, test } from '@jest/globals';
import { appendFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import {
  createBackup,
  openIndex,
  openStorage,
  readPulse,
  readStatus,
  setMode,
  type Pulse,
} from '../src/index.js';
import { migratedTree, removeDirectories } from './support.js';

afterEach(removeDirectories);

/** The parts that look otherwise after something was done. */
async function changedBy(home: string, work: () => Promise<unknown> | void): Promise<string[]> {
  const before = await readPulse({ home });
  await work();
  const after = await readPulse({ home });
  return (Object.keys(after) as (keyof Pulse)[]).filter((area) => after[area] !== before[area]);
}

test.each(['file', 'sqlite'] as const)('a change through the API shows in mode %s', async (mode) => {
  const home = await migratedTree();
  await setMode({ home, mode });

  const changed = await changedBy(home, async () => {
    const storage = await openStorage({ home });
    await storage.createSbi({ title: 'new' });
    await storage.close();
  });

  expect(changed).toEqual(expect.arrayContaining(['sbis', 'audit']));
  expect(changed).not.toContain('backups');
});

test('what the workflow tool, a backup and a hand do shows in its part', async () => {
  const home = await migratedTree('B');
  mkdirSync(join(home, 'var'), { recursive: true });

  expect(await changedBy(home, () => appendFileSync(join(home, 'var/journal.ndjson'), '{}\n'))).toContain(
    'sbis',
  );
  expect(await changedBy(home, () => writeFileSync(join(home, 'setting.json'), '{ }\n'))).toEqual([
    'status',
    'config',
  ]);
  expect(await changedBy(home, () => createBackup({ home }))).toContain('backups');
  expect(await changedBy(home, () => rmSync(join(home, 'setting.json')))).toContain('config');
});

test('reading shows as no change, so that nobody who loads again on one does so for ever', async () => {
  const home = await migratedTree();
  await setMode({ home, mode: 'sqlite' });

  const changed = await changedBy(home, async () => {
    await readStatus({ home });
    const opened = await openIndex({ home });
    await opened.index.listSbis();
    await opened.close();
    const storage = await openStorage({ home, whenStopped: 'stay' });
    await storage.listSbis();
    await storage.close();
  });

  expect(changed).toEqual([]);
});
