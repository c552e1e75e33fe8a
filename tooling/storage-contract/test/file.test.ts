import { openFileStorage } from '@deespec/file-adapter';
import { expect } from '@jest/globals';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { indexContract, treeStoreContract, type OpenedStorage } from '../src/index.js';

const open = async (): Promise<OpenedStorage> => {
  const home = mkdtempSync(join(tmpdir(), 'contract-'));
  const leftovers: string[] = [];
  const { store, index } = openFileStorage({ home, onIgnored: ({ path }) => leftovers.push(path) });
  return {
    store,
    index,
    close: async () => {
      await store.close();
      for (const _ of store.scan()); // reports temporary files that were left behind
      rmSync(home, { recursive: true });
      expect(leftovers).toEqual([]);
    },
  };
};

treeStoreContract('file', open);
indexContract('file', open);
