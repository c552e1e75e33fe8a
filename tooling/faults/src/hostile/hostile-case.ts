import type { Capability } from '../capabilities.js';
import type { ProductRun } from '../product.js';
import type { Place } from './place.js';

/**
 * What must become of an input: `exact` migrated, verified and exported byte for byte; `quarantine` refused and listed, with
 * `--quarantine` kept and exported byte for byte; `refuse` an error with a code, nothing published; `not applicable` no command
 * takes such input.
 */
export type Verdict = 'exact' | 'quarantine' | 'refuse' | 'not applicable';

/** A finding that must be reported: the path below the tree, for display, empty for one on rows, and the rule. */
export type ExpectedFinding = readonly [path: string, rule: string];

/** A command that must fail. */
export interface Refusal {
  /** Without `--home`, which is added. */
  readonly args: readonly string[] | ((place: Place) => readonly string[]);
  readonly exit: number;
  readonly code: string;
}

/** What must be seen. */
export type Expectation =
  | { readonly verdict: 'exact'; readonly warnings?: readonly ExpectedFinding[] }
  | {
      readonly verdict: 'quarantine';
      /** Exactly these entries and rules, severity `error`. */
      readonly errors: readonly ExpectedFinding[];
      readonly warnings?: readonly ExpectedFinding[];
    }
  | { readonly verdict: 'refuse'; readonly refusals: readonly Refusal[] }
  | { readonly verdict: 'not applicable' };

/** One row of the catalogue. */
export interface HostileCase {
  /** Two figures and a letter before them; further cases of one row end in a letter. */
  readonly id: string;
  /** In words, on one line. */
  readonly input: string;
  /** What was decided, and why, where the row alone does not say it. */
  readonly note?: string;
  readonly expect: Expectation;
  readonly needs?: readonly Capability[];
  /** Makes the input; a valid tree stands at the place already. */
  prepare?(place: Place): void | Promise<void>;
  /** Begins what goes on while the commands run; returns what ends it. The source then may change. */
  meanwhile?(place: Place): () => Promise<void>;
  /** What else must hold once the verdict's own commands have run: what does not, in words. */
  check?(place: Place, runs: readonly ProductRun[]): string[] | Promise<string[]>;
  /** Takes back what would keep the place from being removed, such as a mount. */
  cleanUp?(place: Place): void;
  /** A command that runs the product, such as one that changes the user. */
  readonly wrapper?: readonly string[];
  /** `listing`: the contents are too large, or their paths too long, to be hashed by other programs. */
  readonly compare?: 'content' | 'listing';
  /** Takes minutes: the full sweep only. */
  readonly isHeavy?: boolean;
}

/** Several inputs of one kind in one tree: the content of a file of an SBI, and the rule that keeps it out, if any. */
export type FileRow = readonly [content: string | Buffer, rule?: string];
