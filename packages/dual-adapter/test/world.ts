import { isStorageError, type ErrorCode } from '@deespec/domain';

/** Faults that a test can seed into the memory stores: each breaks one promise of the ports, and must be found. */
export type Mutation =
  | 'debt after the change'
  | 'debt cleared when read'
  | 'debt cleared whatever its revision'
  | 'acknowledged before durable'
  | 'append repeated by recovery'
  | 'settled whatever the database holds'
  | 'names not synced'
  | 'conflicts not kept'
  | 'clock ahead of the files';

/** The process died. No error of the product: nothing may catch it and go on. */
export class Crash extends Error {}

/**
 * What stores, schedule and clock share: the seed's random numbers, the fuse that kills the process, and what others do
 * between two calls.
 */
export class World {
  /** Calls until the process dies. */
  fuse = Infinity;
  isDead = false;
  /** True while payments must not be refused. */
  isQuiet = false;
  nowMs = Date.UTC(2026, 0, 2, 3, 4, 5);
  /** Called at each call of a port: what other programs do at that moment. */
  meanwhile: () => void = () => undefined;
  /** Keeps the state after each step in the story, too. */
  isTold = false;
  /** What happened, for the one who looks at a seed that fails. */
  readonly story: string[] = [];
  #state: number;
  #isInside = false;
  #last = 0;

  constructor(
    readonly seed: number,
    readonly mutation?: Mutation,
  ) {
    this.#state = (seed * 2_654_435_761) >>> 0;
  }

  /** mulberry32 */
  random(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  }

  chance(probability: number): boolean {
    return this.random() < probability;
  }

  below(limit: number): number {
    return Math.floor(this.random() * limit);
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!;
  }

  /** A number that nothing else has. */
  next(): number {
    this.#last += 1;
    return this.#last;
  }

  now = (): Date => new Date(this.nowMs + (this.mutation === 'clock ahead of the files' ? 10_000 : 0));

  /** The time of the file system: it ticks every 10 ms. */
  fileTimeNs(): bigint {
    return BigInt(Math.floor(this.nowMs / 10) * 10) * 1_000_000n;
  }

  /** Begins a call of a port: others may do something first. */
  enter(): void {
    if (this.isDead) throw new Crash('dead');
    if (this.#isInside) return;
    this.#isInside = true;
    if (this.chance(0.2)) this.nowMs += this.chance(0.1) ? 3_000 : 1;
    this.meanwhile();
    this.#isInside = false;
  }

  /** A point between two steps that a crash can separate. */
  burn(): void {
    if (this.isDead) throw new Crash('dead');
    if (this.#isInside) return;
    this.fuse -= 1;
    if (this.fuse > 0) return;
    this.isDead = true;
    this.story.push('killed');
    throw new Crash('killed');
  }

  /** A new process. */
  revive(): void {
    this.isDead = false;
    this.fuse = Infinity;
  }

  /** Does something without others in between and without a crash. */
  alone<T>(work: () => T): T {
    const was = this.#isInside;
    this.#isInside = true;
    try {
      return work();
    } finally {
      this.#isInside = was;
    }
  }
}

/** The code of what `work` fails with; `undefined` when it does not. Rethrows a crash. */
export async function codeOf(work: () => Promise<unknown>): Promise<ErrorCode | undefined> {
  try {
    await work();
    return undefined;
  } catch (error) {
    if (isStorageError(error)) return error.code;
    throw error;
  }
}
