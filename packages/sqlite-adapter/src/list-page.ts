import type { IndexFilter, SbiId } from '@deespec/domain';
import type { Database } from 'better-sqlite3';

import { boundedValue } from './bounded-rows.js';
import { everything, sbiPage, type SbiPlace, type SbiRange, type SbiSource } from './sbi.js';
import { storedText } from './stored-cell.js';

/** Items that are read at a time. */
const MOST_AT_ONCE = 500;

/** Which rows of a list. */
export interface Page {
  readonly filter: IndexFilter;
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
  return readPage(handle, page, { source, columns: (place) => ['s.id', ...place] }).map(listedFrom);
}

/**
 * Those of a page of which a condition is true. Of the others nothing is brought out of the database, which takes half as long.
 *
 * @param condition - SQL on `sbi s`
 * @returns also how many items the page has
 */
export function listedWhere(
  handle: Database,
  page: Page,
  { condition, values }: { readonly condition: string; readonly values: SbiSource['values'] },
): { readonly found: Listed[]; readonly passed: number } {
  const columns = () => [`CASE WHEN ${condition} THEN ${boundedValue('s.id')} END`];
  const rows = readPage(handle, page, { source: { ...everything, values }, columns });
  const ids = rows.filter(([id]) => id !== null).map(([id]) => storedText(id, 'sbi'));
  const place = sbiPage(page.filter, {}).columns.map(boundedValue).join(', ');
  const found = handle
    .prepare(`SELECT s.id, ${place} FROM json_each(:ids) p CROSS JOIN sbi s ON s.id = p.value ORDER BY p.key`)
    .raw()
    .all({ ids: JSON.stringify(ids) }) as unknown[][];
  return { found: found.map(listedFrom), passed: rows.length };
}

interface Reading {
  readonly source: SbiSource;
  /** What is read of an item, by the columns of its place. */
  readonly columns: (place: readonly string[]) => readonly string[];
  readonly among?: SbiRange['among'];
}

function readPage(handle: Database, page: Page, reading: Reading): unknown[][] {
  const { filter, after, limit } = page;
  if (filter.order !== 'next' || reading.source.isFew) return select(handle, page, reading);
  // SQLite finds a place in an index by several values at once only where all of them are columns, and the rank is none.
  if (after === undefined) return select(handle, page, { ...reading, among: 'other' });
  const same = select(handle, page, { ...reading, among: 'same' });
  if (same.length === limit) return same;
  const others = select(handle, { ...page, limit: limit - same.length }, { ...reading, among: 'other' });
  return [...same, ...others];
}

function select(
  handle: Database,
  { filter, limit, ...range }: Page,
  { source, columns, among }: Reading,
): unknown[][] {
  const page = sbiPage(filter, { ...range, among });
  const conditions = [...source.conditions, ...page.conditions];
  const where = conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`;
  const order = page.order.map((column) => `${column} ${page.direction}`).join(', ');
  const read = columns(page.columns).map(boundedValue).join(', ');
  return handle
    .prepare(`SELECT ${read} FROM ${source.from} ${where} ORDER BY ${order} LIMIT :limit`)
    .raw()
    .all({ ...page.values, ...source.values, limit }) as unknown[][];
}

function listedFrom([id, ...place]: readonly unknown[]): Listed {
  const where = `sbi ${String(id)}`;
  return {
    id: storedText(id, 'sbi') as SbiId,
    place: place.map((value) => (typeof value === 'number' ? value : storedText(value, where))),
  };
}

/** All items of a list in its order, whatever the limit of the page is: `first` of them at first, then twice as many each time. */
export function* listedAlong(handle: Database, page: Page, first: number): Generator<Listed> {
  let { after } = page;
  for (let limit = first; ; limit = Math.min(limit * 2, MOST_AT_ONCE)) {
    const items = listedIn(handle, { ...page, after, limit });
    yield* items;
    if (items.length < limit) return;
    after = items.at(-1)!.place;
  }
}
