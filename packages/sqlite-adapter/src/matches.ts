import { parseSearch, type SbiId, type SbiStatus } from '@deespec/domain';
import type { Database } from 'better-sqlite3';

import { listedWhere, type Listed, type Page } from './list-page.js';
import type { SbiSource } from './sbi.js';
import { labelWords } from './search-labels.js';
import { searchPart, type SearchPart } from './search-part.js';

/** So many matches of a status are counted; where there are more, these say how close together they are. */
const SAMPLE = 5_000;

const FOUND = 'SELECT rowid FROM search_text WHERE search_text MATCH :match';

/** Rows of a part in SQL. The driver gives numbers as floating-point values, with which FTS5 looks at every row. */
function within(column: string, { first, last }: SearchPart): string {
  return `${column} BETWEEN ${first} AND ${last}`;
}

/**
 * Labels of a text with commas that are asked for as words; the list takes the items that have all. FTS5 takes half a second for 20,000
 * words, and sixteen for 100,000.
 */
const MOST_LABELS = 16;

/** Words that an item must have, each as FTS5 takes it. */
export interface Words {
  readonly searched: readonly string[];
  /** Of its label, if it must have one: few other items have all of them, and the list leaves those out. */
  readonly labels: readonly string[];
}

/** The words of a search. @throws StorageError `USAGE.INVALID` for a search without words */
export function wordsOf(search: string, label: string | undefined): Words {
  return {
    searched: parseSearch(search).map(({ written }) => quoted(written)),
    labels: label === undefined ? [] : labelWords(label).slice(0, MOST_LABELS).map(quoted),
  };
}

/** As a string, in which FTS5 knows no operators: a word of ours is one of its own, and has no quote in it. */
function quoted(word: string): string {
  return `"${word}"`;
}

/** What matches all of them. */
function allOf({ searched, labels }: Words): string {
  return [...labels, ...searched].join(' AND ');
}

/** How many items there are, about. */
export interface ItemCounts {
  readonly items: number;
  /** Those of the label. */
  readonly listed: number;
  /** Those of them that match; exactly when there are few. */
  readonly matches: number;
}

/** Counts the items of a status. */
export function countItems(handle: Database, words: Words, status: SbiStatus): ItemCounts {
  const part = searchPart(status);
  const newest = handle.prepare(`SELECT max(id) FROM search_item WHERE ${within('id', part)}`).pluck();
  const items = ((newest.get() as number | null) ?? part.first - 1) - part.first + 1;
  const sample = handle.prepare(
    `SELECT count(*) AS matches, max(rowid) AS last FROM (${FOUND} AND ${within('rowid', part)} LIMIT ${SAMPLE})`,
  );
  const count = (match: string): number => {
    const { matches, last } = sample.get({ match }) as { matches: number; last: number | null };
    return matches < SAMPLE ? matches : items * (SAMPLE / (last! - part.first + 1));
  };
  const matches = count(allOf(words));
  const { labels } = words;
  return {
    items,
    matches,
    listed: labels.length === 0 || matches === 0 ? items : count(labels.join(' AND ')),
  };
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
  { words, status }: { readonly words: Words; readonly status: SbiStatus | undefined },
): { readonly found: Listed[]; readonly passed: number } {
  const row = '(SELECT i.id FROM search_item i WHERE i.sbi_id = s.id)';
  const condition = `${row} IN (${FOUND} AND ${within('rowid', searchPart(status))})`;
  return listedWhere(handle, page, { condition, values: { match: allOf(words) } });
}

/** Tells of one item at a time, which has the label, whether it matches. */
export function matcher(handle: Database, { searched }: Words): (id: SbiId) => boolean {
  // One word after the other: asked for several at once, FTS5 does not stop at the item, but goes on to the next one that has them all.
  const ask = handle
    .prepare(
      `SELECT 1 FROM search_item i WHERE i.sbi_id = :id AND NOT EXISTS (
         SELECT 1 FROM json_each(:words) w
         WHERE NOT EXISTS (SELECT 1 FROM search_text WHERE search_text MATCH w.value AND rowid = i.id))`,
    )
    .pluck();
  const all = JSON.stringify(searched);
  return (id) => ask.get({ words: all, id }) !== undefined;
}
