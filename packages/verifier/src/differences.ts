/** What kind of thing differs. */
export type DifferenceKind =
  /** Tree against database. */
  | 'missing-in-database'
  | 'missing-in-tree'
  | 'kind'
  | 'mode'
  | 'content'
  | 'target'
  /** What the database says of itself. */
  | 'missing-content'
  | 'stored-content'
  | 'unreferenced-content'
  | 'integrity'
  | 'foreign-key'
  | 'schema';

/** One difference between tree and database, or one thing wrong with the database. */
export interface Difference {
  readonly what: DifferenceKind;
  /** Path for display, or the table or object. */
  readonly where: string;
  /** What the tree holds, or what the database ought to hold; of a missing entry, what the other side holds. */
  readonly expected: string;
  /** What the database holds. */
  readonly actual: string;
}

/** Differences that are kept by name; all are counted. A bound, so that memory stays flat. */
const keptDifferences = 1000;

/** Collects differences. */
export class Differences {
  readonly kept: Difference[] = [];
  /** Of those that are kept and are about an entry that both sides hold differently: its path, a byte string. */
  readonly paths = new Map<Difference, string>();
  #count = 0;

  get count(): number {
    return this.#count;
  }

  add(difference: Difference, path?: string): void {
    this.#count += 1;
    if (this.kept.length >= keptDifferences) return;
    this.kept.push(difference);
    if (path !== undefined) this.paths.set(difference, path);
  }
}
