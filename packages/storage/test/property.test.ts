import { arbitraryTree, writeArbitraryTree } from '@deespec/trees/arbitrary';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { rmSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { digest, exportTree, migrate, verify } from '../src/index.js';
import { microsecondListing, newHome, propertyRuns } from './support.js';

/** Trees per run of the suite: 100 in CI, 20,000 at night. */
const runs = propertyRuns();

describe('Any tree', () => {
  test(
    'comes back byte for byte, whatever is quarantined, and a second run has nothing to write',
    async () => {
      const property = fc.asyncProperty(arbitraryTree(), async (tree) => {
        const home = newHome();
        try {
          writeArbitraryTree(home, tree);
          const source = await digest({ directory: home });
          const output = join(dirname(home), 'export');

          const migrated = await migrate({ home, quarantine: true });
          const verified = await verify({ home, checkAll: true });
          await exportTree({ home, output });
          const again = await migrate({ home, quarantine: true });

          expect(migrated).toMatchObject({ digest: source.digest, equation: { holds: true } });
          expect(verified.differences).toEqual([]);
          expect((await digest({ directory: output })).digest).toBe(source.digest);
          expect(microsecondListing(output)).toEqual(microsecondListing(home));
          expect(again.written).toMatchObject({ entries: 0, bytes: 0, rows: 0, removed: 0 });
        } finally {
          rmSync(dirname(home), { recursive: true });
        }
      });

      await fc.assert(property, runs);
    },
    runs.numRuns * 6_000 + 30_000,
  );
});
