/** What a worker is to do: the mutants `from`, `from + step`, ... below `to`. */
export interface WorkerOrder {
  readonly seed: number;
  readonly from: number;
  readonly to: number;
  readonly step: number;
  /** Mutants whose number is a multiple go through a whole migration as well. */
  readonly wholeEvery: number;
  /** A path of the worker's own; made and removed for each whole migration. */
  readonly directory: string;
}

/** What a worker reports. */
export type FromWorker =
  | { readonly kind: 'start'; readonly index: number }
  | {
      readonly kind: 'end';
      readonly index: number;
      readonly wrong: readonly string[];
      readonly quarantined: number;
      readonly cpuMs: number;
      readonly whole: 'no' | 'done' | 'refused';
    };
