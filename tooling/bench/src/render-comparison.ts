import { table } from 'table';

import type { Comparison } from './compare.js';

/** Ratios beside those of the kept run, for people. @param compared - `undefined`: there is nothing to compare with */
export function renderComparison(compared: readonly Comparison[] | undefined): string {
  if (compared === undefined)
    return 'No kept run of this size to compare with: "npm run bench -- --save" keeps one.\n';
  const rows = compared.map(({ name, before, now, isRegression }) => [
    name,
    `${before.toFixed(2)} x`,
    `${now.toFixed(2)} x`,
    `${now >= before ? '+' : ''}${((now / before - 1) * 100).toFixed(0)} %`,
    isRegression ? 'REGRESSION' : '',
  ]);
  return table([['to its baseline', 'kept run', 'this run', 'change', ''], ...rows]);
}
