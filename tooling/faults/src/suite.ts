import type { Capability } from './capabilities.js';
import type { BugName } from './seeded-bugs.js';

/** `ci`: a sample of minutes that every change runs; `full`: the whole sweep, at most an hour. */
export type Share = 'ci' | 'full';

/** What a suite gets. */
export interface SuiteContext {
  /** An empty directory of the suite's own, on a real disk; removed afterwards. */
  readonly directory: string;
  readonly share: Share;
  /** Every choice by chance is drawn from it; printed with the report. */
  readonly seed: number;
  /** Bugs that are switched on in every process of the product that the suite starts. */
  readonly bugs: readonly BugName[];
  /** Names of the operations or cases that are asked for; empty: all. */
  readonly only: readonly string[];
  /** At most so many points of each operation; absent: as the share says. */
  readonly points?: number;
  /** Only calls whose arguments match; absent: all. */
  readonly near?: RegExp;
  /** Bad points after which a suite need not go on; `Infinity` where all are wanted. */
  readonly enough: number;
  /** Cases that run at the same time. */
  readonly workers: number;
  /** One line for people, about what is being done. */
  readonly say: (line: string) => void;
}

/** One point at which what must hold did not hold. */
export interface Bad {
  /** Which operation and fault, enough to do it again. */
  readonly point: string;
  readonly what: string;
}

/** What a suite saw. */
export interface SuiteReport {
  /** Faults that were injected, or cases that were run: each had the chance to be bad. */
  readonly points: number;
  readonly bad: readonly Bad[];
  /** Further figures, by name, in order. */
  readonly facts: Readonly<Record<string, number | string>>;
  /** What `--write` puts into its file: Markdown. */
  readonly page?: string;
}

/** One way of treating the product badly. */
export interface Suite {
  /** The word on the command line. */
  readonly name: string;
  /** One line: what is done to the product, and what must hold. */
  readonly about: string;
  /** What the machine must allow; else the suite is skipped with a message. */
  readonly needs: readonly Capability[];
  run(context: SuiteContext): Promise<SuiteReport>;
}
