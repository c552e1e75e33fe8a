import type { Suite } from '../suite.js';

/** Every suite, in the order in which `all` runs them. */
export const suites: readonly Suite[] = [];
