import type { Execution } from './execution.js';
import type { Finding } from './finding.js';
import type { Sbi } from './sbi.js';

/** Kinds of file whose parsed value has a shape. */
export type ShapeKind =
  'state' | 'meta' | 'setting' | 'workflow' | 'go-state' | 'journal-line' | 'tx-manifest' | 'tx-commit';

/** One property that does not have its shape. */
export interface ShapeProblem {
  /** Dotted path of the property; empty for the value itself. */
  readonly property: string;
  readonly expected: string;
  /** The value, shortened to 200 characters. */
  readonly actual: string;
}

/** What the layout asks about untrusted values; `@deespec/validators` answers. A port, so that the layout stays pure. */
export interface Checks {
  /** Problems of `value` as a file or line of `kind`; `[]` when it has the shape. Unknown keys are no problem. */
  shape(kind: ShapeKind, value: unknown): readonly ShapeProblem[];
  /** The document's rules on one SBI with its executions (of all runs, in list order): `warning` findings. */
  rules(sbi: Sbi, executions: readonly Execution[]): readonly Finding[];
}
