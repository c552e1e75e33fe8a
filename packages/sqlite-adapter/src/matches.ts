import { parseSearch, type SbiId, type SbiStatus } from '@deespec/domain';
import type { Database } from 'better-sqlite3';

import { listedWhere, type Listed, type Page } from './list-page.js';
import type { SbiSource } from './sbi.js';
import { searchPart, type SearchPart } from './search-part.js';

/** So many matches of a status are counted; where there are more, these say how close together they are. */
const SAMPLE = 5_000;

const FOUND = 'SELECT rowid FROM search_text WHERE search_text MATCH :match';

/** Rows of a part in SQL. The driver gives numbers as floating-point values, with which FTS5 looks at every row. */
function within(column: string, { first, last }: SearchPart): string {
  return `${column} BETWEEN ${first} AND ${last}`;
}

/** Words that an item must have, each as FTS5 takes it. */
export type Words = readonly string[];

/** The words of a search. @throws StorageError `USAGE.INVALID` for a search without words */
export function wordsOf(search: string): Words {
  // Each word as a string, in which FTS5 knows no operators: a word of ours is one of its own, and has no quote in it.
  return parseSearch(search).map(({ written }) => `"${written}"`);
}

/** What matches all of them. */
function allOf(words: Words): string {
  return words.join(' AND ');
}

/** How many items of a status match: exactly when there are few, else about. And how many there are in all, about. */
export function countMatches(
  handle: Database,
  words: Words,
  status: SbiStatus,
): { readonly matches: number; readonly items: number } {
  const part = searchPart(status);
  const sample = handle
    .prepare(
      `SELECT count(*) AS matches, max(rowid) AS last
       FROM (${FOUND} AND ${within('rowid', part)} LIMIT ${SAMPLE})`,
    )
    .get({ match: allOf(words) }) as { matches: number; last: number | null };
  const newest = handle.prepare(`SELECT max(id) FROM search_item WHERE ${within('id', part)}`).pluck();
  const items = ((newest.get() as number | null) ?? part.first - 1) - part.first + 1;
  if (sample.matches < SAMPLE) return { matches: sample.matches, items };
  return { matches: items * (SAMPLE / (sample.last! - part.first + 1)), items };
}

/** From the matches to the items: for few of them. */
export function fromMatches(words: Words, status: SbiStatus | undefined): SbiSource {
  const from = 'search_text t CROSS JOIN search_item i ON i.id = t.rowid CROSS JOIN sbi s ON s.id = i.sbi_id';
  const conditions = ['t.search_text MATCH :match', within('t.rowid', searchPart(status))];
  return { from, conditions, values: { match: allOf(words) }, isFew: true };
}

/** Those of a page that match: all matches are collected for it. @returns also how many items the page has */
export function matchesIn(
  handle: Database,
  page: Page,
  {
    source,
    words,
    status,
  }: { readonly source: SbiSource; readonly words: Words; readonly status: SbiStatus | undefined },
): { readonly found: Listed[]; readonly passed: number } {
  const row = '(SELECT i.id FROM search_item i WHERE i.sbi_id = s.id)';
  const condition = `${row} IN (${FOUND} AND ${within('rowid', searchPart(status))})`;
  const values = { ...source.values, match: allOf(words) };
  return listedWhere(handle, page, { source: { ...source, values }, condition });
}

/** Tells of one item at a time whether it matches. */
export function matcher(handle: Database, words: Words): (id: SbiId) => boolean {
  // One word after the other: asked for several at once, FTS5 does not stop at the item, but goes on to the next one that has them all.
  const ask = handle
    .prepare(
      `SELECT 1 FROM search_item i WHERE i.sbi_id = :id AND NOT EXISTS (
         SELECT 1 FROM json_each(:words) w
         WHERE NOT EXISTS (SELECT 1 FROM search_text WHERE search_text MATCH w.value AND rowid = i.id))`,
    )
    .pluck();
  const all = JSON.stringify(words);
  return (id) => ask.get({ words: all, id }) !== undefined;
}
