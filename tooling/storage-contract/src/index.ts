export { indexContract } from './index-contract.js';
export { MemoryTreeStore, openMemoryStorage } from './memory-storage.js';
export type { OpenedStorage, OpenStorage } from './open-storage.js';
export { treeStoreContract } from './tree-store-contract.js';
