import { afterAll, expect, test } from '@jest/globals';
import { appendFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { migrate, openIndex, verify } from '../src/index.js';
import { generatedTree, removeDirectories, sbisWith } from './support.js';

afterAll(removeDirectories);

test('an artifact that grows above a mebibyte, then moves to another run, keeps its bytes and leaves none behind', async () => {
  const home = generatedTree('B');
  const directory = sbisWith(home, 'meta.yml').find((sbi) => artifactOf(join(home, sbi)) !== undefined)!;
  const artifact = join(home, directory, artifactOf(join(home, directory))!);
  await migrate({ home });
  const large = Buffer.alloc(1_048_577, 'x');
  writeFileSync(artifact, large);

  await migrate({ home });
  expect((await verify({ home, checkAll: true })).differences).toEqual([]);

  const journal = join(home, 'var/journal.ndjson');
  appendFileSync(journal, readFileSync(journal));
  await migrate({ home });
  expect((await verify({ home, checkAll: true })).differences).toEqual([]);
  const storage = await openIndex({ home, store: 'sqlite' });
  const sizes = [];
  for (const execution of await storage.index.listExecutions({ limit: 1000 })) {
    if (`${home}/${execution.contentPath}` === artifact)
      sizes.push((await storage.index.readContent(execution))?.length);
  }
  await storage.close();
  expect(sizes).toEqual([large.length]);
});

function artifactOf(directory: string): string | undefined {
  return readdirSync(directory).find((name) => /^implement_\d+\.md$/u.test(name));
}
