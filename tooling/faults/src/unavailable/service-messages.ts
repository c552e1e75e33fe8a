/** What a service is started with: its first argument, as JSON. */
export interface ServiceOptions {
  readonly home: string;
  readonly name: string;
}

/** A write that a service is asked for: a new item, or another title of one that exists. */
export interface Ask {
  readonly ask: number;
  readonly id: string;
  readonly title: string;
}

/** What came of it. */
export interface Answer {
  readonly ask: number;
  /** `ok`, or the code and message of the error. */
  readonly outcome: string;
  readonly tookMs: number;
  readonly mode: string;
}
