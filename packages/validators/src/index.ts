export { checks, rowProblems } from './checks.js';
export type { RowKind } from './row-shapes.js';
export { validatorRules } from './rules.js';
export type { ValidatorRule } from './rules.js';
