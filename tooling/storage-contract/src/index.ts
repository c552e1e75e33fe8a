export { indexContract } from './index-contract.js';
export { openMemoryStorage } from './memory-storage.js';
export { MemoryTreeStore } from './memory-tree-store.js';
export type { OpenedStorage, OpenStorage } from './open-storage.js';
export { treeStoreContract } from './tree-store-contract.js';
export { storageContract } from './storage-contract.js';
export type { OpenedApi } from './storage-contract.js';
