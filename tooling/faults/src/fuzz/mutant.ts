import { baseName, parentPath, type TreePath } from '@deespec/domain';
import { Random } from '@deespec/trees';

import { awkwardBytes, awkwardNames } from './awkward-tokens.js';
import type { FuzzEntry, FuzzTree } from './fuzz-tree.js';
import { mutateBytes } from './mutate-bytes.js';
import { targets, validTree } from './valid-tree.js';

/** A tree that was valid before it was changed. */
export interface Mutant {
  readonly tree: FuzzTree;
  /** What was done to which entry. */
  readonly how: string;
}

/** The mutant of this number: the same on every machine, whatever else is run. */
export function makeMutant(seed: number, index: number): Mutant {
  const random = new Random(Math.imul(seed, 0x9e3779b1) ^ Math.imul(index, 0x85ebca6b));
  const tree = validTree();
  const draw = random.next();
  if (draw < 0.82) return { tree, how: mutateContent(tree, random) };
  if (draw < 0.94) return { tree, how: rename(tree, random) };
  return { tree, how: changeKind(tree, random) };
}

function mutateContent(tree: FuzzTree, random: Random): string {
  const path = random.pick(targets) as string as TreePath;
  const entry = tree.get(path)!;
  const { bytes, how } = mutateBytes(entry.bytes, random);
  tree.set(path, { ...entry, bytes });
  return `${path}: ${how}`;
}

/** Gives one entry another name, or a second one; what lies below goes with it. */
function rename(tree: FuzzTree, random: Random): string {
  const old = random.pick([...tree.keys()]);
  const name = random.chance(0.7) ? random.pick(awkwardNames).toString('latin1') : mutateName(old, random);
  const parent = parentPath(old);
  const path = (parent === '' ? name : `${parent}/${name}`) as TreePath;
  if (!isPossible(name) || tree.has(path)) return `${old}: not renamed`;
  const isCopy = random.chance(0.5);
  for (const entry of [...tree.values()]) {
    if (entry.path !== old && !entry.path.startsWith(`${old}/`)) continue;
    const to = `${path}${entry.path.slice(old.length)}` as TreePath;
    if (!isCopy) tree.delete(entry.path);
    tree.set(to, { ...entry, path: to });
  }
  return `${old}: ${isCopy ? 'copied' : 'renamed'} to ${JSON.stringify(name)}`;
}

function mutateName(path: TreePath, random: Random): string {
  const name = baseName(path);
  const at = random.int(0, name.length);
  const rest = name.slice(at + random.int(0, 2));
  return `${name.slice(0, at)}${random.pick(awkwardBytes).toString('latin1')}${rest}`;
}

/** Names of the product's own, and of the files that it ignores. */
const reserved = /^(?:deespec\.db|\.storage|backups|\.tmp[.-])|\.tmp$|^(?:state\.lock|runlock)$/u;

function isPossible(name: string): boolean {
  const isName = name !== '' && name !== '.' && name !== '..' && name.length <= 255;
  return isName && !/[/\0]/u.test(name) && !reserved.test(name);
}

/** Puts a symlink, a directory or an empty file where something else stood; what lay below is gone. */
function changeKind(tree: FuzzTree, random: Random): string {
  const path = random.pick([...tree.keys()]);
  const kind = random.pick(['file', 'directory', 'symlink'] as const);
  for (const below of [...tree.keys()]) if (below.startsWith(`${path}/`)) tree.delete(below);
  const target = Buffer.from(random.pick(['spec.md', '/etc/passwd', '..', '\u001b[2J', path]));
  const bytes = kind === 'symlink' ? target : Buffer.alloc(0);
  const entry: FuzzEntry = { path, kind, bytes };
  tree.set(path, entry);
  return `${path}: a ${kind}`;
}
