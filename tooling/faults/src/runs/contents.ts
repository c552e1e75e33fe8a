import type { TreeState } from '../dual/tree-state.js';

/** What a tree holds: hash by path, without what a cut-over changes on purpose and what is ours. */
export type Contents = ReadonlyMap<string, string>;

/** What one store holds. */
export function contentsOf({ tree, stored }: TreeState, store: 'files' | 'database'): Contents {
  const all: Iterable<readonly [string, string]> =
    store === 'database' ? stored : [...tree].map(([path, { sha256 }]) => [path, sha256] as const);
  return new Map([...all].filter(([path]) => !isPassing(path)));
}

/** The mode stands in `setting.json`; backups and the lock that keeps the workflow tool out come and go. */
function isPassing(path: string): boolean {
  return /^(?:setting\.json|backups(?:\/.*)?|var\/(?:state\.lock|runlock)(?:\/.*)?)$|(?:^|\/)\.tmp-/u.test(
    path,
  );
}

/** Paths in which two stores differ. */
export function differences(one: Contents, other: Contents): string[] {
  const paths = new Set([...one.keys(), ...other.keys()]);
  return [...paths].filter((path) => one.get(path) !== other.get(path));
}
