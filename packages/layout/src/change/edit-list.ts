import type { Expected, TreeEdit, TreePath, TreeVersion } from '@deespec/domain';

/** An edit that a change can be: the whole content is at hand, and nothing is removed one by one. */
export type PlannedEdit = PlannedPut | Extract<TreeEdit, { readonly op: 'append' | 'discard' }>;

interface PlannedPut {
  readonly op: 'put';
  readonly version: TreeVersion & { readonly bytes: Buffer };
  readonly expected: Expected;
}

/** Edits in the order in which they are to be made, without those that a later one makes needless. */
export class EditList {
  private readonly edits = new Map<number, PlannedEdit>();
  /** Which edit puts a path, as long as the next put of that path can take its place. */
  private readonly puts = new Map<TreePath, number>();
  private count = 0;

  get all(): readonly PlannedEdit[] {
    return [...this.edits.values()];
  }

  add(edit: PlannedEdit): void {
    if (edit.op === 'put') this.put(edit);
    else if (edit.op === 'discard') this.discard(edit);
    else {
      this.puts.delete(edit.path);
      this.push(edit);
    }
  }

  /** A path is put once, where its last put is, since readers trust the file that is written last. */
  private put({ op, version, expected }: PlannedPut): void {
    const known = this.puts.get(version.path);
    const first = known === undefined ? undefined : (this.edits.get(known) as PlannedPut);
    if (known !== undefined) this.edits.delete(known);
    const edit = { op, version, expected: first === undefined ? expected : first.expected };
    this.puts.set(version.path, this.push(edit));
  }

  /** What was not there before the edits needs neither to be made nor to be discarded. */
  private discard(edit: Extract<PlannedEdit, { op: 'discard' }>): void {
    const isMade = this.isMade(this.puts.get(edit.path));
    for (const [path, at] of this.puts) {
      if (path !== edit.path && !path.startsWith(`${edit.path}/`)) continue;
      this.puts.delete(path);
      if (this.isMade(at)) this.edits.delete(at);
    }
    if (!isMade) this.push(edit);
  }

  private isMade(at: number | undefined): boolean {
    return at !== undefined && (this.edits.get(at) as PlannedPut).expected === undefined;
  }

  private push(edit: PlannedEdit): number {
    this.count += 1;
    this.edits.set(this.count, edit);
    return this.count;
  }
}
