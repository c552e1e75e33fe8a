import { operations as jobs, type Operation } from './operation.js';
import { treeOperations } from './dual/tree-operations.js';
import { sample } from './parallel.js';
import { repairOperations } from './repair/repair-operations.js';
import type { SuiteContext } from './suite.js';

/** What exists in several modes. */
const inModes: readonly Operation[] = [...treeOperations, ...repairOperations];

/** Every operation: the main job first, then what writes into the tree or repairs its database, in each mode. */
export const allOperations: readonly Operation[] = [...jobs, ...inModes];

/** What a suite tries beside the operations of every suite, and how much of it. */
export interface OperationChoice {
  /** At most this many of those that exist in several modes in the CI share; absent: one of each kind. */
  readonly most?: number | undefined;
  /** Operations of this suite alone; in the CI share one of each kind. */
  readonly further?: readonly Operation[];
  /** Likewise, which the CI share leaves out unless they are asked for. */
  readonly rare?: readonly Operation[];
}

/**
 * The operations that are asked for, by name or kind. When none is: all, but in the CI share only one of each kind of those that
 * exist in several modes; another seed takes it in another mode.
 */
export function chooseOperations(
  { only, share, seed }: Pick<SuiteContext, 'only' | 'share' | 'seed'>,
  { most = Infinity, further = [], rare = [] }: OperationChoice = {},
): readonly Operation[] {
  const known = [...allOperations, ...further, ...rare];
  if (only.length > 0) return known.filter(({ name, kind }) => only.includes(name) || only.includes(kind));
  if (share === 'full') return known;
  const chosen = oneOfEachKind(inModes, seed);
  return [...jobs, ...(most === 0 ? [] : sample(chosen, most, seed)), ...oneOfEachKind(further, seed)];
}

function oneOfEachKind(operations: readonly Operation[], seed: number): readonly Operation[] {
  const kinds = [...new Set(operations.map(({ kind }) => kind))];
  return kinds.map((wanted, number) => {
    const same = operations.filter(({ kind }) => kind === wanted);
    return same[(number + seed) % same.length]!;
  });
}
