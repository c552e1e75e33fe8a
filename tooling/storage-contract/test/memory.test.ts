import { indexContract, openMemoryStorage, treeStoreContract } from '../src/index.js';

const open = () => Promise.resolve({ ...openMemoryStorage(), close: () => Promise.resolve() });

treeStoreContract('memory', open);
indexContract('memory', open);
