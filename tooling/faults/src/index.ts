export { runProduct, misbehaviour } from './product.js';
export type { ProductOptions, ProductRun } from './product.js';
export { seededBugs } from './seeded-bugs.js';
export type { BugName, SeededBug } from './seeded-bugs.js';
export { suites } from './suites/index.js';
export type { Bad, Suite, SuiteContext, SuiteReport } from './suite.js';
