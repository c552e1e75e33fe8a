export { awkwardContents, awkwardNames } from './awkward-lists.js';
export type { AwkwardContent } from './awkward-lists.js';
export { damages, damageTree } from './damage.js';
export type { Damage } from './damage.js';
export { Random } from './random.js';
export { generateTree } from './generate.js';
export type { TreeOptions, TreeSummary } from './generate.js';
export type { TreeLayout } from './furniture.js';
export type { TreeCounts } from './tree-writer.js';
