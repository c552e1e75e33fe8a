import type { TreePath } from '@deespec/domain';

/** Compares two paths in scan order: a directory, then its content, then what sorts behind its name. */
export function compareScanOrder(one: string, other: string): number {
  const length = Math.min(one.length, other.length);
  for (let at = 0; at < length; at += 1) {
    const a = one.charCodeAt(at);
    const b = other.charCodeAt(at);
    if (a === b) continue;
    // The slash sorts before every byte of a name.
    if (a === SLASH) return -1;
    return b === SLASH ? 1 : a - b;
  }
  return one.length - other.length;
}

const SLASH = 47;

/** One path of two lists, with what each of them has of it. */
export interface Pair<A, B> {
  readonly path: TreePath;
  readonly left: A | undefined;
  readonly right: B | undefined;
}

/** Walks two lists in scan order side by side. Streams. */
export function* pair<A extends { readonly path: TreePath }, B extends { readonly path: TreePath }>(
  left: Iterable<A>,
  right: Iterable<B>,
): Generator<Pair<A, B>> {
  const [lefts, rights] = [left[Symbol.iterator](), right[Symbol.iterator]()];
  try {
    let [a, b] = [lefts.next(), rights.next()];
    while (a.done !== true || b.done !== true) {
      const order = a.done === true ? 1 : b.done === true ? -1 : compareScanOrder(a.value.path, b.value.path);
      const one = a.done !== true && order <= 0 ? a.value : undefined;
      const other = b.done !== true && order >= 0 ? b.value : undefined;
      yield { path: (one ?? other)!.path, left: one, right: other };
      if (one !== undefined) a = lefts.next();
      if (other !== undefined) b = rights.next();
    }
  } finally {
    lefts.return?.();
    rights.return?.();
  }
}

/** The directories above a path, the topmost first. */
export function ancestorsOf(path: TreePath): TreePath[] {
  const found: TreePath[] = [];
  for (let slash = path.indexOf('/'); slash > 0; slash = path.indexOf('/', slash + 1)) {
    found.push(path.slice(0, slash) as TreePath);
  }
  return found;
}

/** How many directories are above a path. */
export function depthOf(path: TreePath): number {
  return ancestorsOf(path).length;
}
