import { accountRules } from './account-rules.js';
import { recordRules } from './record-rules.js';
import { rowRules } from './row-rules.js';
import type { ConsistencyRule } from './rule.js';

/** Every rule that a database can be asked by itself. `docs/rules.md` has one row for each. */
export const consistencyRules: readonly ConsistencyRule[] = [...recordRules, ...rowRules, ...accountRules];
