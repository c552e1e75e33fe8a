import { generateTree, type TreeLayout } from '@deespec/trees';
import { afterAll, describe, expect, test } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { digest, exportTree, migrate, verify } from '../src/index.js';
import { diff, microsecondListing, newHome, removeDirectories, temporaryDirectory } from './support.js';

afterAll(removeDirectories);

const archive = fileURLToPath(new URL('../../../../shared/fixtures/deespec-v0.1.14.tar.gz', import.meta.url));
const hasFixture = existsSync(archive);
if (!hasFixture) console.warn('skipped: the tree written by the Go tool is not there');

/** Migrates, verifies and exports `home`, and compares what came back by tools that are not ours. */
async function expectRoundTrip(home: string): Promise<void> {
  const before = { digest: (await digest({ directory: home })).digest, listing: microsecondListing(home) };
  const output = join(temporaryDirectory(), 'export');

  const migrated = await migrate({ home });
  const verified = await verify({ home, checkAll: true });
  const exported = await exportTree({ home, output });

  expect(migrated).toMatchObject({ outcome: 'created', digest: before.digest, quarantined: 0 });
  expect(migrated.equation.holds).toBe(true);
  expect(verified).toMatchObject({ ok: true, differences: [], timeDifferences: 0, evidence: 'recorded' });
  expect([verified.treeDigest, verified.databaseDigest]).toEqual([before.digest, before.digest]);
  expect(exported.digest).toBe(before.digest);
  expect((await digest({ directory: output })).digest).toBe(before.digest);
  expect(diff(home, output)).toBe('');
  expect(microsecondListing(output)).toEqual(before.listing);
  expect(microsecondListing(home)).toEqual(before.listing);
  expect(exported.written).toEqual(migrated.equation.stored);
}

describe('Round trip', () => {
  test.each<TreeLayout>(['A', 'B', 'mixed'])(
    'gives a tree of layout %s with every awkward content, name, link and mode back',
    async (layout) => {
      const home = newHome();
      generateTree(home, { layout, sbis: 12, seed: 7, awkward: true });

      await expectRoundTrip(home);
    },
  );

  test('gives files around the size of a chunk back', async () => {
    const home = newHome();
    const attachments = { count: 1, bytes: 1_048_576 };
    generateTree(home, { layout: 'A', sbis: 1, seed: 2, attachments });
    for (const [name, size] of Object.entries({ less: -1, more: 1, twice: 1_048_576 })) {
      execFileSync('truncate', ['-s', String(1_048_576 + size), join(home, `archives/${name}`)]);
    }

    await expectRoundTrip(home);
  });

  (hasFixture ? test : test.skip)('gives the tree of the Go tool back', async () => {
    const directory = temporaryDirectory();
    execFileSync('tar', ['-xzf', archive, '-C', directory]);
    const [home] = execFileSync('find', [directory, '-name', '.deespec'], { encoding: 'utf8' }).split('\n');

    await expectRoundTrip(home!);
  });
});
