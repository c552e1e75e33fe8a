import { afterEach, expect, test } from '@jest/globals';

import { openStorage, readStatus, setMode, sync, verify } from '../src/index.js';
import { migratedTree, put, removeDirectories } from './support.js';

afterEach(removeDirectories);

const DEBT = '.storage/dirty/0mwv0nkp8-9376101f0e3c054c.debt';

/** A tree in mode dual_write that owes the database something, and nobody can read what. */
async function owing(): Promise<string> {
  const home = await migratedTree();
  await setMode({ home, mode: 'dual_write' });
  put(home, 'knowledge/owed.md', 'not in the database yet\n');
  put(home, DEBT, 'torn');
  return home;
}

test.each([
  ['sync', async (home: string) => void (await sync({ home }))],
  [
    'a service',
    async (home: string) => {
      const storage = await openStorage({ home });
      await storage.settled();
      await storage.close();
    },
  ],
])('a debt whose record is damaged is counted, and paid by %s, which looks at everything', async (_, pay) => {
  const home = await owing();
  const before = await readStatus({ home });

  await pay(home);

  expect(before.debt).toMatchObject({ count: 1 });
  expect((await readStatus({ home })).debt).toEqual({ count: 0 });
  expect(await verify({ home, checkAll: true })).toMatchObject({ ok: true });
});
