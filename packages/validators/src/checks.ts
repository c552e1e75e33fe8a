import type { Checks, Finding, ShapeProblem } from '@deespec/domain';

import { fileShapes } from './file-shapes.js';
import { rowShapes, type RowKind } from './row-shapes.js';
import { statusConsistency, turnSequence } from './rules.js';
import { problemsOf } from './shape.js';

/** The checks of untrusted values: shapes by class-validator, the document's rules by name. */
export const checks: Checks = {
  shape: (kind, value) => problemsOf(fileShapes[kind], value),
  rules: (sbi, executions): Finding[] => [
    ...turnSequence(sbi, executions),
    ...statusConsistency(sbi, executions),
  ],
};

/** Problems of a row as read back from a database; `[]` when it has its table's shape. Unknown columns are no problem. */
export function rowProblems(kind: RowKind, row: unknown): readonly ShapeProblem[] {
  return problemsOf(rowShapes[kind], row);
}
