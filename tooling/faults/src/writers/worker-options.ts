/** What a worker is started with: its first argument, as JSON. */
export interface WorkerOptions {
  readonly home: string;
  /** File of its ledger. */
  readonly ledger: string;
  readonly name: string;
  readonly seed: number;
  /** Acknowledged writes after which it ends, over all its lives. */
  readonly writes: number;
  /** Which life this is, counted from 1. */
  readonly life: number;
  /** `busy`: a command may have the tree to itself; then it waits and tries again. `none`: nobody disturbs it. */
  readonly expects: 'none' | 'busy';
}

/** What a reader is started with. */
export interface ReaderOptions {
  readonly home: string;
  readonly seed: number;
  readonly expects: WorkerOptions['expects'];
}

/** What a worker says after each acknowledged write. */
export interface Acknowledged {
  readonly acknowledged: number;
}

/** What a reader says: how many looks it had, and what it should never have seen. */
export interface Seen {
  readonly looks: number;
  readonly wrong?: string;
}
