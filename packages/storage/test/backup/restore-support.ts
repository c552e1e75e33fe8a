import type { StorageMode } from '@deespec/domain';
import { expect } from '@jest/globals';
import { appendFileSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { digest, listConflicts, openStorage, sync, verify, verifyAudit } from '../../src/index.js';
import { put, sbisWith } from '../support.js';

/** The digest of the tree in a directory. */
export const digestOf = async (home: string): Promise<string> => (await digest({ directory: home })).digest;

/** What somebody does after the backup: through the API, and by hand where files are written by hand. */
export async function changeMuch(home: string): Promise<void> {
  const storage = await openStorage({ home });
  await storage.createSbi({ title: 'made after the backup', spec: '# later\n' });
  await storage.setConfig('setting.max_turns', '99');
  await storage.settled();
  await storage.close();
  const [first] = sbisWith(home, 'spec.md');
  appendFileSync(join(home, first!, 'spec.md'), 'changed later\n');
  put(home, 'knowledge/deep/later.md', '# Later\n');
  appendFileSync(
    join(home, 'var/journal.ndjson'),
    `${JSON.stringify({ ts: '2026-01-01T00:00:00Z', later: true })}\n`,
  );
  rmSync(join(home, sbisWith(home, 'spec.md').at(-1)!, 'spec.md'));
}

/** Everything that must hold of a tree that was restored. */
export async function expectWhole(home: string, mode: StorageMode): Promise<void> {
  if (mode !== 'file') expect(await sync({ home })).toMatchObject({ wrote: 0, projected: 0, imported: 0 });
  expect((await verify({ home, checkAll: true })).differences).toEqual([]);
  expect(await verifyAudit({ home })).toMatchObject({ ok: true, problems: [] });
  expect(await listConflicts({ home })).toEqual([]);
  expect(readdirSync(join(home, '.storage')).filter((name) => name.startsWith('restore'))).toEqual([]);
}
