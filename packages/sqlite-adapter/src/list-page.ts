import type { SbiFilter, SbiId } from '@deespec/domain';
import type { Database } from 'better-sqlite3';

import { boundedValue } from './bounded-rows.js';
import { everything, sbiPage, type SbiPlace, type SbiRange, type SbiSource } from './sbi.js';
import { storedText } from './stored-cell.js';

/** Items that are read at a time. */
const MOST_AT_ONCE = 500;

/** Which rows of a list. */
export interface Page {
  readonly filter: SbiFilter;
  /** Of the SBI that `filter.after` names. */
  readonly after?: SbiPlace | undefined;
  /** What comes behind this place is not asked for, but may come. */
  readonly until?: SbiPlace | undefined;
  readonly limit: number;
}

/** An item of a list. */
export interface Listed {
  readonly id: SbiId;
  readonly place: SbiPlace;
}

/** The ids of a page and where they stand, in its order, from indexes alone if there is one. @throws StorageError `DATABASE.CORRUPT` */
export function listedIn(handle: Database, page: Page, source: SbiSource = everything): Listed[] {
  const { filter, after, limit } = page;
  if (filter.order !== 'next' || source.isFew) return select(handle, page, { source });
  // SQLite finds a place in an index by several values at once only where all of them are columns, and the rank is none.
  if (after === undefined) return select(handle, page, { source, among: 'other' });
  const same = select(handle, page, { source, among: 'same' });
  if (same.length === limit) return same;
  const others = select(handle, { ...page, limit: limit - same.length }, { source, among: 'other' });
  return [...same, ...others];
}

function select(
  handle: Database,
  { filter, limit, ...range }: Page,
  { source, among }: { readonly source: SbiSource; readonly among?: SbiRange['among'] },
): Listed[] {
  const page = sbiPage(filter, { ...range, among });
  const columns = ['s.id', ...page.columns].map(boundedValue).join(', ');
  const conditions = [...source.conditions, ...page.conditions];
  const where = conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`;
  const order = page.order.map((column) => `${column} ${page.direction}`).join(', ');
  const rows = handle
    .prepare(`SELECT ${columns} FROM ${source.from} ${where} ORDER BY ${order} LIMIT :limit`)
    .raw()
    .all({ ...page.values, ...source.values, limit }) as unknown[][];
  return rows.map(([id, ...place]) => ({
    id: storedText(id, 'sbi') as SbiId,
    place: place.map((value) => (typeof value === 'number' ? value : storedText(value, `sbi ${String(id)}`))),
  }));
}

/** All items of a list in its order, whatever the limit of the page is: `first` of them at first, then twice as many each time. */
export function* listedAlong(
  handle: Database,
  page: Page,
  { source, first }: { readonly source: SbiSource; readonly first: number },
): Generator<Listed> {
  let { after } = page;
  for (let limit = first; ; limit = Math.min(limit * 2, MOST_AT_ONCE)) {
    const items = listedIn(handle, { ...page, after, limit }, source);
    yield* items;
    if (items.length < limit) return;
    after = items.at(-1)!.place;
  }
}
