export { arbitraryTree, writeArbitraryTree } from './arbitrary-tree.js';
export type { ArbitraryTree } from './arbitrary-tree.js';
export type { ArbitraryNode, NamedNode } from './arbitrary-node.js';
