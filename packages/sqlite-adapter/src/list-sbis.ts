import type { Sbi, SbiFilter, SbiId } from '@deespec/domain';
import type { Database } from 'better-sqlite3';

import { boundedColumns } from './bounded-rows.js';
import { findLabelled } from './labels.js';
import { findMatches, matchesAlong, type Matches } from './matches.js';
import { pageSize } from './page.js';
import { everything, sbiFromRow, sbiNotFound, sbiPage, type SbiRow, type SbiSource } from './sbi.js';
import { toStorageError } from './sqlite-error.js';

const COLUMNS = boundedColumns('s', [
  ['id', 'id'],
  ['task_id', 'taskId'],
  ['label', 'label'],
  ['priority', 'priority'],
  ['status', 'status'],
  ['created_at', 'createdAt'],
  ['updated_at', 'updatedAt'],
  ['completed_at', 'completedAt'],
  ['metadata', 'metadata'],
]);

/**
 * A keyset page as `Index.listSbis` says, in one read transaction. Where few items have a word or a label, it begins with those.
 *
 * @throws StorageError `SBI.NOT_FOUND` for `after`, `USAGE.INVALID`, `DATABASE.CORRUPT`
 */
export function listSbis(handle: Database, filter: SbiFilter): Sbi[] {
  const limit = pageSize(filter.limit);
  try {
    return handle
      .transaction(() => {
        const after = filter.after === undefined ? undefined : findSbi(handle, filter.after);
        return rowsOf(handle, { filter, after, limit });
      })
      .deferred()
      .map(sbiFromRow);
  } catch (error) {
    throw toStorageError(error, handle.name);
  }
}

interface Page {
  readonly filter: SbiFilter;
  /** The SBI that `filter.after` names. */
  readonly after: Sbi | undefined;
  readonly limit: number;
}

function rowsOf(handle: Database, page: Page): SbiRow[] {
  const { filter, limit } = page;
  const matches = filter.search === undefined ? undefined : findMatches(handle, filter.search);
  const listed = listedItems(handle, filter, matches);
  const asked = matches === undefined ? undefined : askAlong(handle, page, { matches, listed });
  if (asked !== undefined) {
    const { order } = pageIn(page, listed, limit);
    return handle
      .prepare(
        `SELECT ${COLUMNS} FROM json_each(:ids) p CROSS JOIN sbi s ON s.id = p.value ORDER BY ${order}`,
      )
      .all({ ids: JSON.stringify(asked) }) as SbiRow[];
  }
  // By ids alone, for which indexes are enough, then their rows.
  const source = matches === undefined ? listed : bothOf(listed, matches.source);
  const { sql, order, values } = pageIn(page, source, limit);
  return handle
    .prepare(`SELECT ${COLUMNS} FROM (${sql}) p CROSS JOIN sbi s ON s.id = p.id ORDER BY ${order}`)
    .all(values) as SbiRow[];
}

/** The ids of a page, found by asking items in the order of the list; `undefined` when that is not the faster way. */
function askAlong(
  handle: Database,
  page: Page,
  { matches, listed }: { matches: Matches; listed: SbiSource },
): string[] | undefined {
  const { match, estimate } = matches;
  if (estimate === undefined) return undefined;
  return matchesAlong(handle, idsAlong(handle, page, listed), { match, estimate, limit: page.limit });
}

/** The ids of a list in its order, a few pages at a time. */
function* idsAlong(handle: Database, page: Page, listed: SbiSource): Generator<string> {
  const rows = page.limit * 2;
  for (let { after } = page; ;) {
    const { sql, values } = pageIn({ ...page, after }, listed, rows);
    const ids = handle.prepare(sql).pluck().all(values) as SbiId[];
    yield* ids;
    if (ids.length < rows) return;
    after = findSbi(handle, ids.at(-1)!);
  }
}

/** The ids of a page in SQL, and its order. */
function pageIn(
  { filter, after }: Page,
  source: SbiSource,
  limit: number,
): { sql: string; order: string; values: Record<string, string | number> } {
  const { conditions, order: columns, direction, values } = sbiPage(filter, after, { ...source, limit });
  const order = columns.map((column) => `${column} ${direction}`).join(', ');
  const where = conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`;
  const sql = `SELECT s.id FROM ${source.from} ${where} ORDER BY ${order} LIMIT :limit`;
  return { sql, order, values: { ...values, ...source.values, limit } };
}

/** Where a list without its search is looked for. */
function listedItems(
  handle: Database,
  { label, status }: SbiFilter,
  matches: Matches | undefined,
): SbiSource {
  const isLooked = label !== undefined && matches?.source.isFew !== true;
  return (isLooked ? findLabelled(handle, label, status) : undefined) ?? everything;
}

function bothOf(listed: SbiSource, searched: SbiSource): SbiSource {
  if (searched.isFew) return searched;
  return { ...listed, conditions: searched.conditions, values: { ...listed.values, ...searched.values } };
}

/** @throws StorageError `SBI.NOT_FOUND` */
function findSbi(handle: Database, id: SbiId): Sbi {
  const row = handle.prepare(`SELECT ${COLUMNS} FROM sbi s WHERE s.id = ?`).get(id) as SbiRow | undefined;
  if (row === undefined) throw sbiNotFound(id);
  return sbiFromRow(row);
}
