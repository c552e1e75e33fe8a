import { cpSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';

import { openIndex } from '@deespec/storage';
import Database from 'better-sqlite3';

import type { Budget } from './cases.js';
import { growDatabase } from './grow.js';
import { queryBudget, timeCalls, type QuerySamples } from './queries.js';
import { someWords } from './searches.js';

type Filter = NonNullable<Parameters<Awaited<ReturnType<typeof openIndex>>['index']['listSbis']>[0]>;

/** Rows of a page. */
const PAGE_ROWS = 50;

/** What a search may take among many items, milliseconds. Source: README of this package. */
const searchBudget: Budget = { must: 50, goal: 10 };

/** What lists are asked for, each from a random item on. */
const filters: readonly (readonly [string, Filter])[] = [
  ['by creation', {}],
  ['in order of work', { order: 'next' }],
  ['in order of work, one status', { order: 'next', status: 'READY' }],
  ['last changed first', { order: 'updated', direction: 'descending' }],
  ['by priority, one status', { order: 'priority', status: 'READY' }],
  ['by status', { order: 'status' }],
];

/**
 * Times pages of a database that is grown to so many items, from random places in each order, through `@deespec/storage`.
 *
 * @param home - a migrated tree; it is only read
 * @param directory - gets the grown database: 2.5 KiB for each item
 */
export async function timeLists(
  home: string,
  { directory, items }: { readonly directory: string; readonly items: number },
): Promise<QuerySamples[]> {
  const grown = join(directory, 'grown', '.deespec');
  mkdirSync(join(grown, '.storage'), { recursive: true });
  for (const name of ['deespec.db', 'setting.json', '.storage/epoch'])
    cpSync(join(home, name), join(grown, name));
  const count = growDatabase(join(grown, 'deespec.db'), items);
  const { ids, common, rare } = someOf(join(grown, 'deespec.db'));
  const storage = await openIndex({ home: grown, store: 'sqlite' });
  const { index } = storage;
  const at = (call: number) => ids[call % ids.length]!;
  const many = `${count.toLocaleString('en')} items`;
  const time = async (name: string, call: (number: number) => unknown, budget = queryBudget) => ({
    name: `${many}: ${name}`,
    samples: await timeCalls(call),
    budget,
  });
  const page = (filter: Filter) => (call: number) =>
    index.listSbis({ ...filter, limit: PAGE_ROWS, after: at(call) });
  try {
    const results = [await time('get', (call) => index.getSbi(at(call)))];
    for (const [name, filter] of filters) results.push(await time(`list ${name}`, page(filter)));
    const since = '2000-01-01T00:00:00.000000000Z';
    results.push(await time('what failed', () => index.listFailures({ since, limit: PAGE_ROWS })));
    for (const [name, search] of Object.entries({ common, rare }))
      results.push(await time(`search a ${name} word`, page({ search, order: 'updated' }), searchBudget));
    return results;
  } finally {
    await storage.close();
  }
}

function someOf(path: string): { ids: readonly Filter['after'][]; common: string; rare: string } {
  const database = new Database(path, { readonly: true });
  try {
    const ids = database.prepare('SELECT id FROM sbi ORDER BY random() LIMIT 500').pluck().all();
    const { most, fewest } = someWords(database);
    return { ids: ids as Filter['after'][], common: most.word, rare: fewest.word };
  } finally {
    database.close();
  }
}
