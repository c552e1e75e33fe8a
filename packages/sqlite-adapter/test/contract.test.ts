import { afterAll } from '@jest/globals';
import { indexContract, treeStoreContract } from '@deespec/storage-contract';

import { freshStorage, removeDirectories } from './support.js';

afterAll(removeDirectories);

const open = async () => {
  const { storage, close } = await freshStorage();
  return { store: storage.store, index: storage.index, close };
};

treeStoreContract('sqlite', open);
indexContract('sqlite', open);
