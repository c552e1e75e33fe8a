/** `error`: the entry is not interpreted; migrate refuses without `--quarantine`. `warning`: reported, nothing withheld. */
export type Severity = 'error' | 'warning';

/** One thing a rule found. */
export interface Finding {
  /** Name of the rule; `docs/rules.md` has one row for each. */
  readonly rule: string;
  readonly severity: Severity;
  /** The SBI's id where there is one, else the path for display. */
  readonly entity: string;
  /** Path for display, see `displayPath`. */
  readonly path?: string;
  /** Line of the file, counted from 1. */
  readonly line?: number;
  readonly expected: string;
  /** What was found; never a whole file, at most 200 characters. */
  readonly actual: string;
  /** What the user does about it. */
  readonly fix: string;
}
