import { sbiOrders, sbiStatuses, type SbiFilter } from '@deespec/domain';
import { afterAll, expect, test } from '@jest/globals';
import BetterSqlite3 from 'better-sqlite3';

import { listedIn } from '../src/list-page.js';
import { emptyDatabase, removeDirectories } from './support.js';

afterAll(removeDirectories);

const orders = sbiOrders.filter((order) => order !== 'id');

/** One in each order of each status, with and without a label; and of all statuses, without one. */
const filters: readonly SbiFilter[] = [
  ...orders.map((order) => ({ order })),
  ...orders.flatMap((order) => sbiStatuses.map((status) => ({ order, status }))),
  ...orders.flatMap((order) => sbiStatuses.map((status) => ({ order, status, label: 'old' }))),
];

// "EXPLAIN QUERY PLAN" is not enough: it calls an index covering whose items are then looked up in the table.
test.each(filters)('a page of %j is read from an index alone', (filter) => {
  const seen: string[] = [];
  const handle = new BetterSqlite3(emptyDatabase(), { verbose: (sql) => seen.push(String(sql)) });
  const place = filter.order === 'created' || (filter.order === 'status' && 'status' in filter) ? [] : [1];
  listedIn(handle, { filter, after: [...place, '2026-01-02T03:04:05.000000000Z', 'SBI-1'], limit: 50 });

  const table = handle.prepare(`SELECT rootpage FROM sqlite_schema WHERE name = 'sbi'`).pluck().get();
  const selects = seen.filter((sql) => sql.includes('FROM sbi s'));
  const opened = selects.flatMap((sql) => handle.prepare(`EXPLAIN ${sql}`).all() as Operation[]);
  const pages = opened.filter(({ opcode }) => opcode === 'OpenRead').map(({ p2 }) => p2);

  expect(pages.length).toBeGreaterThan(0);
  expect(pages).not.toContain(table);
  handle.close();
});

interface Operation {
  readonly opcode: string;
  /** Of `OpenRead`: the first page of what is opened. */
  readonly p2: number;
}
