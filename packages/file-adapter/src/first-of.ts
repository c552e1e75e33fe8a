/** The first of many in some order. Holds no more than about twice as many as it is asked for, however many it is offered. */
export class FirstOf<T> {
  #kept: T[] = [];
  /** The last of those that count; nothing behind it does. */
  #last: T | undefined;

  constructor(
    private readonly compare: (a: T, b: T) => number,
    private readonly limit: number,
  ) {}

  /** Whether a value would count, as far as is known. */
  wants(value: T): boolean {
    return this.#last === undefined || this.compare(value, this.#last) < 0;
  }

  offer(value: T): void {
    if (!this.wants(value)) return;
    this.#kept.push(value);
    if (this.#kept.length >= 2 * this.limit) this.#cut();
  }

  /** What was offered and counts, in order. */
  get inOrder(): readonly T[] {
    this.#cut();
    return this.#kept;
  }

  #cut(): void {
    this.#kept = this.#kept.sort(this.compare).slice(0, this.limit);
    if (this.#kept.length === this.limit) this.#last = this.#kept.at(-1);
  }
}
