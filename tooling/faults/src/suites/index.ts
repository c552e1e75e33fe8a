import type { Suite } from '../suite.js';
import { kill } from './kill.js';

/** Every suite, in the order in which `all` runs them. */
export const suites: readonly Suite[] = [kill];
