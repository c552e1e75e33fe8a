import { parseSearch, type SbiId, type SbiStatus } from '@deespec/domain';
import type { Database } from 'better-sqlite3';

import type { SbiSource } from './sbi.js';
import { searchPart, type SearchPart } from './search-part.js';

/** So many matches of a status are counted; where there are more, these say how close together they are. */
const SAMPLE = 5_000;

const FOUND = 'SELECT rowid FROM search_text WHERE search_text MATCH :match';

/** Rows of a part in SQL. The driver gives numbers as floating-point values, with which FTS5 looks at every row. */
function within(column: string, { first, last }: SearchPart): string {
  return `${column} BETWEEN ${first} AND ${last}`;
}

/** The words of a search for FTS5. @throws StorageError `USAGE.INVALID` for a search without words */
export function matchOf(search: string): string {
  // Each word as a string, in which FTS5 knows no operators: a word of ours is one of its own, and has no quote in it.
  return parseSearch(search)
    .map(({ written }) => `"${written}"`)
    .join(' AND ');
}

/** How many items of a status match: exactly when there are few, else about. And how many there are in all, about. */
export function countMatches(
  handle: Database,
  match: string,
  status: SbiStatus,
): { readonly matches: number; readonly items: number } {
  const part = searchPart(status);
  const sample = handle
    .prepare(
      `SELECT count(*) AS matches, max(rowid) AS last
       FROM (${FOUND} AND ${within('rowid', part)} LIMIT ${SAMPLE})`,
    )
    .get({ match }) as { matches: number; last: number | null };
  const newest = handle.prepare(`SELECT max(id) FROM search_item WHERE ${within('id', part)}`).pluck();
  const items = ((newest.get() as number | null) ?? part.first - 1) - part.first + 1;
  if (sample.matches < SAMPLE) return { matches: sample.matches, items };
  return { matches: items * (SAMPLE / (sample.last! - part.first + 1)), items };
}

/** From the matches to the items: for few of them. */
export function fromMatches(match: string, status: SbiStatus | undefined): SbiSource {
  const from = 'search_text t CROSS JOIN search_item i ON i.id = t.rowid CROSS JOIN sbi s ON s.id = i.sbi_id';
  const conditions = ['t.search_text MATCH :match', within('t.rowid', searchPart(status))];
  return { from, conditions, values: { match }, isFew: true };
}

/** Which of some items match: all matches are collected for it. */
export function matchesAmong(
  handle: Database,
  ids: readonly SbiId[],
  { match, status }: { readonly match: string; readonly status: SbiStatus | undefined },
): ReadonlySet<unknown> {
  // With the plus, each item is looked at, and not each match for each item.
  const found = handle
    .prepare(
      `SELECT i.sbi_id FROM json_each(:ids) p CROSS JOIN search_item i ON i.sbi_id = p.value
       WHERE +i.id IN (${FOUND} AND ${within('rowid', searchPart(status))})`,
    )
    .pluck()
    .all({ match, ids: JSON.stringify(ids) });
  return new Set(found);
}

/** Tells of one item at a time whether it matches. */
export function matcher(handle: Database, match: string): (id: SbiId) => boolean {
  const ask = handle
    .prepare(`${FOUND} AND rowid = (SELECT i.id FROM search_item i WHERE i.sbi_id = :id)`)
    .pluck();
  return (id) => ask.get({ match, id }) !== undefined;
}
