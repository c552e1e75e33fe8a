import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';

import { makeDatabase, makeTree, mustSucceed } from '../operation.js';
import { copyPlace, makePlace, type Place } from '../place.js';

/** What stands in a place before an operation: a mode, or mode `file` with a database that was migrated. */
export type Base = 'file' | 'migrated' | 'dual_write' | 'sqlite';

/** Places that are made once, for every suite of this process to copy. */
const bases = new Map<Base, Promise<Place>>();

/** Fills an empty place with the tree of `makeTree` in a mode, the product undisturbed. */
export async function fillPlace(place: Place, base: Base): Promise<void> {
  if (base === 'file') return makeTree(place);
  const known = bases.get(base) ?? makeBase(base);
  bases.set(base, known);
  copyPlace(await known, place.directory);
}

async function makeBase(base: Base): Promise<Place> {
  const directory = mkdtempSync(join(tmpdir(), `deespec-base-${base}-`));
  process.on('exit', () => rmSync(directory, { recursive: true, force: true }));
  const place = makePlace(directory);
  await makeDatabase(place);
  const modes = { file: [], migrated: [], dual_write: ['dual_write'], sqlite: ['sqlite'] }[base];
  for (const mode of modes) await mustSucceed(place, ['mode', 'set', mode, '--home', place.home]);
  return place;
}

/** Ids of the backlog items in a place of `makeTree`, by the layout of their directories. */
export function itemsOf({ home }: Place): { readonly a: readonly string[]; readonly b: readonly string[] } {
  const all = join(home, 'specs/sbi');
  const names = readdirSync(all).sort();
  const withFile = (file: string): string[] =>
    names
      .filter((name) => existsSync(join(all, name, file)))
      .map((name) => basename(name).slice(0, 'SBI-'.length + 26));
  return { a: withFile('state.json'), b: withFile('meta.yml') };
}
