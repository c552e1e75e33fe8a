import { parseSearch, type Sbi, type SbiFilter, type SbiId } from '@deespec/domain';
import type { Database } from 'better-sqlite3';

import { boundedColumns } from './bounded-rows.js';
import { findLabelled } from './labels.js';
import { pageSize } from './page.js';
import { sbiFromRow, sbiNotFound, sbiPage, type SbiRow, type SbiSource } from './sbi.js';
import { toStorageError } from './sqlite-error.js';

/** Up to so many matches of a search, each is looked up; more are collected, and the list is walked until the page is full. */
const FEW = 1_000;

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

const FOUND = 'SELECT rowid FROM search_text WHERE search_text MATCH :match';

const everything: SbiSource = { from: 'sbi s', conditions: [], values: {}, isFew: false };

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

/** The page by ids alone, for which indexes are enough, then its rows. */
function rowsOf(handle: Database, { filter, after, limit }: Page): SbiRow[] {
  const source = sourceOf(handle, filter);
  const { conditions, order, direction, values } = sbiPage(filter, after, source);
  const ordered = order.map((column) => `${column} ${direction}`).join(', ');
  const where = conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`;
  const ids = `SELECT s.id FROM ${source.from} ${where} ORDER BY ${ordered} LIMIT :limit`;
  return handle
    .prepare(`SELECT ${COLUMNS} FROM (${ids}) p CROSS JOIN sbi s ON s.id = p.id ORDER BY ${ordered}`)
    .all({ ...values, ...source.values, limit }) as SbiRow[];
}

function sourceOf(handle: Database, { search, label, status }: SbiFilter): SbiSource {
  const searched = search === undefined ? everything : searchedItems(handle, search);
  if (label === undefined || searched.isFew) return searched;
  const labelled = findLabelled(handle, label, status);
  if (labelled === undefined) return searched;
  return {
    ...labelled,
    conditions: searched.conditions,
    values: { ...searched.values, ...labelled.values },
  };
}

function searchedItems(handle: Database, search: string): SbiSource {
  // Each word as a string, in which FTS5 knows no operators: a word of ours is one of its own, and has no quote in it.
  const match = parseSearch(search)
    .map(({ written }) => `"${written}"`)
    .join(' AND ');
  const count = handle.prepare(`SELECT count(*) FROM (${FOUND} LIMIT ${FEW})`).pluck();
  const isFew = (count.get({ match }) as number) < FEW;
  if (isFew) {
    // From the matches to the SBIs.
    const from =
      'search_text t CROSS JOIN search_item i ON i.id = t.rowid CROSS JOIN sbi s ON s.id = i.sbi_id';
    return { from, conditions: ['t.search_text MATCH :match'], values: { match }, isFew };
  }
  // Along the list, with a look at which rows match.
  const condition = `(SELECT i.id FROM search_item i WHERE i.sbi_id = s.id) IN (${FOUND})`;
  return { ...everything, conditions: [condition], values: { match } };
}

/** @throws StorageError `SBI.NOT_FOUND` */
function findSbi(handle: Database, id: SbiId): Sbi {
  const row = handle.prepare(`SELECT ${COLUMNS} FROM sbi s WHERE s.id = ?`).get(id) as SbiRow | undefined;
  if (row === undefined) throw sbiNotFound(id);
  return sbiFromRow(row);
}
