import { operations as jobs, type Operation } from './operation.js';
import { treeOperations } from './dual/tree-operations.js';
import { sample } from './parallel.js';
import { repairOperations } from './repair/repair-operations.js';
import type { SuiteContext } from './suite.js';

/** What exists in several modes. */
const inModes: readonly Operation[] = [...treeOperations, ...repairOperations];

/** Every operation: the main job first, then what writes into the tree or repairs its database, in each mode. */
export const allOperations: readonly Operation[] = [...jobs, ...inModes];

/**
 * The operations that are asked for, by name or kind. When none is: all, but in the CI share only one of each kind of those that
 * exist in several modes; another seed takes it in another mode.
 *
 * @param most - at most this many of those that exist in several modes in the CI share
 */
export function chooseOperations(
  { only, share, seed }: Pick<SuiteContext, 'only' | 'share' | 'seed'>,
  most = Infinity,
): readonly Operation[] {
  if (only.length > 0)
    return allOperations.filter(({ name, kind }) => only.includes(name) || only.includes(kind));
  if (share === 'full') return allOperations;
  const kinds = [...new Set(inModes.map(({ kind }) => kind))];
  const chosen = kinds.map((wanted, number) => {
    const same = inModes.filter(({ kind }) => kind === wanted);
    return same[(number + seed) % same.length]!;
  });
  return [...jobs, ...(most === 0 ? [] : sample(chosen, most, seed))];
}
