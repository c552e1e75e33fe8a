import { existsSync, readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

import { makeDatabase, makeTree, mustSucceed } from '../operation.js';
import { copyPlace, makePlace, type Place } from '../place.js';

/** What stands in a place before an operation: a mode, or mode `file` with a database that was migrated. */
export type Base = 'file' | 'migrated' | 'dual_write' | 'sqlite';

/** Fills an empty place with the tree of {@link makeTree} in a mode. Each mode is made once for all places of a directory. */
export async function fillPlace(place: Place, base: Base): Promise<void> {
  if (base === 'file') return makeTree(place);
  if (base === 'migrated') return makeDatabase(place);
  const shared = join(dirname(place.directory), `base-${base}`);
  if (!existsSync(shared)) await makeBase(makePlace(shared), base);
  copyPlace({ ...place, directory: shared }, place.directory);
}

async function makeBase(place: Place, mode: string): Promise<void> {
  await makeDatabase(place);
  await mustSucceed(place, ['mode', 'set', 'dual_write', '--home', place.home]);
  if (mode !== 'dual_write') await mustSucceed(place, ['mode', 'set', mode, '--home', place.home]);
}

/** Ids of the backlog items in a place of {@link makeTree}, by the layout of their directories. */
export function itemsOf({ home }: Place): { readonly a: readonly string[]; readonly b: readonly string[] } {
  const all = join(home, 'specs/sbi');
  const names = readdirSync(all).sort();
  const withFile = (file: string): string[] =>
    names
      .filter((name) => existsSync(join(all, name, file)))
      .map((name) => basename(name).slice(0, 'SBI-'.length + 26));
  return { a: withFile('state.json'), b: withFile('meta.yml') };
}
