import type { TreePath } from '@deespec/domain';

/**
 * What must not be lost: every content that was acknowledged, or that another program wrote, until somebody who saw it
 * replaced or removed it. Contents are texts that occur once.
 */
export class Promises {
  /** Content, or line of a journal, with what may be there in its place: an edit that was cut off. */
  readonly #must = new Map<string, string[]>();
  /** What somebody saw and replaced, perhaps before its writer learned that it was acknowledged. */
  readonly #gone = new Set<string>();
  /** Paths that other programs had their hands on. */
  readonly foreign = new Set<string>();

  add(content: string): void {
    if (!this.#gone.has(content)) this.#must.set(content, []);
  }

  /** Somebody who saw it replaced it. */
  supersede(content: string): void {
    for (const part of partsOf(content)) {
      this.#must.delete(part);
      this.#gone.add(part);
      for (const [old, instead] of this.#must) if (instead.includes(part)) this.#must.delete(old);
    }
  }

  /** Somebody who saw it wanted to replace it, and died: either is right. */
  supersedePerhaps(content: string, by: string | undefined): void {
    if (by === undefined) return this.supersede(content);
    for (const part of partsOf(content)) {
      this.#must.get(part)?.push(by);
      // An edit that was cut off, replaced by another one that was.
      for (const instead of this.#must.values()) if (instead.includes(part)) instead.push(by);
    }
  }

  /** What of it is in none of the contents. */
  lostFrom(contents: Iterable<Buffer>): string[] {
    const there = new Set([...contents].flatMap((bytes) => partsOf(bytes.toString('latin1'))));
    const isThere = (part: string): boolean => there.has(part);
    return [...this.#must]
      .filter(([part, instead]) => !isThere(part) && !instead.some(isThere))
      .map(([part]) => part);
  }

  touch(path: TreePath): void {
    this.foreign.add(path);
  }

  isForeign(path: string): boolean {
    return [...this.foreign].some(
      (each) => each === path || path.startsWith(`${each}/`) || each.startsWith(`${path}/`),
    );
  }
}

function partsOf(content: string): string[] {
  return content.split('\n').filter((part) => part !== '');
}
