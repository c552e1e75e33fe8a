import { sbiStatuses, type IndexFilter, type SbiId, type SbiStatus } from '@deespec/domain';
import type { Database } from 'better-sqlite3';

import { listedAlong, listedIn, type Listed, type Page } from './list-page.js';
import { countItems, fromMatches, matchesIn, matcher, type ItemCounts, type Words } from './matches.js';
import type { SbiPlace } from './sbi.js';

// What a search takes, in microseconds. Source: measured with 1,000,000 items.

/** Asking one item where FTS5 has all words in one piece; 130 in twelve. */
const ASKING = 40;

/** Passing an item along a list once the matches were collected. */
const PASSING = 1.4;

/** Passing one that has not the label of the search. */
const LEAVING_OUT = 0.3;

/** Collecting one match. */
const COLLECTING = 0.2;

/** Looking up the item of one match. */
const LOOKING_UP = 9;

/** How many more items are passed at once than are expected to be enough. */
const MARGIN = 1.3;

/** Items that are asked before it is judged how many more would have to be. */
const TRIED = 150;

/**
 * The ids of a page of a search. The items of each status are looked at by themselves, along the list: where no item of a status has the
 * words, all of them are passed over at once. Each gives the share of the page that it should have; where that was not enough, all go on
 * from the place up to which they are known.
 *
 * @param words - as of `wordsOf`
 */
export function searchedIds(handle: Database, page: Page, words: Words): SbiId[] {
  const { filter, limit } = page;
  const parts = partsOf(page);
  return (filter.order === 'status' ? oneByOne : together)(handle, words, parts)
    .slice(0, limit)
    .map(({ id }) => id);
}

/** Of parts that come one after the other in the list. */
function oneByOne(handle: Database, words: Words, parts: readonly Part[]): Listed[] {
  const items: Listed[] = [];
  for (const part of parts) {
    const wanted = part.page.limit - items.length;
    if (wanted <= 0) break;
    const counted = { ...part, ...countAll(handle, words, part), wanted, enough: wanted };
    items.push(...matchesAlong(handle, words, counted).found);
  }
  return items;
}

/** Of parts whose items stand between one another in the list. */
function together(handle: Database, words: Words, parts: readonly Part[]): Listed[] {
  const counted = parts
    .map((part) => ({ ...part, ...countAll(handle, words, part) }))
    .toSorted((a, b) => b.matches / b.items - a.matches / a.items);
  const all = counted.reduce((sum, { matches }) => sum + matches, 0);
  const { filter, limit, after } = parts[0]!.page;
  const items: Listed[] = [];
  // From place to place: up to each, all parts are known.
  for (let from = after; items.length < limit;) {
    const left = limit - items.length;
    const found: Listed[] = [];
    let until: SbiPlace | undefined;
    for (const part of counted) {
      const wanted = left * (part.matches / all);
      const enough = Math.min(left, Math.ceil(wanted + 2 * Math.sqrt(wanted)) + 1);
      const page = { ...part.page, after: from, until, limit: left };
      const more = matchesAlong(handle, words, { ...part, page, wanted, enough });
      found.push(...more.found);
      if (!more.isAll) until = nearer(filter, until, more.found.at(-1)!.place);
    }
    const known = found.filter(({ place }) => until === undefined || compareIn(filter, place, until) <= 0);
    items.push(...known.toSorted((a, b) => compareIn(filter, a.place, b.place)));
    if (until === undefined) break;
    from = until;
  }
  return items;
}

function nearer(filter: IndexFilter, one: SbiPlace | undefined, other: SbiPlace): SbiPlace {
  return one === undefined || compareIn(filter, other, one) < 0 ? other : one;
}

/** What is looked at by itself. */
interface Part {
  readonly page: Page;
  /** Absent: all. */
  readonly status?: SbiStatus;
  readonly statuses: readonly SbiStatus[];
}

/** A part and what is known of it. */
interface CountedPart extends Part, ItemCounts {
  /** How many of the page are expected to be of this part. */
  readonly wanted: number;
  /** When so many are found, the others can wait. */
  readonly enough: number;
}

/** Items of a part that match, in the order of the list. */
interface Matching {
  readonly found: readonly Listed[];
  /** Up to where the page ends, no others match; else up to the last one that was found. */
  readonly isAll: boolean;
}

/** In the order of a list by status. */
function partsOf(page: Page): Part[] {
  const { status, order, direction } = page.filter;
  if (status !== undefined) return [{ page, status, statuses: [status] }];
  // There is no list of one status by id.
  if (order === 'id') return [{ page, statuses: sbiStatuses }];
  const ofOne = (one: SbiStatus, after: Page['after']): Part => {
    const filter = { ...page.filter, status: one };
    return { page: { ...page, filter, after }, status: one, statuses: [one] };
  };
  if (order !== 'status') return sbiStatuses.map((one) => ofOne(one, page.after));
  const statuses = sbiStatuses.toSorted();
  if (direction === 'descending') statuses.reverse();
  // The place in a list of one status does not begin with it.
  const [reached, ...after] = page.after ?? [];
  const at = page.after === undefined ? 0 : statuses.indexOf(reached as SbiStatus);
  return statuses.slice(at).map((one) => ofOne(one, one === reached ? after : undefined));
}

/** @returns below 0 when `a` comes first */
function compareIn({ direction }: IndexFilter, a: SbiPlace, b: SbiPlace): number {
  const at = a.findIndex((value, column) => value !== b[column]);
  if (at < 0) return 0;
  return a[at]! < b[at]! === (direction === 'descending') ? 1 : -1;
}

function matchesAlong(handle: Database, words: Words, part: CountedPart): Matching {
  const { matches } = part;
  if (matches === 0) return { found: [], isAll: true };
  const far = passedFor(part);
  if (matches * LOOKING_UP < far * costOfPassing(part)) return lookedUp(handle, words, part);
  if (matches * COLLECTING + far * PASSING < far * ASKING) return sparseAlong(handle, words, part);
  return askedAlong(handle, words, part);
}

/** Items of the list that are expected to be passed until enough are found. */
function passedFor({ page, matches, listed, wanted, enough }: CountedPart): number {
  return ((page.until === undefined ? enough : wanted) * listed) / matches;
}

/** Looks up every match. */
function lookedUp(handle: Database, words: Words, { page, status }: CountedPart): Matching {
  const found = listedIn(handle, page, fromMatches(words, status));
  return { found, isAll: found.length < page.limit };
}

/** Asks one item after the other, until so many in a row do not match that this is not the faster way. */
function askedAlong(handle: Database, words: Words, part: CountedPart): Matching {
  const { page, matches, wanted, enough } = part;
  const { filter, until } = page;
  const isMatch = matcher(handle, words);
  const found: Listed[] = [];
  let asked = 0;
  for (const item of listedAlong(handle, page, Math.ceil(wanted) + 1)) {
    if (until !== undefined && compareIn(filter, item.place, until) > 0) break;
    asked += 1;
    if (isMatch(item.id)) found.push(item);
    if (found.length >= enough) return { found, isAll: false };
    const left = ((wanted - found.length) * asked) / found.length;
    if (asked < TRIED || left * ASKING <= matches * COLLECTING) continue;
    const { found: more, isAll } = sparseAlong(handle, words, {
      ...part,
      page: { ...page, after: item.place },
    });
    return { found: [...found, ...more], isAll };
  }
  return { found, isAll: true };
}

/** Where many items in a row do not match: collects the matches, then passes along the list. */
function sparseAlong(handle: Database, words: Words, part: CountedPart): Matching {
  const { page, status, matches, enough } = part;
  const found: Listed[] = [];
  let passed = 0;
  let limit = Math.ceil(passedFor(part) * MARGIN);
  const rest = (): Page => ({ ...page, after: found.at(-1)?.place ?? page.after });
  while (limit * costOfPassing(part) < matches * LOOKING_UP) {
    const next = matchesIn(handle, { ...rest(), limit }, { words, status });
    found.push(...next.found);
    if (next.passed < limit) return { found, isAll: true };
    if (found.length >= enough) return { found, isAll: false };
    passed += limit;
    const left = ((enough - found.length) * passed) / Math.max(found.length, 1);
    limit = Math.ceil(Math.max(left, passed / 2) * MARGIN);
  }
  const { found: more, isAll } = lookedUp(handle, words, { ...part, page: rest() });
  return { found: [...found, ...more], isAll };
}

/** Of an item of the list, with those before it that have not the label. */
function costOfPassing({ items, listed }: CountedPart): number {
  return PASSING + LEAVING_OUT * (items / listed - 1);
}

function countAll(handle: Database, words: Words, { statuses }: Part): ItemCounts {
  const counts = statuses.map((status) => countItems(handle, words, status));
  const sum = (name: keyof ItemCounts): number => counts.reduce((all, count) => all + count[name], 0);
  return { items: sum('items'), listed: sum('listed'), matches: sum('matches') };
}
