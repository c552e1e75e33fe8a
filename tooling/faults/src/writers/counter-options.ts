/** What a counter is started with: its first argument, as JSON. */
export interface CounterOptions {
  readonly home: string;
  /** File of its ledger. */
  readonly ledger: string;
  /** Counted from 1. */
  readonly counter: number;
  /** The number at which it ends. */
  readonly until: number;
  /** `fixed`: times and ids of lines depend on the number alone, so that another tree gets the same bytes. */
  readonly clock: 'fixed' | 'own';
  /** Between two numbers, milliseconds. */
  readonly pauseMs: number;
}
